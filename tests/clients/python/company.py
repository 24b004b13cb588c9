"""Connects with the official Python SDK by assertions of a company's identity provider (ID-JAG): no page, no person.

    company.py --url URL --issuer URL --client ID --secret SECRET --assertion JWT... [--tool NAME --arguments JSON]...

Calls each tool in turn; a fresh assertion is taken from the list whenever the SDK asks for one. Prints one JSON object:
`answers`, `tokens`, and `asked`, what each assertion was asked for. Exits 1 with `error` otherwise.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import Client
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from connect import causes, text_of
from sign_in import Memory

DEADLINE_SECONDS = 60


async def run(options: argparse.Namespace, memory: Memory, report: dict[str, Any]) -> None:
    assertions = iter(options.assertion)

    async def fresh(audience: str, resource: str) -> str:
        report["asked"].append([audience, resource])
        return next(assertions)

    auth = IdentityAssertionOAuthProvider(
        options.url, memory, options.client, options.secret, issuer=options.issuer, assertion_provider=fresh
    )
    http_client = httpx2.AsyncClient(auth=auth, timeout=DEADLINE_SECONDS)
    async with Client(streamable_http_client(options.url, http_client=http_client), mode="auto") as client:
        for tool, arguments in zip(options.tool, options.arguments, strict=True):
            report["answers"].append(text_of(await client.call_tool(tool, json.loads(arguments))))


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ["url", "issuer", "client", "secret"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--assertion", action="append", required=True, metavar="JWT")
    parser.add_argument("--tool", action="append", required=True, metavar="NAME")
    parser.add_argument("--arguments", action="append", required=True, metavar="JSON")
    options = parser.parse_args()
    report: dict[str, Any] = {"answers": [], "asked": []}
    memory = Memory("")
    try:
        asyncio.run(asyncio.wait_for(run(options, memory, report), DEADLINE_SECONDS))
    except BaseException as error:
        report["error"] = causes(error)
    print(json.dumps(report | memory.shown()))
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())
