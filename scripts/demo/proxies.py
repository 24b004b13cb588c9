"""The four proxies with the shipped files: other host names, addresses and ports, nothing else."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from demo.trouble import Trouble

PROJECT = Path(__file__).resolve().parents[2]
NAMES = {"traefik": "Traefik", "envoy": "Envoy", "nginx": "nginx", "caddy": "Caddy"}

# As in the first lines of the shipped files, with what keeps the demo to itself: Envoy's hot restart would leave shared
# memory behind, nginx would go to the background and look for the system's log.
ARGUMENTS = {
    "traefik": ["--configFile=traefik/traefik.yml"],
    "envoy": ["-c", "envoy/envoy.yaml", "--concurrency", "1", "--disable-hot-restart"],
    "nginx": ["-p", ".", "-c", "nginx/nginx.conf", "-e", "stderr", "-g", "daemon off;"],
    "caddy": ["run", "--config", "caddy/Caddyfile", "--adapter", "caddyfile"],
}


def prepare(proxy: str, folder: Path, port: int, service: int, upstream: int) -> list[str]:
    """Copies the shipped files into `folder`; the command runs there."""
    local = {
        "mcp.example.com": "localhost",
        "0.0.0.0": "127.0.0.1",
        "8080": str(port),
        "11000": str(service),
        "8000": str(upstream),
    }
    (folder / proxy).mkdir()
    for shipped in (PROJECT / proxy).iterdir():
        text = substitute(shipped.read_text(encoding="utf-8"), local)
        if proxy == "caddy":
            # A site address of Caddy names hosts to serve, not the address to listen on.
            text = text.replace("\tadmin off\n", "\tadmin off\n\tdefault_bind 127.0.0.1\n")
        (folder / proxy / shipped.name).write_text(text, encoding="utf-8")
    return [find(proxy), *ARGUMENTS[proxy]]


def substitute(text: str, local: Mapping[str, str]) -> str:
    """All at once: a port that was put in is not replaced again."""
    pattern = "|".join(rf"\b{re.escape(word)}\b" for word in local)
    return re.sub(pattern, lambda match: local[match[0]], text)


def find(proxy: str) -> str:
    """The program, from the project's tools or the system."""
    folders = [PROJECT / ".tools/venv/bin", "/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/bin"]
    for folder in folders:
        if program := shutil.which(proxy, path=str(folder)):
            return program
    raise Trouble(f"{NAMES[proxy]} is not installed. Install it with: scripts/install-tools.sh demo {proxy}")
