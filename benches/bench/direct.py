"""The service asked directly, one worker, server and load on a core each."""

from contextlib import ExitStack
from pathlib import Path

from .issuer import Issuer
from .load import Load, compare, measure, table
from .servers import bare, common, service


def run(stack: ExitStack, issuer: Issuer, folder: Path, rounds: int) -> None:
    start = stack.enter_context
    floor = start(bare())
    cached = start(service(issuer, folder, "cached"))
    full = start(service(issuer, folder, "full", allows=1.0))
    uncached = start(service(issuer, folder, "uncached", cache_bytes=0))
    parts = start(common(issuer, folder))
    good = issuer.tokens("RS256", 1000)
    of = lambda algorithm: good if algorithm == "RS256" else issuer.tokens(algorithm, 1000)  # noqa: E731
    loads = [
        Load("bare", floor, good),
        Load("bare, again", floor, good),
        Load("cached", cached, good),
        Load("cached, every allow logged", full, good),
        Load("common parts, cached", parts, good),
        *(Load(f"uncached {algorithm}", uncached, of(algorithm)) for algorithm in issuer.algorithms),
        Load("refused: garbage", cached, ["garbage"], status=401),
        Load("refused: unknown key", cached, issuer.tokens("RS256", 1000, kid="other"), status=401),
        Load("refused: expired", cached, issuer.expired(1000), status=401),
        Load("refused: forged, again", cached, issuer.forgeries(100), status=401),
    ]
    results = measure(loads, folder, rounds)
    table(results, "bare")
    refusals = [load.name for load in loads if load.status >= 400]
    compare(results, [
        ("cached, every allow logged", "common parts, cached"),
        *((name, "cached") for name in refusals),
        *((name, "cached, every allow logged") for name in refusals),
    ])
