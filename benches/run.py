"""Whole-process ratios: the service against a handler that decides nothing, in interleaved runs.

    benches/run.py              direct, workers, proxies, start and flood
    benches/run.py PART…        only these:
      direct        throughput, latency and processor time, one worker
      workers       the same of two workers, and what the second brings
      proxies       the same behind Traefik and Envoy with the shipped files
      start         time from start to ready, idle memory, size of the binary
      flood         fetches of the keys while tokens of unknown keys come
      memory        memory while a million distinct tokens come; takes minutes
      instructions  user-space instructions per request and per check, by callgrind; takes minutes

Ratios are to the bare handler, or to the way that is named, of the same round; absolute times mean little on a shared machine.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import direct, flood, instructions, memory, proxies, start, workers
from bench.issuer import Issuer

DEFAULT = ["direct", "workers", "proxies", "start", "flood"]
PARTS = {
    "direct": ("One worker, 64 connections, server and load on a core each", lambda s, i, f, o: direct.run(s, i, f, o.rounds)),
    "workers": ("Two workers, 64 connections, nothing pinned", lambda s, i, f, o: workers.run(s, i, f, o.rounds)),
    "proxies": ("Behind a proxy, 64 connections, nothing pinned", lambda s, i, f, o: proxies.run(s, i, f, o.rounds)),
    "start": ("Start and idle", lambda s, i, f, o: start.run(i, f)),
    "flood": ("Unknown keys", lambda s, i, f, o: flood.run(s, i, f)),
    "memory": ("Memory after distinct tokens", lambda s, i, f, o: memory.run(s, i, f, o.tokens)),
    "instructions": ("User-space instructions", lambda s, i, f, o: instructions.run(i, f)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--rounds", type=int, default=11, help="of one second each (%(default)s)")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="of `memory` (%(default)s)")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    for part in options.parts or DEFAULT:
        title, run = PARTS[part]
        print(f"\n## {title}\n", flush=True)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-forward-auth-bench-")))
            run(stack, stack.enter_context(Issuer()), folder, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {' '.join(map(str, error.cmd))} failed: {error.stderr}")
