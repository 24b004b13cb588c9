// A certified OpenID Connect provider for the tests: `node server.mjs PORT`. State lives in memory.
//
// Alice, Bob and Carol sign in with any password, on pages that are plain forms. Clients register themselves (RFC 7591).
// Claims stand at userinfo only, as this provider has it. A refresh token is given for `offline_access`, which needs
// `prompt=consent`. For a resource (RFC 8707) the access tokens are opaque, as all others are; `/token/introspection` tells what
// they mean, and `/token/revocation` takes them back; they are bound to the key of a client that proves one (DPoP). An account is disabled and enabled with POST /test/accounts/NAME and `{"disabled": true}`.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const accounts = {
  alice: { name: "Alice", preferred_username: "alice", email: "alice@example.com", email_verified: true, groups: ["staff", "ops"] },
  bob: { name: "Bob", preferred_username: "bob", email: "bob@example.com", email_verified: false, groups: [] },
  carol: { name: "Carol", preferred_username: "carol", email: "carol@example.com", email_verified: true, groups: ["staff"] },
};
const disabled = new Set();

const key = (type, options, use) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), ...use });

const provider = new Provider(issuer, {
  clients: [],
  features: {
    registration: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async (_context, resource) => ({
        scope: "mcp:read mcp:write",
        audience: resource,
        accessTokenFormat: "opaque",
      }),
    },
  },
  jwks: {
    keys: [
      key("rsa", { modulusLength: 2048 }, { kid: "rsa", use: "sig", alg: "RS256" }),
      key("ec", { namedCurve: "P-256" }, { kid: "ec", use: "sig", alg: "ES256" }),
    ],
  },
  cookies: { keys: ["only on this machine, only in tests"] },
  scopes: ["openid", "offline_access"],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["name", "preferred_username"],
    groups: ["groups"],
  },
  pkce: { required: () => true },
  async findAccount(_context, name) {
    const known = accounts[name];
    if (!known || disabled.has(name)) return undefined;
    return { accountId: name, claims: async () => ({ sub: name, ...known }) };
  },
});

function setAccount(request, response) {
  const name = request.url.split("/").pop();
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    if (JSON.parse(body).disabled) disabled.add(name);
    else disabled.delete(name);
    response.writeHead(204).end();
  });
}

const answer = provider.callback();
const server = createServer((request, response) => {
  if (request.method === "POST" && request.url.startsWith("/test/accounts/")) setAccount(request, response);
  else answer(request, response);
});
// Longer than clients keep theirs: who closes first must be the client, or a request meets a closed connection.
server.keepAliveTimeout = 120_000;
server.listen(port, "127.0.0.1", () => console.log(`listening on ${issuer}`));
