"""Which path is served by what: the MCP endpoints, the health check, and the mirror for everything else."""

from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mirror import mirror
from tools import build_server

# The SDK's protection against DNS rebinding lets only loopback names through as Host. Behind a proxy the Host is the
# public name, whatever the operator chose, and the proxy and the decision service have judged it already.
ANY_HOST = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def build() -> ASGIApp:
    """The whole server as one ASGI application."""
    server = build_server()
    streamable = server.streamable_http_app(transport_security=ANY_HOST)
    # The SDK's own default is `/messages/`, with the slash, and real servers keep it: so it is what clients are told.
    sse = server.sse_app(message_path="/messages/", transport_security=ANY_HOST)
    healthy = PlainTextResponse("ok\n")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] == "/mcp":
            # The session manager of Streamable HTTP lives as long as this application's lifespan.
            await streamable(scope, receive, send)
        elif scope["path"] == "/messages":
            # Starlette would answer the path without its slash with a redirect.
            await sse({**scope, "path": "/messages/"}, receive, send)
        elif scope["path"] in ("/sse", "/messages/"):
            await sse(scope, receive, send)
        elif scope["path"] == "/healthz":
            await healthy(scope, receive, send)
        else:
            await mirror(scope, receive, send)

    return app
