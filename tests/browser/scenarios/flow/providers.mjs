// Two places to sign in: people choose, in a client's flow and on their own pages.
import assert from "node:assert/strict";
import { arrive, heading, press, runAll, signIn } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

// The pages of the provider itself: its login, then its own question.
async function signInThere(page, name) {
  await page.locator("[name=login]").fill(name);
  await page.locator("[name=password]").fill("any");
  await page.locator("[type=submit]").first().click();
  await page.locator("[type=submit]").first().click();
}

// The provider's own page asks for a font, which is nowhere here.
const complaints = (window) => window.takeComplaints().filter((text) => !text.includes("ERR_NAME_NOT_RESOLVED"));

const subject = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sub;

const cases = {
  async "a client's flow goes to the provider that is chosen, and comes back"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await window.page.getByLabel("Company account").check();
    await press(window.page, "Allow");
    await signInThere(window.page, "alice");
    await arrive(window.page);
    const { body } = await client.redeem(client.answers[0].code, request);
    assert.equal(subject(body.access_token), "company:alice");
    assert.equal(await client.call(body.access_token), 200);
    assert.deepEqual(complaints(window), []);
  },

  async "back from one provider the other can be taken"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await window.page.getByLabel("Company account").check();
    await press(window.page, "Allow");
    await window.page.locator("[name=login]").waitFor();
    await window.page.goBack();
    await window.page.getByLabel("Development login").check();
    await press(window.page, "Allow");
    await signIn(window.page, "alice@example.com");
    await arrive(window.page);
    const { body } = await client.redeem(client.answers[0].code, request);
    assert.equal(subject(body.access_token), "development:alice@example.com");
  },

  async "saying no at the provider is told to the client"(stage) {
    const [window, client] = [await stage.window(), await stage.client()];
    const request = client.begin();
    await window.goto(request.url);
    await window.page.getByLabel("Company account").check();
    await press(window.page, "Allow");
    await window.page.locator("[name=login]").waitFor();
    await window.page.getByRole("link", { name: "Cancel" }).click();
    await arrive(window.page);
    const [{ error, state }] = client.answers;
    assert.deepEqual({ error, state }, { error: "access_denied", state: request.state });
  },

  async "one's own pages offer both"(stage) {
    const window = await stage.window();
    await window.goto(`${stage.issuer}/connections`);
    await heading(window.page, /^Sign in to/);
    await press(window.page, "Continue with Company account");
    await signInThere(window.page, "carol");
    await heading(window.page, "My connections");
    assert.match(await window.page.locator("main").innerText(), /carol@example\.com/);
    await press(window.page, "Sign out");
    await window.page.getByRole("link", { name: "My connections" }).click();
    await press(window.page, "Continue with Development login");
    await signIn(window.page, "bob@example.com");
    await heading(window.page, "My connections");
    assert.match(await window.page.locator("main").innerText(), /bob@example\.com/);
    assert.deepEqual(complaints(window), []);
  },
};
