// The OAuth client provider that both versions of the SDK ask for: a file for what is kept, a program for the browser.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const REDIRECT_URI = "http://localhost:3030/callback";

export class Provider {
  #file;
  #kept;
  #browser;
  #state;
  /** The query of the last authorization response. */
  answer;

  constructor(options, clientName) {
    this.#file = join(options.store, "kept.json");
    this.#kept = existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, "utf8")) : {};
    this.#browser = options.browser;
    this.clientMetadataUrl = options["client-document"];
    this.clientMetadata = {
      client_name: clientName,
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  redirectUrl = REDIRECT_URI;

  kept = () => ({ tokens: this.#kept.tokens, client: this.#kept.client });

  state() {
    this.#state = randomUUID();
    return this.#state;
  }

  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => this.#keep({ client });
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => this.#keep({ tokens });
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => this.#keep({ verifier });
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => this.#keep({ discovery });

  invalidateCredentials(scope) {
    const all = ["client", "tokens", "verifier", "discovery"];
    for (const name of scope === "all" ? all : [scope]) this.#keep({ [name]: undefined });
  }

  /** The person walks from here to the redirect URI; nobody listens there. */
  async redirectToAuthorization(url) {
    const { stdout } = await promisify(execFile)(this.#browser, [url.href]);
    this.answer = new URL(stdout.trim()).searchParams;
    if (this.answer.get("state") !== this.#state) throw new Error(`the state is not ours: ${this.answer}`);
    if (!this.answer.has("code")) throw new Error(`the authorization server answered ${this.answer}`);
  }

  #keep(news) {
    Object.assign(this.#kept, news);
    writeFileSync(this.#file, JSON.stringify(this.#kept));
  }
}

/**
 * Connects; when the person had to be asked, finishes the sign-in and connects anew, as the SDK's documents tell. A call
 * for which the person had to be asked is made once more.
 */
export async function connectSignedIn(provider, newClient, newTransport, finishAuth, UnauthorizedError) {
  const asked = (error) => error instanceof UnauthorizedError && provider.answer;
  let [client, transport] = [newClient(), newTransport()];
  try {
    await client.connect(transport);
  } catch (error) {
    if (!asked(error)) throw error;
    await finishAuth(transport, provider.answer);
    [client, transport] = [newClient(), newTransport()];
    await client.connect(transport);
  }
  const callTool = async (params) => {
    try {
      return await client.callTool(params);
    } catch (error) {
      if (!asked(error)) throw error;
      await finishAuth(transport, provider.answer);
      return client.callTool(params);
    }
  };
  return { client, callTool };
}
