// A person's own page: what is connected, and the end of it.
import assert from "node:assert/strict";
import { heading, press, runAll, signIn, submit } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

// Opens the page and signs in, if nobody is.
async function open(stage, window, email) {
  await window.goto(`${stage.issuer}/connections`);
  if (email) await signIn(window.page, email);
  await heading(window.page, "My connections");
}

const shown = async (window) => (await window.page.locator("main").innerText()).replace(/\s+/g, " ");

const cases = {
  async "a connection shows app, server, permissions, since when and when last, until it is withdrawn"(stage) {
    const [window, elsewhere, client] = [await stage.window(), await stage.window(), await stage.client()];
    const tokens = await stage.connect(elsewhere, client, "erin@example.com");
    assert.equal(await client.call(tokens.access_token), 200);
    // From another browser than the one in which it was allowed.
    await open(stage, window, "erin@example.com");
    const text = await shown(window);
    for (const part of [
      "Signed in as erin@example.com",
      "Example Editor",
      "gave itself this name",
      "Server Notes",
      new URL(`${stage.issuer}/mcp`).href,
      "Read your notes mcp:read",
      `Connected ${new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(new Date())}`,
      "Last used",
    ]) {
      assert.ok(text.includes(part), `${part} is not in: ${text}`);
    }
    await press(window.page, "Withdraw");
    await heading(window.page, "No app is connected", 2);
    assert.equal(await client.call(tokens.access_token), 401);
    assert.equal((await client.refresh(tokens.refresh_token)).body.error, "invalid_grant");
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "of several connections the one is withdrawn, and all at once"(stage) {
    const window = await stage.window();
    const clients = [];
    const tokens = [];
    for (const name of ["One", "Two", "Three"]) {
      clients.push(await stage.client({ name }));
      tokens.push((await stage.connect(window, clients.at(-1), "frank@example.com")).access_token);
    }
    const statuses = () => Promise.all(clients.map((client, index) => client.call(tokens[index])));
    await open(stage, window);
    await window.page.getByRole("listitem").filter({ hasText: "Two" }).getByRole("button", { name: "Withdraw" }).click();
    await heading(window.page, "Two", 2, "detached");
    assert.deepEqual(await statuses(), [200, 401, 200]);
    await window.page.getByText("Withdraw all connections").click();
    await press(window.page, "Yes, withdraw all");
    await heading(window.page, "No app is connected", 2);
    assert.deepEqual(await statuses(), [401, 401, 401]);
  },

  async "two people see and end only their own"(stage) {
    const [alice, bob, client] = [await stage.window(), await stage.window(), await stage.client()];
    const { access_token: alices } = await stage.connect(alice, client, "alice@example.com");
    const { access_token: bobs } = await stage.connect(bob, client, "bob@example.com");
    await open(stage, alice);
    await open(stage, bob);
    assert.match(await shown(alice), /alice@example\.com/);
    assert.doesNotMatch(await shown(alice), /bob@example\.com/);
    // Bob's form with the id of Alice's connection.
    const id = (window) => window.page.locator("button[name=withdraw]").first().getAttribute("value");
    assert.notEqual(await id(alice), await id(bob));
    await bob.page.locator("button[name=withdraw]").first().evaluate((button, value) => (button.value = value), await id(alice));
    await submit(bob.page, "Withdraw");
    await heading(bob.page, "My connections");
    assert.equal(await client.call(alices), 200);
    await press(bob.page, "Withdraw");
    await heading(bob.page, "No app is connected", 2);
    assert.deepEqual([await client.call(alices), await client.call(bobs)], [200, 401]);
  },

  async "a withdrawal without this session's token changes nothing"(stage) {
    const [alice, bob, client] = [await stage.window(), await stage.window(), await stage.client()];
    const { access_token: token } = await stage.connect(alice, client, "alice@example.com");
    await stage.connect(bob, client, "bob@example.com");
    await open(stage, bob);
    const { csrf } = await bob.fields();
    await open(stage, alice);
    for (const wrong of ["", "x", csrf]) {
      const { status } = await alice.post(`${stage.issuer}/connections`, { csrf: wrong, withdraw: "all" });
      assert.equal(status, 403);
    }
    assert.equal(await client.call(token), 200);
  },

  async "after signing out the page asks again, and what is connected stays so"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const { access_token: token } = await stage.connect(window, client);
    await open(stage, window);
    const form = await window.fields();
    await press(window.page, "Sign out");
    await heading(window.page, "You are signed out");
    await window.page.getByRole("link", { name: "My connections" }).click();
    await heading(window.page, "Development sign-in");
    // The page that was open before, sent now: nobody is signed in, so it asks, and goes nowhere else.
    const { status, text } = await window.post(`${stage.issuer}/connections`, { ...form, withdraw: "all" });
    assert.equal(status, 200);
    assert.match(text, /Continue to/);
    assert.equal(await client.call(token), 200);
  },

  async "a withdrawal after the session's end leads to the sign-in"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    await stage.connect(window, client);
    await open(stage, window);
    await window.page.context().clearCookies({ name: /mfa-session$/ });
    await press(window.page, "Withdraw");
    await signIn(window.page, "alice@example.com");
    await heading(window.page, "My connections");
    assert.deepEqual(window.takeComplaints(), []);
  },

  async "the keyboard is enough"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const { access_token: token } = await stage.connect(window, client, "grace@example.com");
    await open(stage, window);
    await window.focus("Withdraw");
    await window.page.keyboard.press("Enter");
    await heading(window.page, "No app is connected", 2);
    assert.equal(await client.call(token), 401);
    await window.focus("Sign out");
    await window.page.keyboard.press("Space");
    await heading(window.page, "You are signed out");
  },
};
