// What the client is told, and that nothing on the way needs a script, a mouse or an exception from the pages' policy.
import assert from "node:assert/strict";
import { allow, arrive, heading, press, runAll, signIn, submit } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

const cases = {
  async "saying yes leads through the sign-in to a code that opens the server"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await heading(window.page, "Allow Example Editor to use Notes?");
    await allow(window.page);
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
    const [{ code, ...rest }] = client.answers;
    assert.deepEqual(rest, { state: request.state, iss: stage.issuer });
    const redeemed = await client.redeem(code, request);
    assert.equal(redeemed.status, 200, JSON.stringify(redeemed));
    assert.equal(await client.call(redeemed.body.access_token), 200);
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "saying no tells the client so, with its state and our issuer"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await press(window.page, "Deny");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
    const [{ error_description: description, ...rest }] = client.answers;
    assert.deepEqual(rest, { error: "access_denied", state: request.state, iss: stage.issuer });
    assert.ok(description);
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "the page that goes on by itself has a link for browsers that do not"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await window.stayAt(stage.issuer);
    await press(window.page, "Deny");
    await heading(window.page, "Continue to the app");
    assert.deepEqual(client.answers, []);
    await window.page.context().unrouteAll();
    await window.page.getByRole("link", { name: "Continue" }).click();
    await arrive(window.page);
    assert.equal(client.answers[0].error, "access_denied");
  },

  async "none of it needs scripts"(stage) {
    const [window, client] = [await stage.window({ javaScriptEnabled: false }), await stage.client()];
    const { access_token: token } = await stage.connect(window, client, "erin@example.com");
    assert.equal(await client.call(token), 200);
    await window.goto(`${stage.issuer}/connections`);
    await submit(window.page, "Withdraw");
    await heading(window.page, "No app is connected", 2);
    assert.equal(await client.call(token), 401);
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "the keyboard is enough"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await window.focus("Allow");
    await window.page.keyboard.press("Enter");
    await window.page.getByLabel("E-mail address").waitFor();
    await window.focus("E-mail address");
    await window.page.keyboard.type("alice@example.com");
    await window.page.keyboard.press("Enter");
    await arrive(window.page);
    assert.ok(client.answers[0].code);
  },

  async "somebody who may not use the server can take another account"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await allow(window.page);
    await signIn(window.page, "carol@example.com");
    await heading(window.page, "This account may not use Notes");
    assert.match(await window.page.locator("main").innerText(), /carol@example\.com/);
    // The provider's answer is used up; the page must not depend on it.
    await window.page.reload();
    await heading(window.page, "This account may not use Notes");
    assert.deepEqual(client.answers, []);
    await press(window.page, "Use another account");
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
    assert.ok(client.answers[0].code);
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "somebody who may not use the server can go back to the app"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await allow(window.page);
    await signIn(window.page, "carol@example.com");
    await press(window.page, "Return to Example Editor");
    await arrive(window.page);
    const [{ error, state }] = client.answers;
    assert.deepEqual({ error, state }, { error: "access_denied", state: request.state });
  },
};
