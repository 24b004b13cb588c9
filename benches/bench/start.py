"""From the start of the process to the first 200 of `/readyz`, the issuer's keys fetched over HTTP; idle memory; the binary."""

import statistics
from pathlib import Path

from .issuer import Issuer
from .servers import bare, service

STARTS = 20


def run(issuer: Issuer, folder: Path) -> None:
    started, memory, floor = [], [], []
    for number in range(STARTS):
        with bare(pin=False) as server:
            floor.append(server.started_in)
        with service(issuer, folder, "start", cache_bytes=48 << 20, pin=False) as server:
            started.append(server.started_in)
            memory.append(server.memory_at_start)
            size = server.binary_size
    print(f"| start to ready, median of {STARTS} | {statistics.median(started) * 1000:.1f} ms "
          f"({min(started) * 1000:.1f} to {max(started) * 1000:.1f}) |\n|---|---|")
    print(f"| the same of the bare handler | {statistics.median(floor) * 1000:.1f} ms |")
    print(f"| idle memory, resident | {statistics.median(memory) / 1024:.1f} MiB |")
    print(f"| binary, stripped | {size / (1 << 20):.1f} MiB |")
