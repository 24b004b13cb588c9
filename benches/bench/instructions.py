"""User-space instructions, of a request and of a check alone: two run lengths under callgrind, subtracted. Repeats to half
a per cent."""

import json
import re
import socket
import subprocess
from pathlib import Path

from .issuer import Issuer
from .servers import RELEASE, Server, bare, service

SHORT, LONG = 1000, 5000
# Forgeries are each another token: a known one is refused from memory.
SHORT_CHECKS, LONG_CHECKS = 100, 600

# The ten headers of a proxy.
HEAD = ("GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: client/1.0\r\nAccept: application/json, text/event-stream\r\n"
        "Mcp-Session-Id: s1\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: mcp.example.com\r\n"
        "X-Forwarded-Method: POST\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: /mcp\r\nAuthorization: Bearer ")


def run(issuer: Issuer, folder: Path) -> None:
    good = issuer.tokens("RS256", 100)
    floor = _per_request(bare(), good, folder)
    cases = [
        ("cached", service(issuer, folder, "cached"), good),
        ("cached, every allow logged", service(issuer, folder, "full", allows=1.0), good),
        ("cached, with an identity assertion", service(issuer, folder, "asserting", asserts=True), good),
        ("uncached RS256", service(issuer, folder, "uncached", cache_bytes=0), good),
    ]
    print("| | instructions per request | ratio to bare |\n|---|---|---|")
    print(f"| bare | {floor:.0f} | 1.00 |")
    figures = {}
    for name, server, tokens in cases:
        figure = figures[name] = _per_request(server, tokens, folder)
        print(f"| {name} | {figure:.0f} | {figure / floor:.2f} |")
    raw = _checks(issuer, folder)
    added = figures["uncached RS256"] - figures["cached"]
    print(f"\nuncached less cached, ratio to the raw RS256 check: {added / raw:.2f}")


def _checks(issuer: Issuer, folder: Path) -> float:
    """The check of one token without HTTP. Gives back the floor of RS256."""
    refused = {
        "garbage": ["garbage"], "unknown key": issuer.tokens("RS256", 1, kid="other"),
        "expired": issuer.expired(1), "forged, each another": issuer.forgeries(LONG_CHECKS),
        "forged, again": issuer.forgeries(1),
    }
    floors = {}
    print("\n| | instructions per token | ratio to raw | ratio to accepting |\n|---|---|---|---|")
    for algorithm in ("RS256", "ES256"):
        good = issuer.tokens(algorithm, 1)
        floors[algorithm] = raw = _check(issuer, folder, "raw", algorithm, good)
        accept = _check(issuer, folder, "ours", algorithm, good)
        rows = [("raw", raw), ("ours", accept), ("jsonwebtoken", _check(issuer, folder, "jsonwebtoken", algorithm, good))]
        if algorithm == "RS256":
            rows += [(f"refused: {name}", _check(issuer, folder, "ours", algorithm, bad)) for name, bad in refused.items()]
        for name, figure in rows:
            print(f"| {algorithm} {name} | {figure:.0f} | {figure / raw:.3f} | {figure / accept:.3f} |")
    return floors["RS256"]


def _check(issuer: Issuer, folder: Path, way: str, algorithm: str, tokens: list[str]) -> float:
    key, file = folder / "key.json", folder / "check.tokens"
    key.write_text(json.dumps(issuer.public(algorithm)))
    file.write_text("\n".join(tokens) + "\n")

    def collect(count: int) -> int:
        program = [str(_verification()), "--repeat", way, issuer.url, str(key), str(file), str(count)]
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *program]
        return _collected(subprocess.run(command, capture_output=True, text=True, check=True).stderr)

    return (collect(LONG_CHECKS) - collect(SHORT_CHECKS)) / (LONG_CHECKS - SHORT_CHECKS)


def _verification() -> Path:
    """The bench as it was built last; cargo puts a hash into its name."""
    built = (RELEASE / "deps").glob("verification-*")
    return max((path for path in built if not path.suffix), key=lambda path: path.stat().st_mtime)


def _per_request(server: Server, tokens: list[str], folder: Path) -> float:
    return (_collect(server, tokens, LONG, folder) - _collect(server, tokens, SHORT, folder)) / (LONG - SHORT)


def _collect(server: Server, tokens: list[str], count: int, folder: Path) -> int:
    program = [word for word in server.command if word not in ("taskset", "-c", "0")]
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *program]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    server.wait(process)
    _send(server.port, tokens, count)
    process.terminate()
    _, report = process.communicate()
    return _collected(report)


def _collected(report: str) -> int:
    return int(re.search(r"Collected : (\d+)", report).group(1))


def _send(port: int, tokens: list[str], count: int) -> None:
    """One connection, one request after the other."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        for number in range(count):
            connection.sendall(f"{HEAD}{tokens[number % len(tokens)]}\r\n\r\n".encode())
            status = answers.readline()
            if b" 200 " not in status:
                raise SystemExit(f"bench: answered {status!r}")
            while answers.readline() not in (b"\r\n", b""):
                pass
