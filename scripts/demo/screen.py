"""All that the demo prints."""

import json
import os
import sys
import textwrap
from datetime import datetime
from typing import Any

from demo.issuer import LIFETIME
from demo.lines import Line
from demo.proxies import NAMES
from demo.stage import Stage
from demo.trouble import Interrupted

PICTURE = """
    you --curl--> {proxy:-<22}> MCP server
                  {front:<23} {server}
                    |   ^
    may it pass?    |   |   yes, it is Alice / no: 401 or 403
                    v   |
                  {service_name:-<22}> issuer: what are your keys?
                  {service:<23} {issuer}
"""

EPILOGUE = """\
  See also

     curl http://{admin}/metrics
     ls {folder}     configurations, logs, and the tokens (good for {hours} h)

  Ctrl-C ends the demo and removes all of it. Until then, here is each decision:
"""


def say(text: str = "") -> None:
    """Prints a line. When nobody can read it any more, the demo ends."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")
        raise Interrupted from None


def show(stage: Stage, lines: list[Line]) -> None:
    """The picture of a request, and what to try."""
    say(picture(stage))
    say("  Try these in another terminal:\n")
    for number, line in enumerate(lines, 1):
        say(f"  {number}  {line.who:<7} {line.outcome}\n")
        say(textwrap.indent(line.command, "     ") + "\n")
        for text in line.shows:
            say(f"     > {text}")
        say()
    say(EPILOGUE.format(admin=stage.admin, folder=stage.folder, hours=LIFETIME // 3600))


def picture(stage: Stage) -> str:
    """Who asks whom."""
    return PICTURE.format(
        proxy=f"{NAMES[stage.proxy]} ",
        front=f"localhost:{stage.port}",
        server=stage.server,
        service_name="mcp-forward-auth ",
        service=stage.service,
        issuer=stage.issuer.url.removeprefix("http://"),
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
    asked, who = (ascii(text)[1:-1] for text in (_asked(decision), decision.get("subject", "nobody")))
    # Python 3.10 does not read the Z that stands for UTC.
    clock = datetime.fromisoformat(decision["timestamp"].replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
    return f"     {clock}  {asked:<20}  {who:<8}  {decision['status']}  {decision.get('reason', '')}".rstrip()


def _asked(decision: dict[str, Any]) -> str:
    # A request that could not be read has neither.
    return f"{decision['method']} {decision['path']}" if "path" in decision else "-"
