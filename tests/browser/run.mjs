// Runs one scenario in a real browser and prints its result as one JSON object.
//
//   node run.mjs SCENARIO.mjs [ARGUMENTS as JSON, or - to read them from stdin]
//
// The scenario's default export is called with the browser's tools (tools.mjs) and the arguments; what it returns is
// printed as {"ok": true, "result": …}, what it throws as {"ok": false, "error": "…"} with exit code 1.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Browser } from "./tools.mjs";

// Longer than any scenario takes on a busy machine: what hangs must end by itself.
const DEADLINE_SECONDS = 480;

const [, , scenario, written = "{}"] = process.argv;
const print = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const fail = (error) => {
  print({ ok: false, error: String(error?.stack ?? error) });
  process.exitCode = 1;
};

const deadline = setTimeout(() => {
  fail(new Error(`not done after ${DEADLINE_SECONDS} seconds`));
  process.exit(1);
}, DEADLINE_SECONDS * 1000);

let browser;
try {
  const text = written === "-" ? readFileSync(0, "utf8") : written;
  const { default: run } = await import(pathToFileURL(resolve(scenario)));
  browser = await Browser.launch();
  print({ ok: true, result: (await run(browser, JSON.parse(text))) ?? null });
} catch (error) {
  fail(error);
} finally {
  clearTimeout(deadline);
  await browser?.close();
}
