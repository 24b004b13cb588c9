"""Connects with the official Python SDK from nothing: discovery, registration, sign-in, tokens, a tool call.

    sign_in.py --url http://localhost:8080/mcp [--tool NAME --arguments JSON] [--document URL]
               [--again revoked|expired|deleted] [--then NAME --then-arguments JSON] [--store FILE] [what is to be said about the person: person.py]

Prints one JSON object: `answer` is the tool's, `tokens` and `client` what the SDK keeps, `sign_ins` how often the person
was asked, `pages` and `hosts` what the person saw. Exits 1 with `error` otherwise.

With --document the client is described by that client id metadata document. With --again the tool is called once more,
when the access token is refused: because it was revoked and the client takes it to be expired, because it has expired,
or because the client's registration was deleted. Then `answer` is the second one, `first` holds tokens and client
before, and `token_answers` what /token said. With --then that tool is called after the first one: `then` is its answer.
With --store what the SDK keeps is read from that file and written there. `asked` are the scopes of each authorization
request.
"""

import argparse
import asyncio
import json
import pathlib
import sys
import urllib.parse
from typing import Any

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

import person
from connect import causes, text_of
from person import Person, Stuck

DEADLINE_SECONDS = 150
REDIRECT_URI = "http://localhost:3030/callback"
LONG_AGO = 1.0


class Memory(TokenStorage):
    """What the SDK wants kept."""

    def __init__(self, file: str) -> None:
        self.file = pathlib.Path(file) if file else None
        kept = json.loads(self.file.read_text()) if self.file and self.file.exists() else {}
        self.tokens = OAuthToken.model_validate(kept["tokens"]) if kept.get("tokens") else None
        self.client = OAuthClientInformationFull.model_validate(kept["client"]) if kept.get("client") else None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.keep()

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info
        self.keep()

    def keep(self) -> None:
        if self.file:
            self.file.write_text(json.dumps(self.shown()))

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "tokens": json.loads(self.tokens.model_dump_json()) if self.tokens else None,
            "client": json.loads(self.client.model_dump_json()) if self.client else None,
        }


class Browser:
    """Takes the SDK's URL to the person and keeps the answer."""

    def __init__(self, owner: Person) -> None:
        self.person = owner
        self.sign_ins = 0
        self.asked: list[str] = []
        self.answer: dict[str, str] = {}

    async def open(self, url: str) -> None:
        self.sign_ins += 1
        self.asked += urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("scope", [""])
        answer = await asyncio.to_thread(self.person.walk, url)
        self.answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer).query))

    async def result(self) -> AuthorizationCodeResult:
        if "code" not in self.answer:
            raise RuntimeError(f"the authorization server answered {self.answer}")
        return AuthorizationCodeResult(
            code=self.answer["code"], state=self.answer.get("state"), iss=self.answer.get("iss")
        )


class Session:
    """One client with what it keeps, and what the servers told it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.memory = Memory(options.store)
        self.browser = Browser(Person(options))
        self.registration: dict[str, Any] = {}
        self.token_answers: list[dict[str, Any]] = []
        self.auth = self.provider()

    def provider(self) -> OAuthClientProvider:
        metadata = OAuthClientMetadata(client_name="Python SDK", redirect_uris=[REDIRECT_URI])
        document = self.options.document or None
        return OAuthClientProvider(
            self.options.url, metadata, self.memory, self.browser.open, self.browser.result, client_metadata_url=document
        )

    def connection(self) -> Client:
        hooks = {"response": [self.note]}
        http_client = httpx2.AsyncClient(auth=self.auth, timeout=DEADLINE_SECONDS, event_hooks=hooks)
        return Client(streamable_http_client(self.options.url, http_client=http_client), mode="auto")

    async def note(self, response: httpx2.Response) -> None:
        path = response.request.url.path
        if path == "/register":
            self.registration = json.loads(await response.aread())
        if path == "/token":
            body = json.loads(await response.aread())
            self.token_answers.append({"status": response.status_code, "error": body.get("error")})

    async def call(self, client: Client) -> str:
        return text_of(await client.call_tool(self.options.tool, json.loads(self.options.arguments)))

    async def call_then(self, client: Client) -> str:
        return text_of(await client.call_tool(self.options.then, json.loads(self.options.then_arguments)))

    async def end_the_token(self) -> None:
        """Brings about that the access token is refused, and makes sure that it is."""
        assert self.memory.tokens and self.memory.client
        token, again = self.memory.tokens.access_token, self.options.again
        async with httpx2.AsyncClient() as plain:
            if again == "revoked":
                form = {"client_id": self.memory.client.client_id, "token": token}
                revoke = urllib.parse.urljoin(self.options.url, "/revoke")
                (await plain.post(revoke, data=form)).raise_for_status()
            if again == "deleted":
                bearer = {"Authorization": f"Bearer {self.registration['registration_access_token']}"}
                (await plain.delete(self.registration["registration_client_uri"], headers=bearer)).raise_for_status()
            bearer = {"Authorization": f"Bearer {token}"}
            while (await plain.post(self.options.url, json={}, headers=bearer)).status_code != 401:
                await asyncio.sleep(0.5)
        # The SDK counts from when the token came, a moment later than the server.
        while again == "expired" and self.auth.context.is_token_valid():
            await asyncio.sleep(0.1)
        if again != "expired":
            self.auth.context.token_expiry_time = LONG_AGO

    async def start_afresh(self) -> None:
        """What programs do whose user removes the server and adds it again."""
        self.memory.tokens = self.memory.client = None
        self.auth = self.provider()


async def run(options: argparse.Namespace, session: Session, report: dict[str, Any]) -> None:
    try:
        async with session.connection() as client:
            report["answer"] = await session.call(client)
            if options.then:
                report["first"] = session.memory.shown()
                report["then"] = await session.call_then(client)
            if options.again:
                report["first"] = session.memory.shown()
                await session.end_the_token()
                report["answer"] = await session.call(client)
    except* Stuck as stuck:
        if options.again != "deleted":
            raise
        report["stuck"] = causes(stuck)
    if "stuck" in report:
        await session.start_afresh()
        async with session.connection() as client:
            report["answer"] = await session.call(client)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--tool", default="whoami")
    parser.add_argument("--arguments", default="{}", metavar="JSON")
    parser.add_argument("--document", default="", metavar="URL")
    parser.add_argument("--again", choices=["revoked", "expired", "deleted"], default="")
    parser.add_argument("--then", default="", metavar="NAME")
    parser.add_argument("--then-arguments", default="{}", metavar="JSON")
    parser.add_argument("--store", default="", metavar="FILE")
    person.add_options(parser)
    options = parser.parse_args()
    report: dict[str, Any] = {}
    session = Session(options)
    try:
        asyncio.run(asyncio.wait_for(run(options, session, report), DEADLINE_SECONDS))
    except BaseException as error:
        report["error"] = causes(error)
    browser = session.browser
    report |= session.memory.shown() | {"iss": browser.answer.get("iss"), "sign_ins": browser.sign_ins}
    report |= {"pages": browser.person.titles, "hosts": browser.person.hosts, "token_answers": session.token_answers}
    report |= {"texts": browser.person.texts, "asked": browser.asked}
    print(json.dumps(report))
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())
