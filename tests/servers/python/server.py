"""A server on the official Python SDK whose tools write down that they ran; see ../README.md."""

from contextlib import AsyncExitStack
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Behind a proxy the Host is the public name; the proxy has judged it.
ANY_HOST = TransportSecuritySettings(enable_dns_rebinding_protection=False)
STREAMABLE = ("/mcp", "/vouched", "/open")
RAN: list[str] = []


def build_server(endpoint: str) -> MCPServer:
    server = MCPServer("attacked-python", version="1.0.0", log_level="CRITICAL")

    @server.tool()
    def read() -> str:
        RAN.append(f"{endpoint} read")
        return "read"

    @server.tool()
    def write() -> str:
        RAN.append(f"{endpoint} write")
        return "write"

    return server


class App:
    """Streamable HTTP without sessions at three endpoints, the older transport at `…sse` and `…messages`."""

    def __init__(self) -> None:
        self.routes: dict[str, ASGIApp] = {}
        for path in STREAMABLE:
            self.routes[path] = build_server(path).streamable_http_app(
                streamable_http_path=path, stateless_http=True, transport_security=ANY_HOST
            )
        for prefix in ("/", "/open-"):
            sse = build_server(f"{prefix}sse").sse_app(
                sse_path=f"{prefix}sse", message_path=f"{prefix}messages/", transport_security=ANY_HOST
            )
            self.routes[f"{prefix}sse"] = self.routes[f"{prefix}messages/"] = sse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == "/ran":
            await JSONResponse(RAN)(scope, receive, send)
        elif scope["path"] in self.routes:
            await self.routes[scope["path"]](scope, receive, send)
        else:
            await JSONResponse({}, status_code=404)(scope, receive, send)

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Each endpoint keeps a session manager for as long as its own application lives."""

        async with AsyncExitStack() as stack:
            for path in STREAMABLE:
                app: Any = self.routes[path]
                await stack.enter_async_context(app.router.lifespan_context(app))
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    config = uvicorn.Config(
        App(),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        # Proxies keep idle connections for up to 90 s.
        timeout_keep_alive=120,
        timeout_graceful_shutdown=1,
    )
    listener = config.bind_socket()
    listener.listen(config.backlog)
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
