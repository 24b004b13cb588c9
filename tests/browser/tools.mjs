// What scenarios work with: a browser without a network, windows that keep every complaint, and the checks of a page.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export class Browser {
  #browser;

  // CHROMIUM names another browser than the system's.
  static async launch() {
    const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
    if (!executablePath) throw new Error("there is no chromium; run scripts/install-tools.sh");
    const browser = new Browser();
    browser.#browser = await chromium.launch({
      executablePath,
      args: [
        // Names of the tests lead to this machine, all others nowhere.
        "--host-resolver-rules=MAP *.example.com 127.0.0.1,MAP *.localhost 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost",
        "--no-proxy-server",
        // Measured as on a phone, on which scroll bars take no room.
        "--hide-scrollbars",
      ],
    });
    return browser;
  }

  // A window with cookies of its own. `options` are those of Playwright's newContext; `width` and `height` for short.
  async open({ width = 1280, height = 800, ...options } = {}) {
    const context = await this.#browser.newContext({ viewport: { width, height }, ...options });
    context.setDefaultTimeout(30_000);
    return new Window(await context.newPage());
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

  close() {
    return this.page.context().close();
  }
}
