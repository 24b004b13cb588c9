"""Memory after many distinct tokens: each is good, each is asked about once, and the cache must stay within its bound."""

import multiprocessing
import os
import socket
from contextlib import ExitStack
from pathlib import Path

from .instructions import HEAD
from .issuer import Issuer
from .servers import service

BATCH = 50


def run(stack: ExitStack, issuer: Issuer, folder: Path, count: int) -> None:
    # The size that ships, not the one that the other runs use.
    server = stack.enter_context(service(issuer, folder, "memory", cache_bytes=48 << 20))
    print("| distinct tokens, the cache of 48 MiB that is the default | resident, MiB |\n|---|---|")
    print(f"| 0 | {server.memory() / 1024:.0f} |")
    steps, processes = 10, os.cpu_count() or 1
    each = count // steps // processes
    # Forked, so that every process has the issuer's key.
    fork = multiprocessing.get_context("fork")
    for step in range(steps):
        first = step * each * processes
        askers = [fork.Process(target=_ask, args=(issuer, server.port, first + part * each, each)) for part in range(processes)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
            if asker.exitcode:
                raise SystemExit("bench: not every token was accepted")
        print(f"| {first + each * processes} | {server.memory() / 1024:.0f} |")


def _ask(issuer: Issuer, port: int, first: int, count: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            tokens = [issuer.token("ES256", number) for number in numbers]
            connection.sendall("".join(f"{HEAD}{token}\r\n\r\n" for token in tokens).encode())
            for _ in numbers:
                _expect_allow(answers)


def _expect_allow(answers) -> None:
    status = answers.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"answered {status!r}")
    while answers.readline() not in (b"\r\n", b""):
        pass
