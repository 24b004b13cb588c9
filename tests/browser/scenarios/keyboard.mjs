// Goes through a page with the keyboard alone: every stop in order, then Enter on the one named `press`.
//
//   { "url": "http://…", "press": "Allow" }
export default async function (browser, { url, press }) {
  const window = await browser.open();
  await window.goto(url);
  const stops = await window.tabStops();
  const [before, after] = [window.page.url(), window.page.waitForEvent("framenavigated")];
  await window.focus(press);
  await window.page.keyboard.press("Enter");
  await after;
  return { stops, before, after: window.page.url(), complaints: window.takeComplaints() };
}
