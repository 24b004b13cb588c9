// Browsers do not go straight on: back, reload, twice, in two tabs, later, without cookies. One request gives one code, and
// every page tells what to do.
import assert from "node:assert/strict";
import { allow, arrive, heading, press, runAll, signIn } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

const cases = {
  async "back after saying yes asks again, and a second yes is the same sign-in"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await allow(window.page);
    const first = window.page.url();
    await window.page.goBack();
    await heading(window.page, "Allow Example Editor to use Notes?");
    await allow(window.page);
    assert.equal(window.page.url(), first);
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
  },

  async "back and no withdraws a yes before anybody signed in"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await allow(window.page);
    const login = window.page.url();
    await window.page.goBack();
    await press(window.page, "Deny");
    await arrive(window.page);
    await window.goto(login);
    await signIn(window.page, "alice@example.com");
    await heading(window.page, "This sign-in is finished");
    assert.deepEqual(client.answers.map(({ error }) => error), ["access_denied"]);
  },

  async "back after the code gives no second one, and says so"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    const consent = window.page.url();
    await allow(window.page);
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    await window.page.goBack();
    await signIn(window.page, "alice@example.com");
    await heading(window.page, "This sign-in is finished");
    await window.goto(consent);
    await heading(window.page, "This sign-in is finished");
    assert.equal(client.answers.length, 1);
    assert.equal((await client.redeem(client.answers[0].code, request)).status, 200);
  },

  async "a form that was loaded before the code gives no second one"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    const other = await window.tab(window.page.url());
    await allow(window.page);
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    await press(other, "Allow");
    await heading(other, "This sign-in is finished");
    assert.equal(client.answers.length, 1);
  },

  async "two clicks on Allow are one sign-in and one code"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    await window.page.getByRole("button", { name: "Allow", exact: true }).dblclick();
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
  },

  async "the same forms at the same moment are one sign-in and one code"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    const many = [1, 2, 3, 4];
    const form = { ...(await window.fields()), decision: "approve" };
    const approvals = await Promise.all(many.map(() => window.post(`${stage.issuer}/consent`, form)));
    assert.equal(new Set(approvals.map(({ next }) => next)).size, 1);
    assert.match(approvals[0].next, /\/sign-in\/development\?state=/);
    await allow(window.page);
    const login = { ...(await window.fields()), email: "alice@example.com" };
    const logins = await Promise.all(many.map(() => window.post(`${stage.issuer}/sign-in/development`, login)));
    const ends = await Promise.all(logins.map(({ next }) => window.get(next)));
    assert.deepEqual(ends.map(({ status }) => status).sort(), [200, 409, 409, 409]);
    assert.equal(client.answers.length, 1);
  },

  async "two tabs with two clients end each at its own"(stage) {
    const window = await stage.window();
    const [one, two] = [await stage.client({ name: "One" }), await stage.client({ name: "Two" })];
    const tabs = [window.page, await window.tab()];
    const requests = [one.begin(), two.begin()];
    // At once: neither has a cookie yet.
    await Promise.all(tabs.map((tab, index) => tab.goto(requests[index].url)));
    await heading(tabs[0], "Allow One to use Notes?");
    await heading(tabs[1], "Allow Two to use Notes?");
    await allow(tabs[1]);
    await allow(tabs[0]);
    await signIn(tabs[0], "alice@example.com");
    await signIn(tabs[1], "bob@example.com");
    await Promise.all(tabs.map(arrive));
    for (const [index, client] of [one, two].entries()) {
      assert.equal(client.answers.length, 1);
      assert.equal(client.answers[0].state, requests[index].state);
      assert.equal((await client.redeem(client.answers[0].code, requests[index])).status, 200);
    }
    const crossed = await one.redeem(two.answers[0].code, requests[1]);
    assert.equal(crossed.body.error, "invalid_grant");
  },

  async "a tab that was closed goes on from its address"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await window.goto(client.begin().url);
    const consent = await window.tab(window.page.url());
    await window.page.close();
    await allow(consent);
    const login = await window.tab(consent.url());
    await consent.close();
    await signIn(login, "alice@example.com");
    await arrive(login);
    assert.ok(client.answers[0].code);
  },

  async "every page can be loaded again"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const again = async (name) => {
      await window.page.reload();
      await heading(window.page, name);
    };
    await window.goto(client.begin().url);
    await again("Allow Example Editor to use Notes?");
    await allow(window.page);
    await again("Development sign-in");
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    assert.equal(client.answers.length, 1);
    await window.goto(`${stage.issuer}/connections`);
    await again("My connections");
    await press(window.page, "Sign out");
    await heading(window.page, "You are signed out");
    await again("You are signed out");
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "a request that is gone says what to do"(stage) {
    const window = await stage.window();
    const answer = await window.goto(`${stage.issuer}/consent?request=gone`);
    assert.equal(answer.status(), 400);
    await heading(window.page, "This sign-in has expired");
    assert.match(await window.page.locator("main").innerText(), /connect again/);
  },

  async "a browser without cookies is told so, wherever it comes in"(stage) {
    const [window, client] = [await stage.window({ cookies: false }), await stage.client()];
    await window.goto(client.begin().url);
    await heading(window.page, "This sign-in belongs to another browser");
    assert.match(await window.page.locator("main").innerText(), /[Cc]ookies/);
    await window.goto(`${stage.issuer}/connections`);
    await signIn(window.page, "alice@example.com");
    await heading(window.page, "This sign-in belongs to another browser");
    assert.deepEqual(client.answers, []);
  },
};
