#!/usr/bin/env bash
# Installs what the tests and the demo need besides Rust. Quick when everything is there.
#
#   scripts/install-tools.sh                all of it
#   scripts/install-tools.sh demo [PROXY]   only what the demo with this proxy needs (traefik, envoy, nginx, caddy or all;
#                                           without it $PROXY, else traefik)
#   scripts/install-tools.sh bench          only what the benches need
#
# .tools/venv    Python, the MCP SDK, traefik, envoy and caddy, from tests/requirements.txt
# node_modules   beside every package-lock.json
# nginx, curl, wrk, valgrind    from the system's packages (apt), where they are missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.tools/venv
REQUIREMENTS=(tests/requirements.txt test_mcp_server/requirements.txt)
NODE_NEEDED=20.18.1

main() {
  case "${1:-all}" in
    all | bench) [ $# -le 1 ] || fail "usage: $0 [demo [PROXY] | bench]" ;;
    demo) check_proxy "${2:-${PROXY:-traefik}}" ;;
    *) fail "usage: $0 [demo [PROXY] | bench]" ;;
  esac
  mkdir -p .tools
  one_at_a_time
  install_venv
  command -v curl >/dev/null || apt_install curl
  case "${1:-all} ${2:-${PROXY:-traefik}}" in
    bench*)
      command -v wrk >/dev/null || apt_install wrk
      command -v valgrind >/dev/null || apt_install valgrind
      ;;
    all*)
      install_nginx
      install_node_modules
      ;;
    "demo nginx" | "demo all") install_nginx ;;
  esac
}

fail() { echo "install-tools: $*" >&2; exit 1; }
say() { echo "install-tools: $*" >&2; }

check_proxy() {
  case "$1" in
    traefik | envoy | nginx | caddy | all) ;;
    *) fail "no such proxy: $1 (traefik, envoy, nginx, caddy or all)" ;;
  esac
}

# Two test runs may start at the same time.
one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>.tools/lock
  flock 9
}

install_venv() {
  local stamp
  # The directory belongs to the stamp: the programs in a venv name it.
  stamp="$(hash_of "${REQUIREMENTS[@]}") $PWD"
  if [ -x "$VENV/bin/python" ] && [ "$(cat "$VENV/.stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
  need_python
  say "installing $VENV"
  rm -rf "$VENV"
  python3 -m venv "$VENV" || fail "python3 could not make $VENV"
  "$VENV/bin/pip" install --quiet --no-input --disable-pip-version-check --requirement "${REQUIREMENTS[0]}" ||
    fail "pip could not install ${REQUIREMENTS[0]}"
  echo "$stamp" >"$VENV/.stamp"
}

need_python() {
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then apt_install python3 python3-venv; fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "Python 3.10 or newer is needed"
}

install_nginx() {
  if command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then return; fi
  apt_install nginx
}

install_node_modules() {
  local lock directory stamp
  while IFS= read -r lock; do
    directory="$(dirname "$lock")"
    stamp="$(hash_of "$lock" "$directory/package.json" "$directory/.npmrc")"
    if [ "$(cat "$directory/node_modules/.stamp" 2>/dev/null)" = "$stamp" ]; then continue; fi
    need_node
    say "installing $directory/node_modules"
    (cd "$directory" && npm ci --loglevel=error >/dev/null) || fail "npm could not install $lock"
    echo "$stamp" >"$directory/node_modules/.stamp"
  done < <(find . \( -name node_modules -o -name target -o -name .tools -o -name .git \) -prune \
    -o -name package-lock.json -print)
}

need_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail "node $NODE_NEEDED or newer and npm are needed"
  fi
  local version
  version="$(node --version)"
  version="${version#v}"
  [ "$(printf '%s\n%s\n' "$NODE_NEEDED" "$version" | sort -V | head -n 1)" = "$NODE_NEEDED" ] ||
    fail "node $NODE_NEEDED or newer is needed, not $version"
}

apt_install() {
  command -v apt-get >/dev/null || fail "$* missing, and there is no apt-get to install it with"
  say "installing $* with apt-get"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "$* missing: run this as root, or install it yourself"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update --quiet=2 || fail "apt-get update failed"
  # RUNLEVEL=1: the tests start their own nginx, the system's is not to take port 80.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install --yes --quiet=2 --no-install-recommends "$@" >/dev/null || fail "apt-get could not install $*"
}

hash_of() {
  if command -v sha256sum >/dev/null; then cat "$@" | sha256sum; else cat "$@" | shasum -a 256; fi | cut -d ' ' -f 1
}

main "$@"
