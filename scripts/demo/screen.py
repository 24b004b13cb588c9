"""All that the demo prints."""

import json
import os
import sys
from datetime import datetime
from typing import Any

from demo.proxies import NAMES
from demo.stage import Stage
from demo.trouble import Interrupted

INSPECTOR = "npx -y -p node@24 -p @modelcontextprotocol/inspector@2.12.0 mcp-inspector"

SCREEN = """
    MCP client --> {proxy:-<22}> MCP server
                   {front:<23} {server}
                     |   ^
     may it pass?    |   |   yes, it is Alice / no: 401 or 403
                     v   |
                   mcp-forward-auth, with the authorization server that clients sign in at
                   {service}

  <b>Connect a client</b>, any that speaks MCP over HTTP, to

     <c>{resource}</c>

  It opens a browser: allow it, and sign in as <c>alice@example.com</c>. Nobody checks who you are, so you can be
  bob@example.com as well; he is not on the list. For instance, in another terminal:

     {inspector} \\
       --transport http --server-url {resource}
     claude mcp add --transport http demo {resource}

  Each demo starts with an empty memory. A client that knew an earlier one says that it is not known: let it forget
  (in the Inspector: Connection Info, Clear OAuth state), or remove the server in it and add it again.

  <b>See what is connected, and withdraw it</b>

     <c>{origin}/connections</c>

  <b>Look behind it</b>

     curl -i {resource}     what a client without a token is told
     http://{admin}/metrics     numbers for operators; http://{admin}/readyz
     {folder}     configurations, logs and state

  <b>Ctrl-C</b> ends the demo and removes all of it. Until then, here is each decision:
"""

MARKS = {"<b>": "\x1b[1m", "</b>": "\x1b[0m", "<c>": "\x1b[36m", "</c>": "\x1b[0m"}
RED, GREEN, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"


def say(text: str = "") -> None:
    """Prints a line. When nobody can read it any more, the demo ends."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")
        raise Interrupted from None


def in_colour() -> bool:
    """On a terminal, unless its owner wants none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(stage: Stage) -> None:
    """The way of a request, and what to try."""
    text = SCREEN
    for mark, code in MARKS.items():
        text = text.replace(mark, code if in_colour() else "")
    say(
        text.format(
            proxy=f"{NAMES[stage.proxy]} ",
            front=f"localhost:{stage.port}",
            server=stage.server,
            service=stage.service,
            resource=stage.resource,
            origin=stage.origin,
            inspector=INSPECTOR,
            admin=stage.admin,
            folder=stage.folder,
        )
    )


class Decisions:
    """Follows the service's log."""

    def __init__(self, stage: Stage) -> None:
        self._log = stage.service_log.open("rb")
        self._rest = b""

    def show_new(self) -> None:
        """Prints the decisions that came since the last call."""
        *complete, self._rest = (self._rest + self._log.read()).split(b"\n")
        for line in complete:
            if b'"message":"decision"' in line:
                say(describe(json.loads(line)))


def describe(decision: dict[str, Any]) -> str:
    """One decision. What a client chose is escaped: a terminal must not obey it."""
    who = decision.get("subject", "nobody").removeprefix("development:")
    asked, who = (ascii(text)[1:-1] for text in (_asked(decision), who))
    # Python 3.10 does not read the Z that stands for UTC.
    clock = datetime.fromisoformat(decision["timestamp"].replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
    status = str(decision["status"])
    if in_colour():
        status = f"{GREEN if status == '200' else RED}{status}{PLAIN}"
    return f"     {clock}  {asked:<20}  {who:<17}  {status}  {decision.get('reason', '')}".rstrip()


def _asked(decision: dict[str, Any]) -> str:
    # A request that could not be read has neither.
    return f"{decision['method']} {decision['path']}" if "path" in decision else "-"
