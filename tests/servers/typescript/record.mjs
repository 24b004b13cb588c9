// What ran, in order: the tools write it down, the tests ask for it past every proxy.

const ran = [];

/** A tool that does nothing but leave a trace. */
export function tool(endpoint, name) {
  return async () => {
    ran.push(`${endpoint} ${name}`);
    return { content: [{ type: "text", text: name }] };
  };
}

/** Which tools an endpoint has. */
export const TOOLS = ["read", "write"];

/** The endpoint is the first segment of the path: each has its own policy at the proxy. */
export function endpointOf(url) {
  return `/${url.split(/[/?]/)[1]}`;
}

/** Answers `GET /ran`; tells whether it did. */
export function answered(request, response) {
  if (request.method !== "GET" || request.url !== "/ran") return false;
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(ran));
  return true;
}

/** Listens on a free port and says which. */
export function listen(server) {
  server.keepAliveTimeout = 120_000; // proxies keep idle connections for up to 90 s
  server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}/mcp`));
}
