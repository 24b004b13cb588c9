"""What the check plays: clients of the official Python SDK from nothing to a tool call, and what ends a connection."""

import http.client
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from demo.interrupts import Interrupts
from demo.part import Part
from demo.proxies import PROJECT
from demo.stage import HOST, METADATA, SCOPE, Stage
from demo.trouble import Broken
from demo.withdrawal import withdraw

CLIENT = PROJECT / "tests/clients/python/sign_in.py"


@dataclass(frozen=True)
class Step:
    """One thing that happens, and what must come of it."""

    who: str
    outcome: str
    play: Callable[[], None]


class Story:
    """The steps in order; a later one needs what an earlier one got."""

    def __init__(self, stage: Stage, interrupts: Interrupts) -> None:
        self._stage = stage
        self._interrupts = interrupts
        self._report: dict[str, Any] = {}

    def steps(self) -> Iterator[Step]:
        yield Step("Nobody", "401: a challenge that says where to find out how to sign in", self._nobody)
        yield Step("Alice", "registers a client, agrees, signs in, and the tool knows her", self._alice)
        yield Step("Alice", "says no to a client, which is told so and gets nothing", self._alice_says_no)
        yield Step("Bob", "agrees and signs in, but is not on the list: no token", self._bob)
        yield Step("Alice", "withdraws it at /connections: 401 at once, and no new token", self._alice_withdraws)

    def _nobody(self) -> None:
        status, challenge, _ = self._ask("/mcp", {})
        demand(status == 401, f"the status is {status}")
        document = f"{self._stage.origin}{METADATA}"
        wanted = f'Bearer resource_metadata="{document}", scope="{SCOPE}"'
        demand(challenge == wanted, f"the challenge is {challenge}")

    def _alice(self) -> None:
        self._report = report = self._connect("alice@example.com", "approve")
        demand("error" not in report, _come_of(report))
        seen = json.loads(report["answer"])
        expected = {
            "X-Forwarded-User": "alice@example.com",
            "X-Forwarded-Scopes": SCOPE,
            "X-Auth-Issuer": self._stage.origin,
            "X-Auth-Resource": self._stage.resource,
            "authorization_present": False,
        }
        demand(expected.items() <= seen.items(), f"the tool saw {seen}")

    def _alice_says_no(self) -> None:
        report = self._connect("alice@example.com", "deny")
        demand("access_denied" in report.get("error", ""), _come_of(report))
        demand(not report.get("tokens"), "there are tokens")

    def _bob(self) -> None:
        report = self._connect("bob@example.com", "approve")
        told = any(title.startswith("This account may not use Demo") for title in report["pages"])
        demand(told and "access_denied" in report.get("error", ""), _come_of(report))
        demand(not report.get("tokens"), "there are tokens")

    def _alice_withdraws(self) -> None:
        demand("tokens" in self._report, "she is not connected")
        tokens, client = self._report["tokens"], self._report["client"]["client_id"]
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        status, *_ = self._ask("/mcp", bearer)
        demand(status not in (401, 403), f"before it, the status is {status}")
        withdraw(self._stage.origin, "alice@example.com")
        status, *_ = self._ask("/mcp", bearer)
        demand(status == 401, f"after it, the status is {status}")
        form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": tokens["refresh_token"]}
        status, _, answer = self._ask("/token", {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form))
        demand((status, answer.get("error")) == (400, "invalid_grant"), f"a refresh says {status} {answer}")

    def _connect(self, email: str, decision: str) -> dict[str, Any]:
        """What a client that knows nothing but the URL comes to."""
        options = ["--url", self._stage.resource, "--email", email, "--decision", decision]
        client = Part(f"client {email} {decision}", [sys.executable, CLIENT, *options], self._stage.folder)
        written = client.wait_for_end(self._interrupts)
        try:
            return json.loads(written.splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            raise Broken(f"the client wrote: {written}") from None

    def _ask(self, path: str, headers: dict[str, str], body: str = "{}") -> tuple[int, str | None, dict[str, Any]]:
        """Status, challenge and JSON of a POST through the proxy."""
        connection = http.client.HTTPConnection(HOST, self._stage.port, timeout=30)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"} | headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{path} does not answer: {error}") from error
        finally:
            connection.close()
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return response.status, response.getheader("WWW-Authenticate"), json.loads(text) if is_json else {}


def _come_of(report: dict[str, Any]) -> str:
    """Without what it holds: tokens are not for a log, these neither."""
    return report.get("error", "the client is connected")


def demand(kept: bool, otherwise: str) -> None:
    if not kept:
        raise Broken(otherwise)
