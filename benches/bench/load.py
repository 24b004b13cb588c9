"""Load by wrk: many connections, tokens in rotation, rounds that alternate between the servers."""

import json
import re
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .servers import Server

SCRIPT = """
local requests, place = {}, 0
local headers = {
  ["Host"] = os.getenv("HOST"), ["User-Agent"] = "client/1.0", ["Accept"] = "application/json, text/event-stream",
  ["Mcp-Session-Id"] = "s1", ["Mcp-Protocol-Version"] = "2025-11-25", ["Content-Type"] = "application/json",
}
if os.getenv("FORWARDED") == "1" then
  headers["X-Forwarded-For"] = "10.1.2.3" headers["X-Forwarded-Host"] = "mcp.example.com"
  headers["X-Forwarded-Method"] = "POST" headers["X-Forwarded-Proto"] = "https" headers["X-Forwarded-Uri"] = "/mcp"
end
-- Written out before the clock starts: formatting would make the load the slower side.
init = function()
  for token in io.lines(os.getenv("TOKENS")) do
    headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format("GET", os.getenv("TARGET"), headers)
  end
end
request = function()
  place = place % #requests + 1
  return requests[place]
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass
class Load:
    """`counted` are the processes whose processor time is told; the server alone, unless others are named."""

    name: str
    server: Server
    tokens: list[str]
    status: int = 200
    counted: list[Server] = field(default_factory=list)


@dataclass
class Result:
    requests: int
    rate: float
    p50: float
    p99: float
    processor: float


Results = dict[str, list[Result]]


def measure(loads: list[Load], folder: Path, rounds: int, pinned: bool = True) -> Results:
    results: Results = {load.name: [] for load in loads}
    for load in loads:
        once(load, folder, pinned)  # warms caches and connections
    for number in range(rounds):
        # Every other round runs backwards, so that a drift of the machine favours nobody.
        for load in loads if number % 2 == 0 else reversed(loads):
            results[load.name].append(once(load, folder, pinned))
    return results


def ratio(results: Results, name: str, base: str, value: Callable[[Result], float]) -> float:
    """The median of the ratios to the same round of `base`."""
    return statistics.median(value(mine) / value(other) for mine, other in zip(results[name], results[base]))


def table(results: Results, base: str) -> None:
    print("| | requests/s, ratio | p50, ratio | p99, ratio | processor time per request, ratio |")
    print("|---|---|---|---|---|")
    values = [lambda r: r.rate, lambda r: r.p50, lambda r: r.p99, lambda r: r.processor]
    for name in results:
        print(f"| {name} | " + " | ".join(f"{ratio(results, name, base, value):.2f}" for value in values) + " |")


def compare(results: Results, pairs: list[tuple[str, str]]) -> None:
    """The ratio of the rates of each pair, round by round."""
    print("\n| requests/s of | over those of | ratio |\n|---|---|---|")
    for name, base in pairs:
        print(f"| {name} | {base} | {ratio(results, name, base, lambda r: r.rate):.2f} |")


def once(load: Load, folder: Path, pinned: bool, seconds: int = 1) -> Result:
    script, tokens = folder / "load.lua", folder / (re.sub(r"\W+", "-", load.name) + ".tokens")
    if not script.exists():
        script.write_text(SCRIPT)
    if not tokens.exists():
        tokens.write_text("\n".join(load.tokens) + "\n")
    server = load.server
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "TOKENS": str(tokens), "HOST": server.host, "TARGET": server.path,
        "FORWARDED": "1" if server.forwarded else "0",
    }
    pin = ["taskset", "-c", "1"] if pinned else []
    command = [*pin, "wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{server.port}"]
    counted = load.counted or [server]
    before = sum(server.processor_seconds() for server in counted)
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    spent = sum(server.processor_seconds() for server in counted) - before
    return _result(load, json.loads(output.split("RESULT ")[1]), spent)


def _result(load: Load, told: dict, spent: float) -> Result:
    requests = told["requests"]
    if told["refused"] != (requests if load.status >= 400 else 0) or told["broken"]:
        raise SystemExit(f"bench: {load.name}: expected status {load.status} of all, but was told {told}")
    return Result(
        requests, requests / told["microseconds"] * 1e6, max(told["p50"], 1), max(told["p99"], 1),
        max(spent, 1e-9) / requests)
