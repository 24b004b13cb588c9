// Connects with version 2 of the official TypeScript SDK, which speaks both protocol eras.
//
//   connect-v2.mjs --url http://mcp.example.com:8080/mcp --connect-to 127.0.0.1:8080 --token T
//                  [--transport streamable|sse] [--era legacy|modern] [--countdown N]
//                  [--tool NAME --arguments JSON]
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { authorized, run } from "./session.mjs";

await run(async (options, fetch) => {
  const Transport = options.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(options.url, { fetch, requestInit: authorized(options) });
  const mode = options.era === "modern" ? "auto" : "legacy";
  const client = new Client({ name: "connect-v2", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  const callTool = (params, requestOptions) => client.callTool(params, requestOptions);
  return { client, callTool, protocolVersion: client.getNegotiatedProtocolVersion() };
});
