// A server on version 2 of the official TypeScript SDK, with its defaults: both eras, without sessions.
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { answered, endpointOf, listen, TOOLS, tool } from "./record.mjs";

const handlers = new Map();

function handlerOf(endpoint) {
  if (!handlers.has(endpoint)) handlers.set(endpoint, toNodeHandler(createMcpHandler(() => build(endpoint))));
  return handlers.get(endpoint);
}

function build(endpoint) {
  const server = new McpServer({ name: "attacked-v2", version: "1.0.0" });
  for (const name of TOOLS) server.registerTool(name, { inputSchema: z.object({}).loose() }, tool(endpoint, name));
  // Its `tenant` is repeated in `Mcp-Param-Tenant`, which the SDK compares with the body.
  const tenant = z.string().meta({ "x-mcp-header": "Tenant" }).optional();
  server.registerTool("query", { inputSchema: z.object({ tenant }) }, tool(endpoint, "query"));
  return server;
}

listen(
  createServer((request, response) => {
    if (!answered(request, response)) handlerOf(endpointOf(request.url))(request, response);
  }),
);
