// What the clients that sign in share: options in, one or two calls of `whoami`, one JSON object out.
//
//   --url URL          where the MCP server is, and nothing else is known
//   --store FOLDER     what is kept from run to run; empty at first
//   --browser PROGRAM  takes a URL to a person, as xdg-open does
//   --client-document URL    a client id metadata document, instead of registering
//   --dpop             proves a key with every request, where the program knows how to
//   --revoke           has the access token revoked after the first call, and calls again
//   --then NAME --arguments JSON    calls that tool after the first call, and then `whoami` again, whatever came of it
import { parseArgs } from "node:util";

const DEADLINE_MS = 90_000;

/**
 * Connects, calls, and prints the report: `answer`, `again` with --revoke or --then, `then` or
 * `then_error`, and what the client keeps: `tokens`, `client`. `connect(options)` gives `{ client, callTool(params), kept() }`.
 */
export async function signIn(connect) {
  const report = {};
  const deadline = setTimeout(() => finish({ ...report, error: "timed out" }), DEADLINE_MS);
  try {
    const options = readOptions();
    const { client, callTool, kept } = await connect(options);
    const whoami = async () => JSON.parse(textOf(await callTool({ name: "whoami", arguments: {} })));
    report.answer = await whoami();
    if (options.revoke) {
      await revoke(options.url, await kept());
      report.again = await whoami();
    }
    if (options.then) {
      const params = { name: options.then, arguments: JSON.parse(options.arguments) };
      Object.assign(report, await outcome(callTool(params)));
      report.again = await whoami();
    }
    Object.assign(report, await kept());
    await client.close();
  } catch (error) {
    report.error = String(error?.stack ?? error).slice(0, 2000);
  }
  clearTimeout(deadline);
  finish(report);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      store: { type: "string" },
      browser: { type: "string" },
      "client-document": { type: "string" },
      dpop: { type: "boolean", default: false },
      revoke: { type: "boolean", default: false },
      then: { type: "string" },
      arguments: { type: "string", default: "{}" },
    },
  });
  if (!values.url || !values.store || !values.browser) throw new Error("--url, --store and --browser are required");
  return { ...values, url: new URL(values.url) };
}

/** What a call that may be refused came to. */
async function outcome(call) {
  try {
    return { then: textOf(await call) };
  } catch (error) {
    return { then_error: String(error).slice(0, 500) };
  }
}

/** Only the access token ends (RFC 7009 §2.1 leaves it to the server whether the refresh token does, too). */
async function revoke(url, { client, tokens }) {
  const body = new URLSearchParams({ client_id: client.client_id, token: tokens.access_token });
  const response = await fetch(new URL("/revoke", url), { method: "POST", body });
  if (response.status !== 200) throw new Error(`/revoke answered ${response.status}`);
}

function textOf(result) {
  const text = result.content.map((block) => block.text ?? "").join("");
  if (result.isError) throw new Error(`the tool failed: ${text}`);
  return text;
}

/** Open streams would keep the process alive, hence the exit. */
function finish(report) {
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit("error" in report ? 1 : 0));
}
