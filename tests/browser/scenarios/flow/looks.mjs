// Every page of the whole way, as it really comes, on phones and on a desk, in light and dark: without a fault that axe, the
// console or a ruler finds.
import assert from "node:assert/strict";
import { allow, arrive, heading, press, runAll, signIn } from "../../cases.mjs";

export default (browser, world) => runAll(browser, world, cases);

const WIDTHS = { phone: 360, desk: 1280 };

const cases = Object.fromEntries(
  ["light", "dark"].flatMap((colorScheme) =>
    Object.entries(WIDTHS).map(([device, width]) => [
      `every page is without fault on a ${device} in ${colorScheme}`,
      async (stage) => {
        const window = await stage.window({ width, colorScheme, reducedMotion: "reduce" });
        const faults = [];
        let looks = 0;
        await wholeWay(stage, window, async (name) => {
          looks += 1;
          faults.push(...(await window.faults()).map((fault) => `${name}: ${fault}`));
          await window.look(`flow-${name}-${device}-${colorScheme}`);
        });
        assert.deepEqual(faults, []);
        assert.equal(looks, 12);
      },
    ]),
  ),
);

async function wholeWay(stage, window, lookAt) {
  const { page } = window;
  const client = await stage.client();
  const goto = (path) => window.goto(stage.issuer + path);
  await goto("/consent?request=gone");
  await lookAt("expired");
  await goto("/authorize?client_id=nobody");
  await lookAt("unknown-client");
  await window.goto(client.begin().url);
  const consent = page.url();
  await lookAt("consent");
  await allow(page);
  await lookAt("development");
  await signIn(page, "carol@example.com");
  await heading(page, "This account may not use Notes");
  await lookAt("not-allowed");
  await window.stayAt(stage.issuer);
  await press(page, "Return to Example Editor");
  await heading(page, "Continue to the app");
  await lookAt("forwarding");
  await page.context().unrouteAll();
  await page.getByRole("link", { name: "Continue" }).click();
  await arrive(page);
  await window.goto(consent);
  await lookAt("finished");
  await goto("/connections");
  await signIn(page, "carol@example.com");
  await heading(page, "My connections");
  await lookAt("connections-empty");
  await press(page, "Sign out");
  await heading(page, "You are signed out");
  await lookAt("signed-out");
  for (const name of ["Example Editor", "A client with quite a long name that goes on for a while"]) {
    await stage.connect(window, await stage.client({ name }), "bob@example.com");
  }
  await goto("/connections");
  await page.getByText("Withdraw all connections").click();
  await lookAt("connections");
  await window.post(`${stage.issuer}/sign-out`, await window.fields());
  const other = await stage.window();
  await other.goto(client.begin().url);
  await window.goto(other.page.url());
  await lookAt("other-browser");
  await goto("/authorize");
  await lookAt("no-client");
}
