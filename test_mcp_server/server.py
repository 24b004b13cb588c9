"""Runs the test MCP server: `python test_mcp_server/server.py --host 127.0.0.1 --port 8000`."""

import argparse
import os

import uvicorn

from app import build


def main() -> None:
    options = parse_options()
    config = uvicorn.Config(
        build(),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        # The tests judge what the proxy sent: nothing here may believe or rewrite a forwarded header.
        proxy_headers=False,
        # Proxies keep idle connections for up to 90 s. Uvicorn's own 5 s would race with their next request.
        timeout_keep_alive=120,
        # An open event stream must not hold up the end of the process.
        timeout_graceful_shutdown=1,
    )
    listener = config.bind_socket()
    # Listening before the line below is printed: who reads it may connect at once.
    listener.listen(config.backlog)
    host, port = listener.getsockname()[:2]
    print(f"listening on http://{host}:{port}/mcp", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A small MCP server that tells who the proxy says is calling.")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PORT", "8000")),
        help="port to listen on; 0 takes a free one, which the first line of output names",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
