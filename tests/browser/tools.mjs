// What scenarios work with: a browser without a network, windows that keep every complaint, and the checks of a page.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

// Of one step, in milliseconds: on a busy machine.
const TIMEOUT = 60_000;
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const ARGUMENTS = [
  // Names of the tests lead to this machine, all others nowhere.
  "--host-resolver-rules=MAP *.example.com 127.0.0.1,MAP *.localhost 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost",
  "--no-proxy-server",
  // Measured as on a phone, on which scroll bars take no room.
  "--hide-scrollbars",
];

export class Browser {
  #browser;
  #options;

  // CHROMIUM names another browser than the system's.
  static async launch() {
    const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
    if (!executablePath) throw new Error("there is no chromium; run scripts/install-tools.sh");
    const browser = new Browser();
    browser.#options = { executablePath, args: ARGUMENTS };
    browser.#browser = await chromium.launch(browser.#options);
    return browser;
  }

  // A window with cookies of its own. `options` are those of Playwright's newContext; `width` and `height` for short.
  async open({ width = 1280, height = 800, ...options } = {}) {
    const context = await this.#browser.newContext({ viewport: { width, height }, ...options });
    context.setDefaultTimeout(TIMEOUT);
    return new Window(await context.newPage());
  }

  // A window that takes no cookies, as people can tell their browser: a setting of a profile, so a browser of its own.
  async openWithoutCookies() {
    const profile = mkdtempSync(join(tmpdir(), "browser-"));
    mkdirSync(join(profile, "Default"));
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
    const context = await chromium.launchPersistentContext(profile, this.#options);
    context.setDefaultTimeout(TIMEOUT);
    const window = new Window(context.pages()[0] ?? (await context.newPage()));
    window.profile = profile;
    return window;
  }

  close() {
    return this.#browser?.close();
  }
}

export class Window {
  // Everything that went wrong and that nobody asked for: violations of the security policy, errors on the console,
  // requests that failed, dialogs.
  complaints = [];

  constructor(page) {
    this.page = page;
    this.#listenTo(page);
    page.context().on("page", (popup) => this.#listenTo(popup));
  }

  #listenTo(page) {
    const complain = (what) => this.complaints.push(what);
    // An answer with an error status is what some pages are; the browser writes it to the console all the same.
    const isStatus = (text) => text.startsWith("Failed to load resource: the server responded with a status of");
    page.on("console", (message) => {
      if (message.type() === "error" && !isStatus(message.text())) complain(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => complain(`script: ${error.message}`));
    page.on("requestfailed", (request) => {
      const isKeptBack = this.home && new URL(request.url()).origin !== this.home;
      if (!isKeptBack) complain(`request: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on("dialog", (dialog) => {
      complain(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }

  // What was complained about since the last call.
  takeComplaints() {
    return this.complaints.splice(0);
  }

  goto(url) {
    return this.page.goto(url);
  }

  // Another tab, with the same cookies.
  async tab(url) {
    const page = await this.page.context().newPage();
    if (url) await page.goto(url);
    return page;
  }

  // Presses Tab until the control with this name has the focus.
  async focus(name) {
    for (let count = 0; count < 50; count += 1) {
      await this.page.keyboard.press("Tab");
      const focused = await this.page.evaluate(() => {
        const element = document.activeElement;
        return (element.labels?.[0] ?? element).innerText.trim();
      });
      if (focused === name) return;
    }
    throw new Error(`Tab never reaches ${name}`);
  }

  // What the first form with a token would post.
  fields(page = this.page) {
    return page.locator("form:has([name=csrf])").last().evaluate((form) => Object.fromEntries(new FormData(form)));
  }

  // Asks with this window's cookies, beside its page, and follows redirects. `next`: where the page would go on by itself.
  async get(url, options = { method: "GET" }) {
    const answer = await this.page.context().request.fetch(url, options);
    const text = await answer.text();
    const next = /content="0;url=([^"]*)"/.exec(text)?.[1].replace(/&#38;|&amp;/g, "&");
    return { status: answer.status(), text, next };
  }

  // The same with a form.
  post(url, form) {
    return this.get(url, { method: "POST", form });
  }

  // Keeps the browser at this origin, so that a page which goes on by itself can be looked at: after an answer without
  // content a browser stays where it is.
  async stayAt(origin) {
    this.home = origin;
    await this.page.context().route(
      (url) => url.origin !== origin,
      (route) => route.fulfill({ status: 204 }),
    );
  }

  // Everything that axe finds wrong, of whatever weight: one line each.
  async accessibilityFaults() {
    // Evaluated from outside, so that the page's own policy stays in force.
    await this.page.evaluate(axe.source);
    const results = await this.page.evaluate(() =>
      window.axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        resultTypes: ["violations"],
      }),
    );
    return results.violations.flatMap(({ id, impact, nodes }) =>
      nodes.map((node) => `${impact} ${id}: ${node.html} ${node.failureSummary}`),
    );
  }

  // Whatever reaches beyond the window's sides, and whether the page can be scrolled there.
  async overflow() {
    return this.page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      const beyond = [...document.body.querySelectorAll("*:not(.unseen)")]
        .filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
        })
        .map((element) => `${element.tagName.toLowerCase()} reaches beyond the side`);
      const scrolls = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
      return [...scrolls, ...new Set(beyond)];
    });
  }

  // Everything that is wrong with the page. Complaints first: what axe does to the page is not the page's.
  async faults() {
    const complaints = this.takeComplaints();
    const overflow = await this.overflow();
    const accessibility = await this.accessibilityFaults();
    this.takeComplaints();
    const scripts = await this.page.locator("script").count();
    return [...complaints, ...overflow, ...accessibility, ...(scripts ? ["there is a script"] : [])];
  }

  // Presses Tab until the focus comes round; tells each stop's name, and whether it can be seen there.
  async tabStops() {
    const stops = [];
    for (let count = 0; count < 50; count += 1) {
      await this.page.keyboard.press("Tab");
      const stop = await this.page.evaluate(() => {
        const element = document.activeElement;
        const known = (window.knownStops ??= new Set([null, document.body]));
        if (known.has(element)) return null;
        known.add(element);
        const outline = getComputedStyle(element.closest(".choice") ?? element);
        const shown = outline.outlineStyle !== "none" && parseFloat(outline.outlineWidth) >= 2;
        const name = element.labels?.[0]?.innerText ?? element.innerText;
        return { name: name.trim().replace(/\s+/g, " "), shown };
      });
      if (!stop) return stops;
      stops.push(stop);
    }
    throw new Error(`the focus does not come round: ${JSON.stringify(stops)}`);
  }

  // A picture of the whole page, only where somebody wants to look: BROWSER_SCREENSHOTS names the folder.
  async look(name) {
    const folder = process.env.BROWSER_SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }

  async close() {
    await this.page.context().close();
    // Its processes may still write while they end.
    if (this.profile) rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
