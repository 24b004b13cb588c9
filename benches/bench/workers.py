"""Two workers, on the same two cores as the load: nothing is pinned."""

from contextlib import ExitStack
from pathlib import Path

from .issuer import Issuer
from .load import Load, compare, measure, table
from .servers import bare, service


def run(stack: ExitStack, issuer: Issuer, folder: Path, rounds: int) -> None:
    rsa, elliptic = issuer.tokens("RS256", 1000), issuer.tokens("ES256", 1000)
    loads = []
    for workers in (2, 1):
        count = f"{workers} worker" + "s" * (workers > 1)
        start = lambda name, **settings: stack.enter_context(  # noqa: E731
            service(issuer, folder, f"{name}-{workers}", workers=workers, pin=False, **settings))
        uncached = start("uncached", cache_bytes=0)
        loads += [
            Load(f"{count}: bare", stack.enter_context(bare(workers, pin=False)), rsa),
            Load(f"{count}: cached", start("cached"), rsa),
            Load(f"{count}: cached, every allow logged", start("full", allows=1.0), rsa),
            Load(f"{count}: uncached RS256", uncached, rsa),
            Load(f"{count}: uncached ES256", uncached, elliptic),
        ]
    results = measure(loads, folder, rounds, pinned=False)
    table(results, "2 workers: bare")
    ways = [load.name.removeprefix("2 workers: ") for load in loads if load.name.startswith("2 workers: ")]
    compare(results, [(f"2 workers: {way}", f"1 worker: {way}") for way in ways])
