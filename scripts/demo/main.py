"""The command line: shows the demo until it is told to stop, or checks it."""

import argparse
import os
import sys
import time
from pathlib import Path

from demo import ports, stage
from demo.interrupts import Interrupts
from demo.proxies import NAMES, PROJECT
from demo.screen import Decisions, say, show
from demo.story import Step, Story
from demo.trouble import Broken, Interrupted, Trouble


def main() -> int:
    options = _parse_options()
    interrupts = Interrupts()
    try:
        if options.check:
            proxies = list(NAMES) if options.proxy == "all" else [options.proxy]
            results = [_check(proxy, options, interrupts) for proxy in proxies]
            return 0 if all(results) else 1
        _perform(options, interrupts)
    except Trouble as trouble:
        print(f"\ndemo: {trouble}", file=sys.stderr)
        return 1
    except Interrupted:
        if options.check:
            return 1
    return 0


def _perform(options: argparse.Namespace, interrupts: Interrupts) -> None:
    """Until a signal comes or a part ends."""
    port = ports.demand(ports.DEFAULT if options.port is None else options.port)
    say(f"Starting {NAMES[options.proxy]}, mcp-forward-auth and an MCP server ...")
    try:
        with stage.set_up(options.proxy, port, options.service, interrupts) as running:
            show(running)
            decisions = Decisions(running)
            while True:
                interrupts.obey()
                running.demand_alive()
                decisions.show_new()
                time.sleep(0.1)
    except Interrupted:
        say("\nEnded. Nothing of the demo is left.")


def _check(proxy: str, options: argparse.Namespace, interrupts: Interrupts) -> bool:
    """Plays the story and says which of its promises were kept."""
    port = ports.free() if options.port is None else ports.demand(options.port)
    kept = True
    with stage.set_up(proxy, port, options.service, interrupts) as running:
        for step in Story(running, interrupts).steps():
            interrupts.obey()
            wrong = _play(step)
            running.demand_alive()
            say(f"{'FAIL' if wrong else 'ok  '}  {NAMES[proxy]:<8} {step.who:<7} {step.outcome}")
            if wrong:
                kept = False
                say(f"      {wrong}")
    return kept


def _play(step: Step) -> str | None:
    """How the step went wrong, if it did."""
    try:
        step.play()
    except Broken as error:
        return str(error)
    return None


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="mcp-forward-auth behind a real proxy, on this machine.")
    parser.add_argument("--proxy", choices=[*NAMES, "all"], default="traefik", help="the proxy; all only with --check")
    parser.add_argument("--port", type=_port, help="the proxy's port (8080; with --check any free one)")
    parser.add_argument("--check", action="store_true", help="play the story with real clients, compare the outcomes, and end")
    parser.add_argument(
        "--service",
        type=Path,
        default=os.environ.get("MCP_FORWARD_AUTH_BINARY") or _built(),
        help="the built service [env: MCP_FORWARD_AUTH_BINARY]",
    )
    options = parser.parse_args()
    if options.proxy == "all" and not options.check:
        parser.error("one proxy at a time: PROXY=all is for `make demo-check`")
    return options


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port; choose one between 1 and 65535")


def _built() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")) / "debug/mcp-forward-auth"
