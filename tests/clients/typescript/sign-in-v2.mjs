// Signs in with version 2 of the official TypeScript SDK, from nothing but a URL. The options are those of sign-in.mjs.
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { connectSignedIn, Provider } from "./provider.mjs";
import { signIn } from "./sign-in.mjs";

await signIn(async (options) => {
  const provider = new Provider(options, "TypeScript SDK v2");
  // One key for the life of the process: its tokens are bound to it (RFC 9449).
  const session = options.dpop ? await DpopSession.create() : undefined;
  if (session) provider.dpop = () => session;
  const versionNegotiation = { mode: "auto" };
  const newClient = () => new Client({ name: "sign-in-v2", version: "1.0.0" }, { versionNegotiation });
  const newTransport = () => new StreamableHTTPClientTransport(options.url, { authProvider: provider });
  // With the whole answer, so that the SDK compares `iss` (RFC 9207).
  const finishAuth = (transport, answer) => transport.finishAuth(answer);
  const { client, callTool } = await connectSignedIn(provider, newClient, newTransport, finishAuth, UnauthorizedError);
  return { client, callTool, kept: provider.kept };
});
