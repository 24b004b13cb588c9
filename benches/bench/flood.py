"""A flood of tokens of unknown keys: how often the issuer is asked for its keys."""

from contextlib import ExitStack
from pathlib import Path

from .issuer import Issuer
from .load import Load, once
from .servers import service

SECONDS = 5


def run(stack: ExitStack, issuer: Issuer, folder: Path) -> None:
    print(f"| {SECONDS} s of tokens of unknown keys, a cool-down of 1 s | requests | fetches of the key set |\n|---|---|---|")
    # Older than the keys: refused, 401. Newer, and of a clock a little fast: the keys may have been rotated, 503.
    for name, age in (("issued before the keys were fetched", 7200), ("issued since", -20)):
        server = stack.enter_context(service(issuer, folder, "flood", cooldown="1s"))
        tokens = [token for number in range(1000) for token in issuer.tokens("ES256", 1, kid=f"key-{number}", age=age)]
        before = issuer.fetches
        result = once(Load(f"flood {name}", server, tokens, status=401), folder, pinned=True, seconds=SECONDS)
        print(f"| {name} | {result.requests} | {issuer.fetches - before} |")
