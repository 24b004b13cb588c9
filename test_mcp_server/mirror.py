"""Answers any request with a description of it, so that a test sees what a proxy forwarded."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Method, target as received, headers in their order (their names in lower case), length and hash of the body."""
    if scope["type"] != "http":
        return
    body_length = 0
    body_hash = sha256()
    async for chunk in Request(scope, receive).stream():
        body_length += len(chunk)
        body_hash.update(chunk)
    # `path` is decoded, so that `%2e%2e` and `..` look alike in it. Only `raw_path` is what was sent.
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    answer = JSONResponse(
        {
            "method": scope["method"],
            "target": target.decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body_length": body_length,
            "body_sha256": body_hash.hexdigest(),
        }
    )
    await answer(scope, receive, send)
