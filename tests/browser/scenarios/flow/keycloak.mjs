// The login page of Keycloak itself, in the middle of a client's flow.
import assert from "node:assert/strict";
import { arrive, heading, press, runAll } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

async function signInThere(page, name) {
  await page.locator("[name=username]").fill(name);
  await page.locator("[name=password]").fill(`${name}-password`);
  await page.locator("[type=submit]").first().click();
}

async function begin(stage) {
  const [window, client] = [await stage.window(), await stage.client()];
  const request = client.begin();
  await window.goto(request.url);
  await press(window.page, "Allow");
  return { window, client, request };
}

const cases = {
  async "a person signs in there, and the client calls the server"(stage) {
    const { window, client, request } = await begin(stage);
    await signInThere(window.page, "alice");
    await arrive(window.page);
    const { body } = await client.redeem(client.answers[0].code, request);
    assert.equal(await client.call(body.access_token), 200);
  },

  async "a wrong password stays there, and the right one goes on"(stage) {
    const { window, client } = await begin(stage);
    await window.page.locator("[name=username]").fill("alice");
    await window.page.locator("[name=password]").fill("wrong");
    await window.page.locator("[type=submit]").first().click();
    await window.page.getByText("Invalid username or password").waitFor();
    assert.deepEqual(client.answers, []);
    await signInThere(window.page, "alice");
    await arrive(window.page);
    assert.ok(client.answers[0].code);
  },

  async "an account whose address nobody vouches for is told so, and gets no code"(stage) {
    const { window, client } = await begin(stage);
    await signInThere(window.page, "bob");
    await heading(window.page, /may not use/);
    assert.deepEqual(client.answers, []);
  },
};
