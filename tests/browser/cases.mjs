// Runs cases one after the other and tells every one that failed. A case is a sentence and a function that throws.
import { Client } from "./client.mjs";

// `cases` is an object of `async (stage) => …`; each gets a stage of its own, whose windows and clients are closed after it.
export async function runAll(browser, world, cases) {
  const failures = [];
  for (const [name, check] of Object.entries(cases)) {
    const stage = new Stage(browser, world);
    try {
      await check(stage);
    } catch (error) {
      failures.push(`${name}: ${error.stack ?? error}\n${await stage.shown()}`);
    } finally {
      await stage.close();
    }
  }
  return { ran: Object.keys(cases).length, failures };
}

// The service behind its proxy, with people and clients in front of it.
class Stage {
  #windows = [];
  #clients = [];

  constructor(browser, world) {
    this.browser = browser;
    Object.assign(this, world);
  }

  // A browser window with cookies of its own.
  async window({ cookies = true, ...options } = {}) {
    const window = await (cookies ? this.browser.open(options) : this.browser.openWithoutCookies());
    this.#windows.push(window);
    return window;
  }

  async client(options) {
    const client = await Client.register(this.issuer, options);
    this.#clients.push(client);
    return client;
  }

  // Somebody lets `client` in, from the request to the tokens.
  async connect({ page }, client, email = "alice@example.com") {
    const request = client.begin();
    await page.goto(request.url);
    await allow(page);
    await signIn(page, email);
    await arrive(page);
    const answer = client.answers.at(-1);
    const redeemed = await client.redeem(answer.code, request);
    if (redeemed.status !== 200) throw new Error(`not redeemed: ${JSON.stringify(redeemed)}`);
    return redeemed.body;
  }

  // Where every window is, for whoever reads of a failure.
  async shown() {
    const pages = this.#windows.flatMap((window) => window.page.context().pages());
    const texts = pages.map(async (page) => {
      const text = await page.locator("body").innerText({ timeout: 1_000 }).catch(() => "nothing");
      return `  at ${page.url()}: ${text.replace(/\s+/g, " ").slice(0, 300)}`;
    });
    return (await Promise.all(texts)).join("\n");
  }

  async close() {
    for (const window of this.#windows) await window.close();
    for (const client of this.#clients) client.close();
  }
}

export const press = (page, name) => page.getByRole("button", { name, exact: true }).first().click();

// Presses a button and waits for the page that comes, where it may look like the one before.
export async function submit(page, name) {
  await Promise.all([page.waitForEvent("framenavigated"), press(page, name)]);
}

// Says yes and waits for the page where one signs in.
export async function allow(page) {
  await press(page, "Allow");
  await page.getByLabel("E-mail address").waitFor();
}

export async function signIn(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await press(page, "Sign in");
}

// Waits until the browser is back at the client.
export const arrive = (page) => page.locator("#end").waitFor();

// Waits for a page with this heading; for its end with `state` "detached".
export const heading = (page, name, level = 1, state = "visible") =>
  page.getByRole("heading", { level, name }).waitFor({ state });
