// Where the operator lets consent be remembered: the question is asked once, for what was answered and for nothing else.
import assert from "node:assert/strict";
import { allow, arrive, heading, press, runAll, signIn } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

// A client on a host of its own: only one party can receive its answers.
const hosted = (stage) => stage.client({ host: "editor.example.com", tls: stage.tls });
const window = (stage) => stage.window({ ignoreHTTPSErrors: true });

const cases = {
  async "the second time leads straight to the sign-in"(stage) {
    const [browser, client] = [await window(stage), await hosted(stage)];
    await stage.connect(browser, client);
    await browser.goto(client.begin().url);
    await heading(browser.page, "Development sign-in");
    await signIn(browser.page, "alice@example.com");
    await arrive(browser.page);
    assert.ok(client.answers[1].code);
    assert.deepEqual(browser.takeComplaints(), []);
  },

  async "for more than was approved it asks for what is new, and somebody else for everything"(stage) {
    const [browser, client] = [await window(stage), await hosted(stage)];
    await stage.connect(browser, client);
    await browser.goto(client.begin({ scope: "mcp:read mcp:write" }).url);
    await heading(browser.page, "Allow Example Editor to do more with Notes?");
    const listed = () => browser.page.locator("ul.scopes").innerText();
    assert.match(await listed(), /Change your notes/);
    assert.doesNotMatch(await listed(), /mcp:read/);
    assert.match(await browser.page.locator("main").innerText(), /alice@example\.com allowed before: /);
    await allow(browser.page);
    await signIn(browser.page, "bob@example.com");
    await heading(browser.page, "Allow Example Editor to use Notes?");
    assert.match(await listed(), /mcp:read/);
  },

  async "it asks when the client wants it to, and when nobody is signed in here"(stage) {
    const [browser, other, client] = [await window(stage), await window(stage), await hosted(stage)];
    await stage.connect(browser, client);
    for (const [where, more] of [[browser, { prompt: "consent" }], [other, {}]]) {
      await where.goto(client.begin(more).url);
      await heading(where.page, "Allow Example Editor to use Notes?");
    }
  },

  async "somebody else who signs in is asked"(stage) {
    const [browser, client] = [await window(stage), await hosted(stage)];
    await stage.connect(browser, client);
    await browser.goto(client.begin().url);
    await signIn(browser.page, "bob@example.com");
    await heading(browser.page, "Allow Example Editor to use Notes?");
    assert.equal(client.answers.length, 1);
    await allow(browser.page);
    await signIn(browser.page, "bob@example.com");
    await arrive(browser.page);
    assert.equal(client.answers.length, 2);
  },

  async "who withdraws a connection is asked again"(stage) {
    const [browser, client] = [await window(stage), await hosted(stage)];
    await stage.connect(browser, client, "henry@example.com");
    await browser.goto(`${stage.issuer}/connections`);
    await press(browser.page, "Withdraw");
    await heading(browser.page, "No app is connected", 2);
    await browser.goto(client.begin().url);
    await heading(browser.page, "Allow Example Editor to use Notes?");
  },

  async "a program on this device is never remembered"(stage) {
    const [browser, client] = [await window(stage), await stage.client()];
    await stage.connect(browser, client);
    await browser.goto(client.begin().url);
    await heading(browser.page, "Allow Example Editor to use Notes?");
  },
};
