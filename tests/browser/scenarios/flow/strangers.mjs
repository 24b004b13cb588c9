// What another person, another site or another browser makes of a sign-in that is not theirs: nothing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { allow, arrive, heading, runAll, signIn } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

// A page of another site; what is posted to it is of no interest.
async function elsewhere(html) {
  const site = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html><title>Elsewhere</title>${html}`);
  });
  await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
  return { url: `http://elsewhere.example.com:${site.address().port}/`, close: () => site.close() };
}

// Opens a page of another site in `page`, on which `use` is done.
async function from(page, html, use) {
  const site = await elsewhere(html);
  try {
    await page.goto(site.url);
    await use();
  } finally {
    site.close();
  }
}

const hidden = (fields) =>
  Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join("");

// A form that another site fills in and sends by itself.
const posting = (action, fields) =>
  `<form method="post" action="${action}">${hidden(fields)}</form><script>document.forms[0].submit()</script>`;

const cases = {
  async "somebody who opens another's question is turned away, and the other goes on"(stage) {
    const [alice, bob, client] = [await stage.window(), await stage.window(), await stage.client()];
    await alice.goto(client.begin().url);
    const answer = await bob.goto(alice.page.url());
    assert.equal(answer.status(), 403);
    await heading(bob.page, "This sign-in belongs to another browser");
    await allow(alice.page);
    // The address of the sign-in is no better; that of the provider's answer is the same as this form's.
    await bob.goto(alice.page.url());
    await signIn(bob.page, "bob@example.com");
    await heading(bob.page, "This sign-in belongs to another browser");
    await signIn(alice.page, "alice@example.com");
    await arrive(alice.page);
    assert.equal(client.answers.length, 1);
  },

  async "somebody with a session of their own is turned away as well"(stage) {
    const [alice, bob, client] = [await stage.window(), await stage.window(), await stage.client()];
    await stage.connect(bob, client, "bob@example.com");
    await alice.goto(client.begin().url);
    const answer = await bob.goto(alice.page.url());
    assert.equal(answer.status(), 403);
    assert.equal(client.answers.length, 1);
  },

  async "a yes that another site sends with everything right is refused, and nothing has happened"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    const consent = window.page.url();
    const form = { ...(await window.fields()), decision: "approve" };
    const page = await window.tab();
    await from(page, posting(`${stage.issuer}/consent`, form), () => heading(page, "This form is no longer good"));
    assert.deepEqual(client.answers, []);
    await window.goto(consent);
    await allow(window.page);
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
  },

  async "a yes with a token that is not this browser's is refused, wherever it comes from"(stage) {
    const [alice, bob, client] = [await stage.window(), await stage.window(), await stage.client()];
    await bob.goto(client.begin().url);
    const { csrf } = await bob.fields();
    await alice.goto(client.begin().url);
    const form = { ...(await alice.fields()), decision: "approve" };
    for (const wrong of ["", "x", csrf]) {
      const { status, text } = await alice.post(`${stage.issuer}/consent`, { ...form, csrf: wrong });
      assert.equal(status, 403);
      assert.match(text, /This form is no longer good/);
    }
    assert.equal((await alice.post(`${stage.issuer}/consent`, form)).status, 200);
  },

  async "no form of ours can be sent from another site"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const { access_token: token } = await stage.connect(window, client);
    await window.goto(`${stage.issuer}/connections`);
    const { csrf } = await window.fields();
    await window.goto(client.begin().url);
    await allow(window.page);
    const login = { ...(await window.fields()), email: "bob@example.com" };
    for (const [path, form] of [
      ["/connections", { csrf, withdraw: "all" }],
      ["/sign-out", { csrf }],
      ["/sign-in", { csrf }],
      ["/sign-in/development", login],
    ]) {
      const send = () => heading(window.page, "This form is no longer good");
      await from(window.page, posting(stage.issuer + path, form), send);
    }
    assert.equal(await client.call(token), 200);
    await window.goto(`${stage.issuer}/connections`);
    assert.match(await window.page.locator("main").innerText(), /alice@example\.com/);
  },

  async "no page is shown in another site's frame"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await stage.connect(window, client);
    await window.goto(client.begin().url);
    const consent = window.page.url();
    await allow(window.page);
    const pages = [consent, window.page.url(), `${stage.issuer}/connections`, `${stage.issuer}/consent?request=gone`];
    for (const url of pages) {
      const isRefusal = (message) => message.text().includes("frame-ancestors 'none'");
      const look = async () => {
        const frame = window.page.frames()[1];
        await frame.waitForURL("chrome-error://chromewebdata/");
        assert.doesNotMatch(await frame.locator("body").innerText(), /Example Notes/);
      };
      const framed = from(window.page, `<iframe src="${url}"></iframe>`, look);
      await Promise.all([window.page.waitForEvent("console", isRefusal), framed]);
    }
  },
};
