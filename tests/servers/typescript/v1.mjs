// A server on version 1 of the official TypeScript SDK as its own Express application serves it: bodies are parsed, and
// decompressed, by Express. Streamable HTTP without sessions, and the older transport at `…sse` and `…messages`.
import { createServer } from "node:http";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { answered, endpointOf, listen, TOOLS, tool } from "./record.mjs";

function build(endpoint) {
  const server = new McpServer({ name: "attacked-v1", version: "1.0.0" });
  for (const name of TOOLS) server.registerTool(name, {}, tool(endpoint, name));
  return server;
}

const sessions = new Map();
// Any other host than a loopback one: the proxy has judged the Host.
const app = createMcpExpressApp({ host: "any" });
for (const open of ["", "open-"]) {
  app.get(`/${open}sse`, async (request, response) => {
    const transport = new SSEServerTransport(`/${open}messages`, response);
    sessions.set(transport.sessionId, transport);
    await build(endpointOf(request.url)).connect(transport);
  });
  app.post(`/${open}messages`, async (request, response) => {
    const transport = sessions.get(request.query.sessionId);
    if (!transport) return response.status(404).end();
    await transport.handlePostMessage(request, response, request.body);
  });
}
app.use(async (request, response) => {
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await build(endpointOf(request.originalUrl)).connect(transport);
  await transport.handleRequest(request, response, request.body);
});

listen(createServer((request, response) => answered(request, response) || app(request, response)));
