// The stops of Tab on each page, in order.
//
//   { "urls": ["http://…"] }
export default async function (browser, { urls }) {
  const window = await browser.open();
  const stops = [];
  for (const url of urls) {
    await window.goto(url);
    stops.push(await window.tabStops());
  }
  return stops;
}
