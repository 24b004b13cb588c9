// Connects with version 2 of the official TypeScript SDK by assertions of a company's identity provider (ID-JAG): no page.
//
//   --url URL --issuer URL --client ID --secret SECRET --assertion JWT... [--tool NAME --arguments JSON]...
//
// Calls each tool in turn; a fresh assertion is taken from the list whenever the SDK asks for one. Prints one JSON object:
// `answers`, `tokens`, and `asked`, what each assertion was asked for. Exits 1 with `error` otherwise.
import { parseArgs } from "node:util";
import { Client, CrossAppAccessProvider, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const DEADLINE_MS = 60_000;
const report = { answers: [], asked: [] };
const deadline = setTimeout(() => finish({ ...report, error: "timed out" }), DEADLINE_MS);

const text = { type: "string" };
const list = { type: "string", multiple: true };
const { values: options } = parseArgs({
  options: { url: text, issuer: text, client: text, secret: text, assertion: list, tool: list, arguments: list },
});

const provider = new CrossAppAccessProvider({
  clientId: options.client,
  clientSecret: options.secret,
  expectedIssuer: options.issuer,
  assertion: async ({ authorizationServerUrl, resourceUrl }) => {
    report.asked.push([authorizationServerUrl, resourceUrl].map((url) => String(url).replace(/\/$/, "")));
    return options.assertion[report.asked.length - 1];
  },
});

try {
  const transport = new StreamableHTTPClientTransport(new URL(options.url), { authProvider: provider });
  const client = new Client({ name: "company", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(transport);
  for (const [index, name] of options.tool.entries()) {
    const result = await client.callTool({ name, arguments: JSON.parse(options.arguments[index]) });
    report.answers.push(result.content.map((block) => block.text ?? "").join(""));
  }
} catch (error) {
  report.error = String(error?.stack ?? error).slice(0, 2000);
}
clearTimeout(deadline);
finish({ ...report, tokens: provider.tokens() });

/** Open streams would keep the process alive, hence the exit. */
function finish(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit("error" in outcome ? 1 : 0));
}
