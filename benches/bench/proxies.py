"""Traefik and Envoy with the shipped files in front: what asking costs, as a user of the proxy sees it.

Each way of asking has a proxy of its own, with a copy of the shipped files in which ports are changed. Without
authorization its part is taken out of the copy; Envoy's own check of tokens takes its place in another.
"""

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .issuer import RESOURCE, Issuer
from .load import Load, compare, measure, table
from .servers import PROJECT, Server, bare, free_port, service

TOOLS = PROJECT / ".tools" / "venv" / "bin"
HOST = "mcp.example.com"

Edit = Callable[[str], str]


class Proxy(Server):
    host, forwarded, path = HOST, False, "/mcp"

    @staticmethod
    def is_ready(status: int) -> bool:
        """Asked without a token. Traefik says 404 until it has read its routes; 503 and 502 come before the backends do."""
        return status in (200, 401)


class Backends:
    """What stands behind the proxies; `targets` may be asked for decisions, all cached but where it is said."""

    def __init__(self, stack: ExitStack, issuer: Issuer, folder: Path) -> None:
        start = stack.enter_context
        self.upstream = start(bare(pin=False))
        self.targets = {
            "bare handler": start(bare(pin=False)),
            "cached": start(service(issuer, folder, "behind", pin=False)),
            "cached, every allow logged": start(service(issuer, folder, "behind-logged", allows=1.0, pin=False)),
            "uncached RS256": start(service(issuer, folder, "behind-uncached", cache_bytes=0, pin=False)),
        }


def run(stack: ExitStack, issuer: Issuer, folder: Path, rounds: int) -> None:
    backends, tokens = Backends(stack, issuer, folder), issuer.tokens("RS256", 1000)
    for name, launch, ways in (("Traefik", traefik, {}), ("Envoy", envoy, {"own check of RS256": _own_check(issuer)})):
        loads = []
        for way, (target, edit) in _ways(backends, launch, ways).items():
            place = folder / f"{name}-{len(loads)}"
            proxy = stack.enter_context(launch(place, (target or backends.upstream).port, backends.upstream.port, edit))
            loads.append(Load(way, proxy, tokens, counted=[proxy, *filter(None, [target])]))
        print(f"### {name}\n")
        results = measure(loads, folder, rounds, pinned=False)
        table(results, "no authorization")
        logged = "cached, every allow logged"
        compare(results, [(logged, "bare handler"), ("cached", "bare handler"), *((logged, way) for way in ways)])
        print()


def _ways(backends: Backends, launch: Callable, more: dict[str, Edit]) -> dict[str, tuple[Server | None, Edit]]:
    without = _without_traefik if launch is traefik else _without_envoy
    return {
        "no authorization": (None, without),
        **{name: (target, _unchanged) for name, target in backends.targets.items()},
        **{name: (None, edit) for name, edit in more.items()},
    }


def traefik(folder: Path, asked: int, upstream: int, edit: Edit) -> Proxy:
    port = free_port()
    _copy("traefik", folder, (port, asked, upstream), edit)
    return Proxy([str(TOOLS / "traefik"), "--configFile=traefik/traefik.yml"], port, (port, "/mcp"), pin=False, cwd=folder)


def envoy(folder: Path, asked: int, upstream: int, edit: Edit) -> Proxy:
    port = free_port()
    _copy("envoy", folder, (port, asked, upstream), edit)
    command = [str(TOOLS / "envoy"), "-c", "envoy/envoy.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return Proxy(command, port, (port, "/mcp"), pin=False, cwd=folder)


def _copy(name: str, folder: Path, ports: tuple[int, int, int], edit: Edit) -> None:
    """The shipped files with other ports, in one go: a new port may look like a shipped one."""
    (folder / name).mkdir(parents=True)
    new, edited = dict(zip(("8080", "11000", "8000"), map(str, ports))), False
    for file in (PROJECT / name).iterdir():
        text = re.sub(r"\b(8080|11000|8000)\b", lambda found: new[found[0]], file.read_text())
        (folder / name / file.name).write_text(edit(text))
        edited |= edit(text) != text
    if not edited and edit is not _unchanged:
        raise SystemExit(f"bench: what was to be changed is no longer in the files of {name}")


def _unchanged(text: str) -> str:
    return text


def _without_traefik(text: str) -> str:
    return text.replace(", mcp-auth]", "]")


FILTER = re.compile(r"^ {10}- name: envoy\.filters\.http\.ext_authz\n.*?(?=^ {10}- name: )", re.DOTALL | re.MULTILINE)


def _without_envoy(text: str) -> str:
    return FILTER.sub("", text)


def _own_check(issuer: Issuer) -> Edit:
    """Envoy's `jwt_authn`, with the keys in its file and without its cache of tokens, which is off unless asked for."""
    provider = {
        "issuer": issuer.url, "audiences": [RESOURCE], "forward": True,
        "local_jwks": {"inline_string": json.dumps({"keys": [issuer.public("RS256")]})},
    }
    kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    rules = [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}]
    config = {"@type": kind, "providers": {"issuer": provider}, "rules": rules}
    # JSON is YAML.
    written = f"{' ' * 10}- {json.dumps({'name': 'envoy.filters.http.jwt_authn', 'typed_config': config})}\n"
    return lambda text: FILTER.sub(lambda _: written, text)
