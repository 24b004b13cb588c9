// Opens a protected page, signs in with the development login, and tries what other sites may try.
//
//   { "page", "again", "post", "elsewhere", "signOut": addresses, "email": "alice@example.com" }
export default async function (browser, { page: address, again, post, elsewhere, signOut, email }) {
  const window = await browser.open();
  const { page } = window;
  await window.goto(address);
  const form = page.url().split("?")[0];
  await page.getByLabel("E-mail address").fill(email);
  const arrival = page.waitForResponse((answer) => answer.url() === address && answer.status() === 200);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  const arrived = await arrival;
  await page.waitForURL(address);

  const reload = await page.goto(again);
  let redirects = 0;
  for (let from = reload.request().redirectedFrom(); from; from = from.redirectedFrom()) redirects += 1;
  const cookieForScripts = await page.evaluate(() => document.cookie);
  const ownPost = await page.evaluate(
    (url) => fetch(url, { method: "POST", body: "{}" }).then((answer) => answer.status),
    post,
  );

  // A page of another host: the script's answer is not for it, and its request must not be answered as somebody's.
  await page.goto(elsewhere);
  const foreignFetch = await page.evaluate(
    (url) =>
      fetch(url, { method: "POST", body: "{}", credentials: "include", headers: { "Content-Type": "text/plain" } }).then(
        (answer) => answer.status,
        () => "refused",
      ),
    post,
  );

  await page.goto(again);
  await page.evaluate(
    (url) => fetch(url, { method: "POST", body: new URLSearchParams({ a: "b" }) }).then((answer) => answer.status),
    signOut,
  );
  await page.goto(address);
  const afterSignOut = page.url().split("?")[0];
  await window.close();
  return {
    form,
    arrived: { url: arrived.url(), status: arrived.status() },
    reloaded: { redirects, status: reload.status() },
    cookieForScripts,
    ownPost,
    foreignFetch,
    afterSignOut,
  };
}
