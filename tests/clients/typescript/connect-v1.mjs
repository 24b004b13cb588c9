// Connects with version 1 of the official TypeScript SDK, which speaks the initialize-era protocols only.
//
//   connect-v1.mjs --url http://mcp.example.com:8080/mcp --connect-to 127.0.0.1:8080 --token T
//                  [--transport streamable|sse] [--countdown N]
//                  [--tool NAME --arguments JSON]
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { authorized, run } from "./session.mjs";

await run(async (options, fetch) => {
  const Transport = options.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  const transport = new Transport(options.url, { fetch, requestInit: authorized(options) });
  // The client keeps the negotiated version to itself, but tells its transport.
  let protocolVersion;
  const tellTransport = transport.setProtocolVersion.bind(transport);
  transport.setProtocolVersion = (version) => {
    protocolVersion = version;
    tellTransport(version);
  };
  const client = new Client({ name: "connect-v1", version: "1.0.0" });
  await client.connect(transport);
  const callTool = (params, requestOptions) => client.callTool(params, undefined, requestOptions);
  return { client, callTool, protocolVersion };
});
