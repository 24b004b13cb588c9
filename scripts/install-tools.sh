#!/usr/bin/env bash
# Installs what the tests and the demo need besides Rust. Quick when everything is there.
#
#   scripts/install-tools.sh                all of it
#   scripts/install-tools.sh demo [PROXY]   only what the demo with this proxy needs (traefik, envoy, nginx, caddy or all;
#                                           without it $PROXY, else traefik)
#   scripts/install-tools.sh bench          only what the benches need
#   scripts/install-tools.sh oidc-provider  only the certified OpenID Connect provider that tests sign in at
#   scripts/install-tools.sh keycloak       only Keycloak, likewise
#
# .tools/venv    Python, the MCP SDK, traefik, envoy and caddy, from tests/requirements.txt
# node_modules   beside every package-lock.json
# .tools/keycloak    Keycloak from Maven Central, built for a quick start
# .tools/rust-client    the client on the Rust SDK, from tests/clients/rust
# nginx, curl, chromium, wrk, valgrind, java, maven, g++  from the system's packages (apt), where they are missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.tools/venv
REQUIREMENTS=(tests/requirements.txt test_mcp_server/requirements.txt)
NODE_NEEDED=20.18.1
JAVA_NEEDED=17

KEYCLOAK=.tools/keycloak
KEYCLOAK_VERSION=26.7.3
KEYCLOAK_SHA256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
# Settled at the build, so that a start need not look for them.
KEYCLOAK_BUILD=(--db=dev-mem --features-disabled=account,impersonation,kerberos,organization,device-flow,ciba)

USAGE="usage: $0 [demo [PROXY] | bench | oidc-provider | keycloak]"

main() {
  case "${1:-all}" in
    all | bench) [ $# -le 1 ] || fail "$USAGE" ;;
    demo) check_proxy "${2:-${PROXY:-traefik}}" ;;
    oidc-provider | keycloak) [ $# -le 1 ] || fail "$USAGE" ;;
    *) fail "$USAGE" ;;
  esac
  mkdir -p .tools
  one_at_a_time
  case "${1:-all}" in
    oidc-provider) install_node_package tests/idp/oidc-provider && return ;;
    keycloak) install_keycloak && return ;;
  esac
  install_venv
  command -v curl >/dev/null || apt_install curl
  case "${1:-all} ${2:-${PROXY:-traefik}}" in
    bench*)
      command -v wrk >/dev/null || apt_install wrk
      command -v valgrind >/dev/null || apt_install valgrind
      ;;
    all*)
      # For libFuzzer, which the fuzz targets link.
      command -v c++ >/dev/null || apt_install g++
      install_nginx
      install_node_modules
      install_chromium
      install_rust_client
      install_keycloak
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

# Only the program is kept: what it is built from is as large as everything else together.
install_rust_client() {
  local source=tests/clients/rust stamp build=.tools/rust-client-build
  stamp="$(hash_of "$source"/Cargo.toml "$source"/Cargo.lock "$source"/src/*.rs)"
  if [ -x .tools/rust-client ] && [ "$(cat .tools/rust-client.stamp 2>/dev/null)" = "$stamp" ]; then return; fi
  say "building .tools/rust-client"
  cargo build --quiet --locked --manifest-path "$source/Cargo.toml" --target-dir "$build" ||
    fail "cargo could not build $source"
  mv "$build/debug/rust-client" .tools/rust-client
  rm -rf "$build"
  echo "$stamp" >.tools/rust-client.stamp
}

# The tests drive it; any Chromium will do.
install_chromium() {
  local browser
  for browser in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    if [ -n "$browser" ] && [ -x "$browser" ]; then return; fi
  done
  apt_install chromium
}

install_node_modules() {
  local lock
  while IFS= read -r lock; do
    install_node_package "$(dirname "$lock")"
  done < <(find . \( -name node_modules -o -name target -o -name .tools -o -name .git \) -prune \
    -o -name package-lock.json -print)
}

install_node_package() {
  local directory="$1" stamp
  stamp="$(hash_of "$directory/package-lock.json" "$directory/package.json" "$directory/.npmrc")"
  if [ "$(cat "$directory/node_modules/.stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
  need_node
  say "installing $directory/node_modules"
  (cd "$directory" && npm ci --loglevel=error >/dev/null) || fail "npm could not install $directory"
  echo "$stamp" >"$directory/node_modules/.stamp"
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

# The archive is fetched by Maven as it is set up here, checked, unpacked and dropped again: it is as large as what is in
# it.
install_keycloak() {
  local stamp repository=".tools/keycloak-download" archive
  stamp="$KEYCLOAK_SHA256 ${KEYCLOAK_BUILD[*]}"
  if [ "$(cat "$KEYCLOAK/.stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
  need_java
  need_python
  command -v mvn >/dev/null || apt_install maven
  say "installing $KEYCLOAK"
  rm -rf "$KEYCLOAK" "$repository"
  mvn --quiet --batch-mode dependency:get -Dmaven.repo.local="$PWD/$repository" -Dtransitive=false \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip" >&2 || fail "mvn could not fetch Keycloak"
  archive="$repository/org/keycloak/keycloak-quarkus-dist/$KEYCLOAK_VERSION/keycloak-quarkus-dist-$KEYCLOAK_VERSION.zip"
  [ "$(hash_of "$archive")" = "$KEYCLOAK_SHA256" ] || fail "$archive is not the Keycloak that was expected"
  python3 -m zipfile -e "$archive" "$repository" || fail "$archive cannot be unpacked"
  mv "$repository/keycloak-$KEYCLOAK_VERSION" "$KEYCLOAK"
  rm -rf "$repository"
  bash "$KEYCLOAK/bin/kc.sh" build "${KEYCLOAK_BUILD[@]}" >/dev/null || fail "Keycloak could not be built"
  echo "$stamp" >"$KEYCLOAK/.stamp"
}

need_java() {
  command -v java >/dev/null || apt_install default-jre-headless
  local version
  version="$(java -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p')"
  [ "${version:-0}" -ge "$JAVA_NEEDED" ] || fail "Java $JAVA_NEEDED or newer is needed, not ${version:-an unknown one}"
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
