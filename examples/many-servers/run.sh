#!/usr/bin/env bash
# Starts the four MCP servers of this example on 127.0.0.1 and stops them all on exit (Ctrl-C).
set -euo pipefail
cd "$(dirname "$0")"

python="${PYTHON:-../../.tools/venv/bin/python}"
notes_port="${NOTES_PORT:-8001}"
everything_port="${EVERYTHING_PORT:-8002}"
memory_port="${MEMORY_PORT:-8003}"
files_port="${FILES_PORT:-8004}"

fail() { echo "run.sh: $*" >&2; exit 1; }
[ -x "$python" ] && [ -d node_modules ] || fail "run scripts/install-tools.sh first"
command -v curl >/dev/null || fail "curl is needed to see when the servers are ready"

state="$(mktemp -d)"
servers=()
# mcp-proxy's child ends when its input closes, so these four are all there is to stop.
stop() {
  trap - EXIT
  [ "${#servers[@]}" -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$state"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  local name="$1"
  shift
  "$@" >"$state/$name.log" 2>&1 &
  servers+=("$!")
}

# Answers `initialize`, as any client's first request does.
ready() {
  curl --silent --fail --max-time 5 --output /dev/null "http://127.0.0.1:$1/mcp" \
    --header 'Content-Type: application/json' --header 'Accept: application/json, text/event-stream' \
    --data '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"run.sh","version":"1.0.0"}}}'
}

wait_for() {
  for _ in $(seq 100); do
    if ready "$2"; then echo "$1: http://127.0.0.1:$2/mcp"; return; fi
    sleep 0.2
  done
  cat "$state/$1.log" >&2
  fail "$1 does not answer on 127.0.0.1:$2"
}

packages=node_modules/@modelcontextprotocol
# stdio server behind mcp-proxy, as Streamable HTTP
wrapped() {
  local port="$1"
  shift
  exec node node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs --host 127.0.0.1 --port "$port" --server stream -- node "$@"
}

mkdir "$state/files"
echo "Hello from the files." >"$state/files/welcome.txt"

start notes "$python" ../../test_mcp_server/server.py --host 127.0.0.1 --port "$notes_port"
PORT="$everything_port" start everything \
  node --import ./loopback-only.mjs "$packages/server-everything/dist/index.js" streamableHttp
MEMORY_FILE_PATH="$state/memory.jsonl" start memory wrapped "$memory_port" "$packages/server-memory/dist/index.js"
start files wrapped "$files_port" "$packages/server-filesystem/dist/index.js" "$state/files"

wait_for notes "$notes_port"
wait_for everything "$everything_port"
wait_for memory "$memory_port"
wait_for files "$files_port"
echo "all four are ready; Ctrl-C stops them"

# One that ends takes the example down with it, so that nobody tests against three.
wait -n || true
fail "a server ended"
