// Looks at pages in light and dark, on phones and on a desk, and tells everything that is wrong with them.
//
//   { "pages": [{ "name": "consent", "url": "http://…" }] }, all of one origin, where the browser is kept
const WIDTHS = { narrow: 320, phone: 360, desk: 1280 };

export default async function (browser, { pages }) {
  const faults = [];
  let looks = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const [device, width] of Object.entries(WIDTHS)) {
      const window = await browser.open({ width, colorScheme, reducedMotion: "reduce" });
      await window.stayAt(new URL(pages[0].url).origin);
      for (const { name, url } of pages) {
        await window.goto(url);
        const seen = await window.faults();
        faults.push(...seen.map((fault) => `${name}, ${colorScheme}, ${device}: ${fault}`));
        looks += 1;
        await window.look(`${name}-${device}-${colorScheme}`);
      }
      await window.close();
    }
  }
  return { faults, looks };
}
