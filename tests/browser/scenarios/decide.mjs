// Opens a page, presses a button, and tells where the browser ends.
//
//   { "url": "http://…", "press": "Allow", "unfold": "Details", "choose": "GitHub", "fill": { "Name": "Alice" },
//     "popup": "http://…/opener" }
// `popup`: a page of another site that opens `url` in a window of its own, as clients in a browser do. Of several
// buttons with the same name the first is pressed. A list of these is decided one after the other, each in a window of
// its own.
export default async function (browser, asked) {
  if (!Array.isArray(asked)) return decide(browser, asked);
  const ends = [];
  for (const one of asked) ends.push(await decide(browser, one));
  return ends;
}

async function decide(browser, { url, press, unfold, choose, fill = {}, popup }) {
  const window = await browser.open();
  const page = popup ? await openPopup(window, popup) : window.page;
  if (!popup) await window.goto(url);
  if (unfold) await page.getByText(unfold).click();
  for (const [label, text] of Object.entries(fill)) await page.getByLabel(label).fill(text);
  if (choose) await page.getByLabel(choose).check();
  const end = settled(page);
  await page.getByRole("button", { name: press, exact: true }).first().click();
  await end;
  return {
    url: page.url(),
    text: await page.locator("body").innerText(),
    reported: popup ? await reported(window) : null,
    complaints: window.takeComplaints(),
  };
}

async function openPopup(window, popup) {
  await window.goto(popup);
  const opened = window.page.waitForEvent("popup");
  await window.page.getByRole("button").click();
  const page = await opened;
  await page.waitForLoadState();
  return page;
}

// A page of another site marks itself as the end; a form that goes nowhere leaves its error on the console.
async function settled(page) {
  const arrived = page.waitForSelector("#end");
  const blocked = page.waitForEvent("console", { predicate: (message) => message.type() === "error" });
  await Promise.any([arrived, blocked]).catch(() => {
    throw new Error(`the browser goes nowhere from ${page.url()}`);
  });
}

// What the pop-up told the page that opened it; null when that page no longer hears from it.
async function reported(window) {
  const message = window.page.waitForFunction(() => window.reported, undefined, { timeout: 60_000 });
  return message.then((handle) => handle.jsonValue()).catch(() => null);
}
