"""Traefik and Envoy in front: the cost of asking as a user of the proxy sees it."""

import json
from contextlib import ExitStack
from pathlib import Path

from .servers import PROJECT, Server, bare, free_port

TOOLS = PROJECT / ".tools" / "venv" / "bin"


def traefik(stack: ExitStack, folder: Path, targets: dict[str, Server | None]) -> dict[str, Server]:
    upstream = stack.enter_context(bare(folder))
    port, dynamic, static = free_port(), folder / "traefik-dynamic.json", folder / "traefik.json"
    routers, middlewares = {}, {}
    for name, target in targets.items():
        routers[name] = {"rule": f"PathPrefix(`/{name}`)", "service": "upstream", "middlewares": [f"strip-{name}"]}
        middlewares[f"strip-{name}"] = {"replacePath": {"path": "/auth"}}
        if target:
            routers[name]["middlewares"].insert(0, f"ask-{name}")
            middlewares[f"ask-{name}"] = {"chain": {"middlewares": [f"path-{name}", f"auth-{name}"]}}
            # The service protects https://mcp.example.com/mcp; what it is told is set here, so that one port will do.
            middlewares[f"path-{name}"] = {"replacePath": {"path": "/mcp"}}
            middlewares[f"auth-{name}"] = {"forwardAuth": {
                "address": f"http://127.0.0.1:{target.port}/auth", "trustForwardHeader": True,
                "authResponseHeaders": ["X-Forwarded-User", "X-Forwarded-Email"]}}
    services = {"upstream": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{upstream.port}"}]}}}
    dynamic.write_text(json.dumps({"http": {"routers": routers, "middlewares": middlewares, "services": services}}))
    static.write_text(json.dumps({
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False}, "log": {"level": "ERROR"},
        "entryPoints": {"web": {"address": f"127.0.0.1:{port}", "forwardedHeaders": {"insecure": True}}},
        "providers": {"file": {"filename": str(dynamic)}}}))
    command = [str(TOOLS / "traefik"), f"--configFile={static}"]
    first = stack.enter_context(Server(command, port, f"http://127.0.0.1:{port}/nothing", pin=False))
    return _views(first, targets, "mcp.example.com", forwarded=True)


def envoy(stack: ExitStack, folder: Path, targets: dict[str, Server | None]) -> dict[str, Server]:
    upstream = stack.enter_context(bare(folder))
    port, file = free_port(), folder / "envoy.json"
    clusters = {name: target.port for name, target in targets.items() if target} | {"upstream": upstream.port}
    per_route = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"
    routes = []
    for name, target in targets.items():
        check = {"http_service": _http_service(name, target.port)} if target else None
        override = {"check_settings": check} if check else {"disabled": True}
        routes.append({
            "match": {"prefix": f"/{name}"}, "route": {"cluster": "upstream", "prefix_rewrite": "/auth"},
            "typed_per_filter_config": {"envoy.filters.http.ext_authz": {"@type": per_route, **override}}})
    file.write_text(json.dumps(_envoy(port, clusters, routes, next(t.port for t in targets.values() if t))))
    command = [str(TOOLS / "envoy"), "-c", str(file), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    first = stack.enter_context(Server(command, port, f"http://127.0.0.1:{port}/nothing", pin=False))
    return _views(first, targets, "mcp.example.com", forwarded=False)


def _http_service(cluster: str, port: int) -> dict:
    """Fixed to the path that the service protects; the bare handler answers there as well."""
    add = [("x-forwarded-uri", "/mcp"), ("x-forwarded-method", "POST"), ("x-forwarded-host", "mcp.example.com"),
           ("x-forwarded-proto", "https")]
    headers = ["x-forwarded-user", "x-forwarded-email"]
    return {
        "server_uri": {"uri": f"http://127.0.0.1:{port}", "cluster": cluster, "timeout": "5s"}, "path_override": "/auth",
        "authorization_request": {"headers_to_add": [{"key": key, "value": value} for key, value in add]},
        "authorization_response": {"allowed_upstream_headers": {"patterns": [{"exact": name} for name in headers]}}}


def _envoy(port: int, clusters: dict[str, int], routes: list, default: int) -> dict:
    kind = "type.googleapis.com/envoy.extensions.filters."
    address = lambda to: {"socket_address": {"address": "127.0.0.1", "port_value": to}}  # noqa: E731
    first = next(name for name in clusters if name != "upstream")
    filters = [
        {"name": "envoy.filters.http.ext_authz", "typed_config": {
            "@type": f"{kind}http.ext_authz.v3.ExtAuthz", "http_service": _http_service(first, default)}},
        {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{kind}http.router.v3.Router"}}]
    manager = {
        "@type": f"{kind}network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "web",
        "http_filters": filters, "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}}
    endpoints = lambda name, to: {  # noqa: E731
        "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(to)}}]}]}
    return {"static_resources": {
        "listeners": [{"name": "web", "address": address(port), "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{"name": name, "connect_timeout": "1s", "load_assignment": endpoints(name, to)}
                     for name, to in clusters.items()]}}


def _views(running: Server, targets: dict, host: str, forwarded: bool) -> dict[str, Server]:
    """The same process seen at each of its paths; the processor time is the proxy's."""
    views = {}
    for name in targets:
        view = Server(running.command, running.port, running.ready, pin=False, path=f"/{name}", host=host, forwarded=forwarded)
        view.process = running.process
        views[name] = view
    return views
