"""User-space instructions per request: two run lengths under callgrind, subtracted. Repeats to half a per cent."""

import re
import socket
import subprocess
import time
from pathlib import Path

from .issuer import Issuer
from .servers import Server, bare, service

SHORT, LONG = 1000, 5000


def run(issuer: Issuer, folder: Path) -> None:
    good = issuer.tokens("RS256", 100)
    floor = _per_request(bare(folder), good, folder)
    cases = [
        ("cached", service(issuer, folder, "cached"), good),
        ("cached, every allow logged", service(issuer, folder, "full", allows=1.0), good),
        ("uncached RS256", service(issuer, folder, "uncached", cache_bytes=0), good),
    ]
    print("| | instructions per request | ratio to bare |\n|---|---|---|")
    print(f"| bare | {floor:.0f} | 1.00 |")
    for name, server, tokens in cases:
        figure = _per_request(server, tokens, folder)
        print(f"| {name} | {figure:.0f} | {figure / floor:.2f} |", flush=True)


def _per_request(server: Server, tokens: list[str], folder: Path) -> float:
    return (_collect(server, tokens, LONG, folder) - _collect(server, tokens, SHORT, folder)) / (LONG - SHORT)


def _collect(server: Server, tokens: list[str], count: int, folder: Path) -> int:
    program = [word for word in server.command if word not in ("taskset", "-c", "0")]
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *program]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not server._answers():
        if process.poll() is not None:
            raise SystemExit(f"bench: {' '.join(command)} ended: {process.stderr.read()}")
        time.sleep(0.2)
    _send(server.port, tokens, count)
    process.terminate()
    _, report = process.communicate()
    return int(re.search(r"Collected : (\d+)", report).group(1))


def _send(port: int, tokens: list[str], count: int) -> None:
    """One connection, one request after the other, with the ten headers of a proxy."""
    head = ("GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: client/1.0\r\nAccept: application/json, text/event-stream\r\n"
            "Mcp-Session-Id: s1\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: mcp.example.com\r\n"
            "X-Forwarded-Method: POST\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: /mcp\r\nAuthorization: Bearer ")
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        for number in range(count):
            connection.sendall(f"{head}{tokens[number % len(tokens)]}\r\n\r\n".encode())
            status = answers.readline()
            if b" 200 " not in status:
                raise SystemExit(f"bench: answered {status!r}")
            while answers.readline() not in (b"\r\n", b""):
                pass
