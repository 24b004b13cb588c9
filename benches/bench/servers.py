"""The programs that are measured: the bare handler and the service."""

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from .issuer import RESOURCE, Issuer

PROJECT = Path(__file__).resolve().parents[2]
RELEASE = PROJECT / "target" / "release"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process on a port; pinned to the first core when `pin` is set."""

    def __init__(self, command: list[str], port: int, ready: str, pin: bool = True, path: str = "/auth",
                 host: str = "127.0.0.1", forwarded: bool = True) -> None:
        self.command = (["taskset", "-c", "0"] if pin else []) + command
        self.port, self.ready, self.path, self.host, self.forwarded = port, ready, path, host, forwarded
        self.binary_size = os.path.getsize(command[0])

    def __enter__(self) -> "Server":
        started = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self._answers():
            if self.process.poll() is not None:
                raise SystemExit(f"bench: {' '.join(self.command)} ended with {self.process.returncode}")
            time.sleep(0.001)
        self.started_in = time.perf_counter() - started
        self.memory_at_start = self.memory()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(self.ready, timeout=5).status == 200
        except OSError:  # refused, or an answer that is an error: Traefik says 404 until it has read its routes
            return False

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident memory in KiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def bare(folder: Path) -> Server:
    port = free_port()
    return Server([str(RELEASE / "examples" / "bare"), f"127.0.0.1:{port}", "1"], port, f"http://127.0.0.1:{port}/auth")


def service(issuer: Issuer, folder: Path, name: str, allows: float = 0.0, cache_bytes: int = 1 << 26) -> Server:
    port, admin = free_port(), free_port()
    file = folder / f"{name}.toml"
    file.write_text(f"""
[server]
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
workers = 1
[log]
allows = {allows}
[tokens]
cache_bytes = {cache_bytes}
[[issuers]]
issuer = "{issuer.url}"
jwks_uri = "{issuer.url}/jwks"
[[resources]]
url = "{RESOURCE}"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]
""")
    command = [str(RELEASE / "mcp-forward-auth"), "serve", "--config", str(file)]
    return Server(command, port, f"http://127.0.0.1:{admin}/readyz")
