"""The three requests: each is one call of curl, printed for the user and run by the check."""

import subprocess
import urllib.request
from dataclasses import dataclass
from shlex import quote

from demo.stage import METADATA, Stage

# Since this version of the protocol one request is enough to call a tool.
CALL_WHOAMI = """\
-H 'Accept: application/json, text/event-stream' -H 'Content-Type: application/json' \\
-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: whoami' \\
-d '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "_meta": {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": {"name": "curl", "version": "1"},
      "io.modelcontextprotocol/clientCapabilities": {}}}}'"""


@dataclass(frozen=True)
class Line:
    """A request to try."""

    who: str
    outcome: str
    command: str
    # What the answer holds, as it is printed; the first is the start of the status line.
    shows: tuple[str, ...]
    # What it must not hold.
    hides: tuple[str, ...] = ()

    def run(self) -> list[str]:
        """Runs the command as printed, and tells each difference from what was promised."""
        try:
            done = subprocess.run(["sh", "-c", self.command], capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return ["no answer within 60 s"]
        status, *others = self.shows
        answer = done.stdout.lower()  # some proxies write header names in lower case
        wrong = [] if answer.startswith(f"{status.lower()} ") else [f"the answer does not start with: {status}"]
        wrong += [f"not in the answer: {text}" for text in others if text.lower() not in answer]
        wrong += [f"should not be in the answer: {text}" for text in self.hides if text.lower() in answer]
        complaints = done.stderr.splitlines() if done.returncode else []  # else a progress meter
        return [*wrong, *done.stdout.splitlines(), *complaints] if wrong else []


def lines(stage: Stage) -> list[Line]:
    """Nobody, Alice, Bob."""
    ask = f"{_curl()} {stage.resource}"
    metadata = f"http://localhost:{stage.port}{METADATA}"
    return [
        Line(
            "Nobody",
            "401: a challenge that says where to find out how to get a token",
            ask,
            ("HTTP/1.1 401", f'WWW-Authenticate: Bearer resource_metadata="{metadata}", scope="mcp:read"'),
        ),
        Line(
            "Alice",
            "200: she is on the list, and the tool whoami tells what the MCP server was told",
            f"{ask} {_bearer(stage, 'alice')} {_indented(CALL_WHOAMI)}",
            (
                "HTTP/1.1 200",
                '"X-Forwarded-User":"alice@example.com"',
                '"X-Forwarded-Scopes":"mcp:read"',
                '"authorization_present":false',
            ),
        ),
        Line(
            "Bob",
            "403, no challenge: his token is as good as hers, but he is not on the list",
            f"{ask} {_bearer(stage, 'bob')}",
            ("HTTP/1.1 403", '"error":"access_denied"'),
            hides=("WWW-Authenticate:",),
        ),
    ]


def _bearer(stage: Stage, name: str) -> str:
    return f'-H "Authorization: Bearer $(cat {quote(str(stage.token_file(name)))})"'


def _indented(text: str) -> str:
    return "\\\n" + "\n".join(f"  {line}" for line in text.splitlines())


def _curl() -> str:
    """Where the environment sends curl through an outgoing proxy, this request must go past it."""
    goes_astray = {"http", "all"} & urllib.request.getproxies().keys() and not urllib.request.proxy_bypass("localhost")
    return "curl -i --noproxy localhost" if goes_astray else "curl -i"
