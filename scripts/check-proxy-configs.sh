#!/bin/sh
# Checks every shipped proxy configuration with the proxy's own parser, on free ports:
#   envoy --mode validate, nginx -t, caddy validate and fmt, docker compose config where it is installed.
# Traefik has no check mode: it is started, must load every route and log no warning.
#
#   scripts/check-proxy-configs.sh [traefik|envoy|nginx|caddy|middleware-manager|compose]...
#
# Binaries come from .tools/venv/bin (scripts/install-tools.sh), else from PATH.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
PATH="$root/.tools/venv/bin:$PATH:/usr/sbin:/usr/local/sbin"
work=$(mktemp -d)
chmod 755 "$work"
traefik_pid=
trap 'stop_traefik; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
failed=0

ok()   { printf 'ok    %s\n' "$1"; }
fail() { printf 'FAIL  %s\n' "$1"; if [ $# -gt 1 ]; then sed 's/^/      /' "$2"; fi; failed=1; }
have() { command -v "$1" >/dev/null 2>&1 || { fail "$1 is not installed: run scripts/install-tools.sh"; return 1; }; }

stop_traefik() {
  if [ -n "$traefik_pid" ]; then kill "$traefik_pid" 2>/dev/null || true; wait "$traefik_pid" 2>/dev/null || true; fi
  traefik_pid=
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# GET $3 for host $2 through the proxy on port $1: prints the status.
status() { curl -s -o /dev/null -m 5 -w '%{http_code}' -H "Host: $2" "http://127.0.0.1:$1$3" || true; }

# $1 static file, $2 dynamic file, $3 name shown, $4 status of the metadata, $5 warning to ignore.
# Nobody answers behind Traefik here, so a decision that cannot be made is 500, an unreachable service 502,
# and a route that was not loaded 404.
check_traefik() {
  port=$(free_port)
  nobody=$(free_port)
  dir="$work/$(basename "$2" .yml)"
  mkdir -p "$dir/traefik"
  # `filename` points at the shipped dynamic file; here it points at the one under test.
  sed -E "s/\\b8080\\b/$port/; s|filename: .*|filename: traefik/dynamic.yml|" "$1" >"$dir/traefik/traefik.yml"
  sed -E "s/\\b(11000|8000)\\b/$nobody/" "$2" >"$dir/traefik/dynamic.yml"
  (cd "$dir" && exec traefik --configFile=traefik/traefik.yml) >"$dir/log" 2>&1 &
  traefik_pid=$!
  tries=0
  until [ "$(status "$port" mcp.example.com /mcp)" = 500 ] || [ $tries -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  guarded=$(status "$port" mcp.example.com /mcp)
  other=$(status "$port" other.example.com /mcp)
  metadata=$(status "$port" mcp.example.com /.well-known/oauth-protected-resource/mcp)
  stop_traefik
  sed "s/$(printf '\033')\[[0-9;]*m//g" "$dir/log" | grep -E ' (WRN|ERR|FTL) ' \
    | grep -vE "Error calling .*connection refused|${5:-^$}" >"$dir/trouble" || true
  if [ -s "$dir/trouble" ]; then
    fail "$3: the log holds warnings or errors" "$dir/trouble"
  elif [ "$guarded $other $metadata" != "500 404 $4" ]; then
    fail "$3: /mcp $guarded (500), other host $other (404), metadata $metadata ($4)"
  else
    ok "$3"
  fi
}

traefik_all() {
  have traefik && have curl || return 0
  t="$root/traefik"
  check_traefik "$t/traefik.yml" "$t/dynamic.yml" traefik/dynamic.yml 502
  check_traefik "$t/traefik-behind-load-balancer.yml" "$t/behind-load-balancer.yml" traefik/behind-load-balancer.yml 502
  check_traefik "$t/traefik.yml" "$t/dynamic-with-body.yml" traefik/dynamic-with-body.yml 502
  check_traefik "$t/traefik.yml" "$t/redirect-well-known.yml" traefik/redirect-well-known.yml 302
}

# The templates as Traefik sees them: `- id`/`type`/`config` become a middleware of the file provider.
middleware_manager() {
  have traefik && have curl || return 0
  dynamic="$work/templates.yml"
  awk '
    BEGIN      { print "http:\n  services:\n    mcp: {loadBalancer: {servers: [{url: \"http://127.0.0.1:8000\"}]}}"
                 print "  routers:\n    mcp: {rule: \"Host(`mcp.example.com`)\", service: mcp, middlewares: [mcp-security-chain]}"
                 print "  middlewares:" }
    /^  - id:/     { print "    " $3 ":"; next }
    /^    name:/   { next }
    /^    type:/   { print "      " $2 ":"; next }
    /^    config:/ { next }
    /^      /      { print "  " $0 }
  ' "$root/middleware-manager/templates.yml" | sed 's/mcpauth:11000/127.0.0.1:11000/' >"$dynamic"
  # maxResponseBodySize is left out of the templates: older Traefik versions refuse options they do not know.
  check_traefik "$root/traefik/traefik.yml" "$dynamic" middleware-manager/templates.yml 302 maxResponseBodySize
}

envoy_all() {
  have envoy || return 0
  for file in envoy/envoy.yaml envoy/envoy-with-body.yaml; do
    if envoy --mode validate -c "$root/$file" --base-id "$(free_port)" >"$work/envoy" 2>&1 \
      && ! grep -qiE 'deprecated|unknown field' "$work/envoy"; then ok "$file"
    else fail "$file" "$work/envoy"; fi
  done
}

nginx_all() {
  have nginx || return 0
  mkdir -p "$work/nginx-run/nginx"
  sed -E "s/\\b8080\\b/$(free_port)/" "$root/nginx/nginx.conf" >"$work/nginx-run/nginx/nginx.conf"
  if nginx -t -e stderr -p "$work/nginx-run" -c nginx/nginx.conf >"$work/nginx" 2>&1 \
    && ! grep -qE '\[(warn|error|emerg)\]' "$work/nginx"; then ok nginx/nginx.conf
  else fail nginx/nginx.conf "$work/nginx"; fi
}

caddy_all() {
  have caddy || return 0
  if caddy validate --config "$root/caddy/Caddyfile" --adapter caddyfile >"$work/caddy" 2>&1 \
    && caddy fmt "$root/caddy/Caddyfile" 2>>"$work/caddy" | cmp -s - "$root/caddy/Caddyfile"; then ok caddy/Caddyfile
  else fail caddy/Caddyfile "$work/caddy"; fi
}

compose_all() {
  if ! docker compose version >/dev/null 2>&1; then
    # Its shape is checked by the test suite; this is the second opinion of the program itself.
    printf 'note  docker-compose.yml: docker compose is not installed, so it was not asked\n'
  elif docker compose -f "$root/docker-compose.yml" config -q >"$work/compose" 2>&1; then ok docker-compose.yml
  else fail docker-compose.yml "$work/compose"; fi
}

[ $# -gt 0 ] || set -- traefik middleware-manager envoy nginx caddy compose
for part in "$@"; do
  case $part in
    traefik | envoy | nginx | caddy | compose) "${part}_all" ;;
    middleware-manager) middleware_manager ;;
    *) fail "$part: unknown; one of traefik, middleware-manager, envoy, nginx, caddy, compose" ;;
  esac
done
exit $failed
