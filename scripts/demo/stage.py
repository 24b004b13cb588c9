"""Starts all parts in the order in which they need each other, and ends them."""

import http.client
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo import part, proxies
from demo.interrupts import Interrupts
from demo.part import Part
from demo.trouble import Trouble

HOST = "localhost"
SCOPE = "mcp:read"
METADATA = "/.well-known/oauth-protected-resource/mcp"

SERVICE_CONFIG = """\
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"

[log]
format = "json"
allows = 1

[[resources]]
url = "{origin}/mcp"
name = "Demo"
required_scopes = ["mcp:read"]
allowed_emails = ["alice@example.com"]

[authorization_server]
issuer = "{origin}"
name = "Demo"
scope_descriptions = {{ "mcp:read" = "Read what the demo server has" }}

[authorization_server.identity_provider]
kind = "development"

[store]
url = "file:{folder}/mcp-forward-auth.redb"
"""


@dataclass(frozen=True)
class Stage:
    """Everything runs. Addresses are `host:port`."""

    proxy: str
    port: int
    server: str
    service: str
    admin: str
    folder: Path
    parts: tuple[Part, ...]

    @property
    def origin(self) -> str:
        """The authorization server's name, which is where everything is."""
        return origin_at(self.port)

    @property
    def resource(self) -> str:
        """The URL that clients use, which is also the audience of their tokens."""
        return f"{self.origin}/mcp"

    @property
    def service_log(self) -> Path:
        return self.parts[1].log

    def demand_alive(self) -> None:
        """Says which part ended, if one did."""
        for running in self.parts:
            running.demand_alive()


def origin_at(port: int) -> str:
    return f"http://{HOST}:{port}"


@contextmanager
def set_up(proxy: str, port: int, service_binary: Path, interrupts: Interrupts) -> Iterator[Stage]:
    """The stage, for the time of a `with` block. Nothing is left afterwards, however the block ends."""
    if not service_binary.is_file():
        raise Trouble(f"The service is not built ({service_binary} is missing). Build it with: cargo build --locked")
    proxies.find(proxy)
    with ExitStack() as ending:
        folder = _make_folder(ending)
        parts: list[Part] = []
        ending.callback(lambda: part.end(parts[::-1]))
        server = _start_server(parts, folder)
        service = _start_service(parts, folder, service_binary, origin_at(port))
        server_address = server.wait_for("listening", lambda: _listening_server(server.log), interrupts)
        public, admin = service.wait_for("listening", lambda: _listening_service(service.log), interrupts)
        service.wait_for("ready", lambda: _status(admin, "/readyz") == 200 or None, interrupts)

        front = _start_proxy(parts, folder, proxy, port, _port_of(public), _port_of(server_address))
        # Traefik answers 404 until it has read its routes. This one needs no decision, so none is shown.
        front.wait_for("ready", lambda: _status(f"{HOST}:{port}", METADATA) == 200 or None, interrupts)
        yield Stage(proxy, port, server_address, public, admin, folder, tuple(parts))


def _make_folder(ending: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mcp-demo-"))
    ending.callback(shutil.rmtree, folder, ignore_errors=True)
    # Open to look at, the state aside. Also, nginx started by root works as another user and has folders in here.
    folder.chmod(0o755)
    return folder


def _start_server(parts: list[Part], folder: Path) -> Part:
    script = proxies.PROJECT / "test_mcp_server/server.py"
    return _start(parts, "MCP server", [sys.executable, script, "--host", "127.0.0.1", "--port", "0"], folder)


def _start_service(parts: list[Part], folder: Path, binary: Path, origin: str) -> Part:
    config = folder / "mcp-forward-auth.toml"
    config.write_text(SERVICE_CONFIG.format(origin=origin, folder=folder), encoding="utf-8")
    return _start(parts, "mcp-forward-auth", [binary.resolve(), "serve", "--config", config], folder)


def _start_proxy(parts: list[Part], folder: Path, proxy: str, port: int, service: int, upstream: int) -> Part:
    command = proxies.prepare(proxy, folder, port, service, upstream)
    return _start(parts, proxies.NAMES[proxy], command, folder)


def _start(parts: list[Part], name: str, command: list[str | Path], folder: Path) -> Part:
    started = Part(name, command, folder)
    parts.append(started)
    return started


def _listening_server(log: Path) -> str | None:
    match = re.match(r"listening on http://(\S+)/mcp\n", log.read_text(errors="replace"))
    return match[1] if match else None


def _listening_service(log: Path) -> tuple[str, str] | None:
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.endswith("\n") and '"listening"' in line:
            event = json.loads(line)
            return event["public"], event["admin"]
    return None


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def _status(address: str, path: str) -> int | None:
    """The status of a GET; None when there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", _port_of(address), timeout=5)
    try:
        connection.request("GET", path, headers={"Host": address})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
