"""Whole-process ratios: the service against a handler that decides nothing, in one interleaved run.

    benches/run.py                 throughput, latency and processor time
    benches/run.py --instructions  user-space instructions per request, by callgrind
    benches/run.py --memory        memory after a million distinct tokens

Every figure is a ratio to the bare handler of the same round; absolute times mean little on a shared machine.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import instructions, memory
from bench.issuer import Issuer
from bench.load import Load, measure
from bench.servers import bare, service

ROUNDS = 11


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--memory", type=int, nargs="?", const=1_000_000, metavar="TOKENS")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-forward-auth-bench-")))
        issuer = stack.enter_context(Issuer())
        if options.instructions:
            instructions.run(issuer, folder)
        elif options.memory:
            memory.run(stack, issuer, folder, options.memory)
        else:
            _direct(stack, issuer, folder, options.rounds)
    return 0


def _direct(stack: ExitStack, issuer: Issuer, folder: Path, rounds: int) -> None:
    start = lambda server: stack.enter_context(server)  # noqa: E731
    floor = start(bare(folder))
    cached = start(service(issuer, folder, "cached"))
    full = start(service(issuer, folder, "full", allows=1.0))
    uncached = start(service(issuer, folder, "uncached", cache_bytes=0))
    good, elliptic = issuer.tokens("RS256", 1000), issuer.tokens("ES256", 1000)
    loads = [
        Load("bare", floor, good),
        Load("bare, again", floor, good),
        Load("cached", cached, good),
        Load("cached, every allow logged", full, good),
        Load("uncached RS256", uncached, good),
        Load("uncached ES256", uncached, elliptic),
        Load("refused: garbage", cached, ["garbage"], status=401),
        Load("refused: unknown key", cached, issuer.tokens("RS256", 1000, kid="other"), status=401),
        Load("refused: expired", cached, issuer.tokens("RS256", 1000, expired=True), status=401),
        Load("refused: forged, again", cached, issuer.forgeries(100), status=401),
    ]
    print(f"\n{rounds} rounds of one second each, 64 connections, one worker, server and load on a core each:\n")
    _table(measure(loads, folder, rounds), "bare")
    print(f"\nidle memory {cached.memory_at_start} KiB, started in {cached.started_in * 1000:.0f} ms, "
          f"binary {cached.binary_size // 1024} KiB, memory now {cached.memory()} KiB")


def _table(results: dict[str, list], base: str) -> None:
    print("| | requests/s, ratio | p50, ratio | p99, ratio | processor time per request, ratio |")
    print("|---|---|---|---|---|")
    for name, rounds in results.items():
        pairs = list(zip(rounds, results[base]))
        ratio = lambda value: statistics.median(value(mine) / value(other) for mine, other in pairs)  # noqa: E731
        print(f"| {name} | {ratio(lambda r: r.rate):.2f} | {ratio(lambda r: r.p50):.2f} | {ratio(lambda r: r.p99):.2f} "
              f"| {ratio(lambda r: r.processor):.2f} |")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {' '.join(map(str, error.cmd))} failed: {error.stderr}")
