"""Connects with the official Python SDK, calls a few tools and prints what happened as one JSON object.

    connect.py --url http://mcp.example.com:8080/mcp --connect-to 127.0.0.1:8080 --token T
               [--transport streamable|sse] [--era legacy|modern] [--countdown N] [--tool NAME --arguments JSON]

Exits 0 when every step worked. Else exits 1 and the object has `error`. Either way `http` lists the requests made.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from typing import Any

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

MODERN = "2026-07-28"
DEADLINE_SECONDS = 120


class ConnectTo(httpx2.AsyncHTTPTransport):
    """Sends every request to one address, with the URL's own Host header: the name need not resolve."""

    def __init__(self, address: str, exchanges: list[dict[str, Any]]) -> None:
        super().__init__()
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.exchanges = exchanges

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(
            httpx2.Request(
                request.method,
                request.url.copy_with(host=self.host, port=self.port),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )
        exchange = {"method": request.method, "path": request.url.path, "status": response.status_code}
        challenge = response.headers.get("www-authenticate")
        self.exchanges.append({**exchange, "www_authenticate": challenge} if challenge else exchange)
        return response


async def run(options: argparse.Namespace, report: dict[str, Any]) -> None:
    transport = open_transport(options, report["http"])
    # Pinning the modern version would skip `server/discover`; "auto" asks, and the check below proves the era.
    mode = "auto" if options.era == "modern" else "legacy"
    async with asyncio.timeout(DEADLINE_SECONDS), Client(transport, mode=mode) as client:
        report["protocol_version"] = client.protocol_version
        if options.era == "modern" and client.protocol_version != MODERN:
            raise RuntimeError(f"the server speaks {client.protocol_version}, not {MODERN}")
        report["tools"] = sorted(tool.name for tool in (await client.list_tools()).tools)
        if options.tool:
            report["answer"] = text_of(await client.call_tool(options.tool, json.loads(options.arguments)))
            return
        report["whoami"] = json.loads(text_of(await client.call_tool("whoami", {})))
        report["echo"] = text_of(await client.call_tool("echo", {"message": "hello"}))
        if options.countdown > 0:
            report["countdown"] = await count_down(client, options.countdown)


def open_transport(options: argparse.Namespace, exchanges: list[dict[str, Any]]) -> Any:
    authorization = {"Authorization": f"Bearer {options.token}"} if options.token else {}

    def http_client(
        headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=ConnectTo(options.connect_to, exchanges),
            headers={**authorization, **(headers or {})},
            timeout=timeout or DEADLINE_SECONDS,
            auth=auth,
        )

    if options.transport == "sse":
        return sse_client(options.url, httpx_client_factory=http_client)
    return streamable_http_client(options.url, http_client=http_client())


async def count_down(client: Client, seconds: int) -> dict[str, Any]:
    """How many progress notifications came, and how far apart: a buffering proxy delivers them all at once."""
    arrivals: list[float] = []

    async def arrived(_progress: float, _total: float | None, _message: str | None) -> None:
        arrivals.append(time.monotonic())

    result = text_of(await client.call_tool("countdown", {"seconds": seconds}, progress_callback=arrived))
    spread = arrivals[-1] - arrivals[0] if arrivals else 0.0
    return {"events": len(arrivals), "spread_seconds": round(spread, 3), "result": result}


def text_of(result: CallToolResult) -> str:
    text = "".join(getattr(block, "text", "") for block in result.content)
    if result.is_error:
        raise RuntimeError(f"the tool failed: {text}")
    return text


def causes(error: BaseException) -> str:
    """The leaves of nested exception groups: the SDK wraps what went wrong in several of them."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(causes(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"[:500]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--connect-to", required=True, metavar="HOST:PORT")
    parser.add_argument("--token", default="")
    parser.add_argument("--transport", choices=["streamable", "sse"], default="streamable")
    parser.add_argument("--era", choices=["legacy", "modern"], default="legacy")
    parser.add_argument("--countdown", type=int, default=0)
    parser.add_argument("--tool", default="")
    parser.add_argument("--arguments", default="{}", metavar="JSON")
    return parser.parse_args()


class Swallowed(logging.Handler):
    """Exceptions that the SDK logs and does not raise: without them a broken stream looks like one that just ended."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.causes.append(causes(record.exc_info[1]))


def main() -> int:
    options = parse_options()
    report: dict[str, Any] = {"http": []}
    swallowed = Swallowed()
    logging.getLogger("mcp").addHandler(swallowed)
    logging.getLogger("mcp").setLevel(logging.DEBUG)
    try:
        asyncio.run(run(options, report))
    except Exception as error:
        report["error"] = "; ".join([causes(error), *swallowed.causes])
    print(json.dumps(report))
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())
