// What both clients do: options in, a few calls, one JSON object out. `http` lists the requests that were made.
import { parseArgs } from "node:util";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";

const DEADLINE_MS = 120_000;

/**
 * Calls a few tools and prints the report.
 * `connect(options, fetch)` gives `{ client, callTool(params, requestOptions), protocolVersion }`.
 */
export async function run(connect) {
  const report = { http: [] };
  const deadline = setTimeout(() => finish({ ...report, error: "timed out" }), DEADLINE_MS);
  try {
    const options = readOptions();
    const { client, callTool, protocolVersion } = await connect(options, pinnedFetch(options["connect-to"], report.http));
    report.protocol_version = protocolVersion;
    if (options.era === "modern" && report.protocol_version !== "2026-07-28") {
      throw new Error(`the server speaks ${report.protocol_version}, not 2026-07-28`);
    }
    report.tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
    if (options.tool) {
      report.answer = textOf(await callTool({ name: options.tool, arguments: JSON.parse(options.arguments) }));
    } else {
      report.whoami = JSON.parse(textOf(await callTool({ name: "whoami", arguments: {} })));
      report.echo = textOf(await callTool({ name: "echo", arguments: { message: "hello" } }));
      if (options.countdown > 0) report.countdown = await countDown(callTool, options.countdown);
    }
    await client.transport?.terminateSession?.();
    await client.close();
  } catch (error) {
    report.error = String(error).slice(0, 500);
  }
  clearTimeout(deadline);
  finish(report);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      "connect-to": { type: "string" },
      token: { type: "string", default: "" },
      transport: { type: "string", default: "streamable" },
      era: { type: "string", default: "legacy" },
      countdown: { type: "string", default: "0" },
      tool: { type: "string", default: "" },
      arguments: { type: "string", default: "{}" },
    },
  });
  if (!values.url || !values["connect-to"]) throw new Error("--url and --connect-to are required");
  return { ...values, url: new URL(values.url), countdown: Number(values.countdown) };
}

/** `fetch` that sends every request to one address, with the URL's own Host header: the name need not resolve. */
function pinnedFetch(address, exchanges) {
  const [, hostname, port] = address.match(/^(.*):(\d+)$/);
  const connect = buildConnector({});
  const dispatcher = new Agent({
    bodyTimeout: 0, // an event stream may be silent for long
    connect: (target, done) => connect({ ...target, hostname, port }, done),
  });
  return async (url, init) => {
    const response = await undiciFetch(url, { ...init, dispatcher });
    const challenge = response.headers.get("www-authenticate");
    const exchange = { method: init?.method ?? "GET", path: new URL(url).pathname, status: response.status };
    exchanges.push(challenge ? { ...exchange, www_authenticate: challenge } : exchange);
    return response;
  };
}

/** How many progress notifications came, and how far apart: a buffering proxy delivers them all at once. */
async function countDown(callTool, seconds) {
  const arrivals = [];
  const onprogress = () => arrivals.push(performance.now());
  const result = await callTool({ name: "countdown", arguments: { seconds } }, { onprogress, timeout: DEADLINE_MS });
  const spread = arrivals.length ? (arrivals.at(-1) - arrivals[0]) / 1000 : 0;
  return { events: arrivals.length, spread_seconds: Math.round(spread * 1000) / 1000, result: textOf(result) };
}

export function authorized(options) {
  return options.token ? { headers: { Authorization: `Bearer ${options.token}` } } : {};
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
