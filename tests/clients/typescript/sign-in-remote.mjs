// Signs in with mcp-remote, as an editor that speaks stdio only would start it. The options are those of sign-in.mjs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { signIn } from "./sign-in.mjs";

const PROGRAM = fileURLToPath(new URL("node_modules/mcp-remote/dist/proxy.js", import.meta.url));

await signIn(async (options) => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, options.url.href],
    // Nothing of a desktop, so that its own xdg-open comes to BROWSER.
    env: { ...getDefaultEnvironment(), HOME: options.store, MCP_REMOTE_CONFIG_DIR: options.store, BROWSER: options.browser },
    stderr: "inherit",
  });
  // While it waits for a person, it outlives the end of its input.
  process.on("exit", () => transport.pid && process.kill(transport.pid, "SIGKILL"));
  const client = new Client({ name: "sign-in-remote", version: "1.0.0" });
  await client.connect(transport, { timeout: 60_000 });
  return { client, callTool: (params) => client.callTool(params), kept: () => kept(options.store) };
});

/** What it wrote, in a folder named after its version. */
function kept(store) {
  const files = readdirSync(store, { recursive: true });
  const read = (name) => JSON.parse(readFileSync(join(store, files.find((file) => file.endsWith(name))), "utf8"));
  return { tokens: read("tokens.json"), client: read("client_info.json") };
}
