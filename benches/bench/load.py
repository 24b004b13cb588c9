"""Load by wrk: many connections, tokens in rotation, rounds that alternate between the servers."""

import json
import subprocess
from dataclasses import dataclass
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
  io.write(string.format('RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status))
end
"""


@dataclass
class Load:
    name: str
    server: Server
    tokens: list[str]
    status: int = 200


@dataclass
class Result:
    rate: float
    p50: float
    p99: float
    processor: float


def measure(loads: list[Load], folder: Path, rounds: int, pinned: bool = True) -> dict[str, list[Result]]:
    script = folder / "load.lua"
    script.write_text(SCRIPT)
    results: dict[str, list[Result]] = {load.name: [] for load in loads}
    for load in loads:
        _once(load, folder, script, pinned)  # warms caches and connections
    for number in range(rounds):
        # Every other round runs backwards, so that a drift of the machine favours nobody.
        for load in loads if number % 2 == 0 else reversed(loads):
            results[load.name].append(_once(load, folder, script, pinned))
    return results


def _once(load: Load, folder: Path, script: Path, pinned: bool) -> Result:
    tokens = folder / f"{load.name.replace(' ', '-').replace(',', '').replace(':', '')}.tokens"
    if not tokens.exists():
        tokens.write_text("\n".join(load.tokens) + "\n")
    server = load.server
    environment = {
        "PATH": "/usr/bin:/bin", "TOKENS": str(tokens), "HOST": server.host, "TARGET": server.path,
        "FORWARDED": "1" if server.forwarded else "0",
    }
    pin = ["taskset", "-c", "1"] if pinned else []
    command = [*pin, "wrk", "-t1", "-c64", "-d1s", "-s", str(script), f"http://127.0.0.1:{server.port}"]
    before = server.processor_seconds()
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    spent = server.processor_seconds() - before
    result = json.loads(output.split("RESULT ")[1])
    refused = result["refused"] > 0
    if refused != (load.status >= 400):
        raise SystemExit(f"bench: {load.name}: expected status {load.status}, but {result['refused']} were refused")
    return Result(
        result["requests"] / result["microseconds"] * 1e6, max(result["p50"], 1), max(result["p99"], 1),
        max(spent, 1e-9) / result["requests"])
