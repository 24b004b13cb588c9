"""Connects with the official Python SDK from nothing: discovery, registration, sign-in, tokens, a tool call.

    sign_in.py --url http://localhost:8080/mcp [--email alice@example.com] [--decision approve|deny]
               [--password …] [--tool NAME --arguments JSON]

Prints one JSON object: `answer` is the tool's, `tokens` and `client` what the SDK keeps. Exits 1 with `error` otherwise.
"""

import argparse
import asyncio
import json
import sys
import urllib.parse
from typing import Any

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from connect import causes, text_of
from person import Person

DEADLINE_SECONDS = 90
REDIRECT_URI = "http://localhost:3030/callback"


class Memory(TokenStorage):
    """What the SDK wants kept."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Takes the SDK's URL to the person and keeps the answer."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.answer: dict[str, str] = {}

    async def open(self, url: str) -> None:
        answer = await asyncio.to_thread(self.person.walk, url)
        self.answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer).query))

    async def result(self) -> AuthorizationCodeResult:
        if "code" not in self.answer:
            raise RuntimeError(f"the authorization server answered {self.answer}")
        return AuthorizationCodeResult(
            code=self.answer["code"], state=self.answer.get("state"), iss=self.answer.get("iss")
        )


async def run(options: argparse.Namespace, report: dict[str, Any]) -> None:
    memory, browser = Memory(), Browser(Person(options.email, options.password, options.decision))
    metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[REDIRECT_URI])
    auth = OAuthClientProvider(options.url, metadata, memory, browser.open, browser.result)
    http_client = httpx2.AsyncClient(auth=auth, timeout=DEADLINE_SECONDS)
    transport = streamable_http_client(options.url, http_client=http_client)
    async with asyncio.timeout(DEADLINE_SECONDS), Client(transport, mode="auto") as client:
        report["answer"] = text_of(await client.call_tool(options.tool, json.loads(options.arguments)))
    report["iss"] = browser.answer.get("iss")
    report["tokens"] = json.loads(memory.tokens.model_dump_json()) if memory.tokens else None
    report["client"] = json.loads(memory.client.model_dump_json()) if memory.client else None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--email", default="alice@example.com")
    parser.add_argument("--password", default="alice")
    parser.add_argument("--decision", choices=["approve", "deny"], default="approve")
    parser.add_argument("--tool", default="whoami")
    parser.add_argument("--arguments", default="{}", metavar="JSON")
    options = parser.parse_args()
    report: dict[str, Any] = {}
    try:
        asyncio.run(run(options, report))
    except Exception as error:
        report["error"] = causes(error)
    print(json.dumps(report))
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())
