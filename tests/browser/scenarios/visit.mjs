// Loads pages and tells what is to be seen on them, and inside the frames on them.
//
//   { "urls": ["http://…"] }
export default async function (browser, { urls }) {
  const seen = [];
  for (const url of urls) {
    const window = await browser.open();
    const answer = await window.goto(url);
    const frames = window.page.frames().slice(1);
    seen.push({
      url,
      status: answer.status(),
      title: await window.page.title(),
      text: await window.page.locator("body").innerText(),
      frames: await Promise.all(frames.map((frame) => frame.locator("body").innerText())),
      complaints: window.takeComplaints(),
    });
    await window.close();
  }
  return seen;
}
