// Signs in with version 1 of the official TypeScript SDK, from nothing but a URL. The options are those of sign-in.mjs.
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { connectSignedIn, Provider } from "./provider.mjs";
import { signIn } from "./sign-in.mjs";

await signIn(async (options) => {
  const provider = new Provider(options, "TypeScript SDK v1");
  const newClient = () => new Client({ name: "sign-in-v1", version: "1.0.0" });
  const newTransport = () => new StreamableHTTPClientTransport(options.url, { authProvider: provider });
  const finishAuth = (transport, answer) => transport.finishAuth(answer.get("code"));
  const { client, callTool } = await connectSignedIn(provider, newClient, newTransport, finishAuth, UnauthorizedError);
  return { client, callTool, kept: provider.kept };
});
