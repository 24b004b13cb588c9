"""The programs that are measured: the bare handler, the service, and a service put together from common parts."""

import json
import os
import random
import socket
import subprocess
import time
from pathlib import Path

from .issuer import RESOURCE, Issuer

PROJECT = Path(__file__).resolve().parents[2]
RELEASE = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")).resolve() / "release"


def free_port() -> int:
    """Below the ports that connections get: a busy proxy takes thousands of those."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Server:
    """A process that listens; on the first core when `pin` is set. It is ready when `ready`, a port and a path, answers 200."""

    host, forwarded, path = "127.0.0.1", True, "/auth"

    def __init__(self, command: list[str], port: int, ready: tuple[int, str], pin: bool = True, cwd: Path | None = None) -> None:
        self.command = (["taskset", "-c", "0"] if pin else []) + command
        self.port, self.ready, self.cwd = port, ready, cwd
        self.binary_size = os.path.getsize(command[0])

    def __enter__(self) -> "Server":
        started = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.cwd)
        self.wait(self.process)
        self.started_in = time.perf_counter() - started
        self.memory_at_start = self.memory()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def wait(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 60
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: {' '.join(self.command)} is not ready; it ended with {process.poll()}")
            time.sleep(0.0005)

    def answers(self) -> bool:
        return self.is_ready(status_of(*self.ready, self.host))

    @staticmethod
    def is_ready(status: int) -> bool:
        return status == 200

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident memory in KiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def status_of(port: int, path: str, host: str) -> int:
    """The status of one answer; 0 when there is none. Written out here: a client library takes longer than a start."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(64).split(b" ")[1])
    except (OSError, IndexError):
        return 0


def bare(workers: int = 1, pin: bool = True) -> Server:
    port = free_port()
    return Server([str(RELEASE / "examples" / "bare"), f"127.0.0.1:{port}", str(workers)], port, (port, "/auth"), pin)


def common(issuer: Issuer, folder: Path, pin: bool = True) -> Server:
    port, key = free_port(), folder / "common.json"
    key.write_text(json.dumps(issuer.public("RS256")))
    command = [str(RELEASE / "examples" / "common"), f"127.0.0.1:{port}", issuer.url, str(key)]
    return Server(command, port, (port, "/health"), pin)


def service(issuer: Issuer, folder: Path, name: str, allows: float = 0.0, cache_bytes: int = 1 << 26, workers: int = 1,
            pin: bool = True, cooldown: str = "10s", asserts: bool = False) -> Server:
    port, admin = free_port(), free_port()
    file = folder / f"{name}.toml"
    file.write_text(f"""
[server]
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
workers = {workers}
[log]
allows = {allows}
[tokens]
cache_bytes = {cache_bytes}
[keys]
refresh_cooldown = "{cooldown}"
[[issuers]]
issuer = "{issuer.url}"
jwks_uri = "{issuer.url}/jwks"
{_resource(RESOURCE)}
{"identity_assertion = true" if asserts else ""}
{_resource(RESOURCE.replace("https:", "http:"))}
insecure_http = true
{ASSERTING if asserts else ""}
""")
    command = [str(RELEASE / "mcp-forward-auth"), "serve", "--config", str(file)]
    return Server(command, port, (admin, "/readyz"), pin)


# It holds the keys; nobody signs in.
ASSERTING = """
[authorization_server]
issuer = "https://auth.example.com"
[authorization_server.identity_provider]
kind = "github"
client_id = "nobody-signs-in"
client_secret = "a-secret-that-is-never-sent"
[store]
url = "memory:"
"""


def _resource(url: str) -> str:
    return f"""
[[resources]]
url = "{url}"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]"""
