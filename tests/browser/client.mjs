// An OAuth client as MCP clients are: registers itself, sends people to sign in, waits for the answer on an address of its
// own, redeems codes with PKCE.
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";

const ANSWERED = "<!doctype html><html lang=en><title>Client</title><link rel=icon href='data:,'><p id=end>Back at the client.</p>";

export class Client {
  // What came to the redirect URI, in order: the parameters as an object.
  answers = [];

  // `host` is where answers go; with `tls` (key and certificate) by https.
  static async register(issuer, { name = "Example Editor", host = "127.0.0.1", tls } = {}) {
    const client = new Client();
    const listener = tls
      ? createSecureServer(tls, (request, response) => client.#take(request, response))
      : createServer((request, response) => client.#take(request, response));
    await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));
    client.listener = listener;
    client.issuer = issuer;
    client.home = `${tls ? "https" : "http"}://${host}:${listener.address().port}`;
    client.redirectUri = `${client.home}/callback`;
    const registered = await client.#post("/register", "application/json", JSON.stringify({
      client_name: name,
      redirect_uris: [client.redirectUri],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
    }));
    if (registered.status !== 201) throw new Error(`not registered: ${JSON.stringify(registered)}`);
    client.id = registered.body.client_id;
    return client;
  }

  #take(request, response) {
    const url = new URL(request.url, this.home);
    if (url.pathname === "/callback") this.answers.push(Object.fromEntries(url.searchParams));
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(ANSWERED);
  }

  // A new authorization request: its address, and what the client keeps of it.
  begin(more = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const state = randomBytes(12).toString("base64url");
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.id,
      redirect_uri: this.redirectUri,
      state,
      scope: "mcp:read",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...more,
    });
    return { url: `${this.issuer}/authorize?${query}`, state, verifier };
  }

  redeem(code, { verifier }) {
    return this.#token({ grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: this.redirectUri });
  }

  refresh(token) {
    return this.#token({ grant_type: "refresh_token", refresh_token: token });
  }

  #token(form) {
    const body = new URLSearchParams({ client_id: this.id, ...form }).toString();
    return this.#post("/token", "application/x-www-form-urlencoded", body);
  }

  // The status of a first request to the MCP server, through the proxy.
  async call(token) {
    const hello = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
    };
    const answer = await fetch(`${this.issuer}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(hello),
    });
    await answer.body?.cancel();
    return answer.status;
  }

  async #post(path, type, body) {
    const answer = await fetch(this.issuer + path, { method: "POST", headers: { "content-type": type }, body });
    return { status: answer.status, body: await answer.json() };
  }

  close() {
    this.listener.closeAllConnections();
    this.listener.close();
  }
}
