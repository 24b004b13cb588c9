# `make demo` and `make test` install what they need on a fresh Debian machine with Rust, Python 3 and Node.

.PHONY: tools check test demo demo-check bench bench-memory bench-instructions bench-build

# For the demo: traefik, envoy, nginx or caddy; `make demo-check` also takes all. PORT=… chooses the proxy's port.
PROXY ?= traefik

# A debug build: the tests use the same one, and a release build takes several times as long to optimise what a demo
# does not need.
DEMO = scripts/install-tools.sh demo "$(PROXY)" && cargo build --locked && \
  exec .tools/venv/bin/python scripts/demo.py --proxy "$(PROXY)" $(if $(PORT),--port "$(PORT)")

tools:
	scripts/install-tools.sh

check:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir target

# Four at a time: the longest tests wait for streams, not for a core.
test: tools check
	scripts/check-proxy-configs.sh
	cargo test --locked -- --test-threads=4

# The service with its authorization server, an MCP server and the proxy on this machine, for any MCP client. Ctrl-C ends it.
demo:
	@$(DEMO)

# Starts the demo, connects to it as Alice and as Bob with the Python SDK, compares what comes of it, ends it.
demo-check:
	@$(DEMO) --check

# Ratios to a handler that decides nothing, in interleaved runs: asked directly, with two workers, behind Traefik and Envoy,
# and one check without HTTP. About a quarter of an hour with the build; on an idle machine, or the figures mean little.
bench: bench-build
	.tools/venv/bin/python benches/run.py
	cargo bench --locked --bench verification

# Resident memory while a million distinct tokens come: minutes.
bench-memory: bench-build
	.tools/venv/bin/python benches/run.py memory

# User-space instructions per request and per check, by callgrind: exact, and slow.
bench-instructions: bench-build
	.tools/venv/bin/python benches/run.py instructions

bench-build:
	scripts/install-tools.sh bench
	cargo build --release --locked --bin mcp-forward-auth --example bare --example common
	cargo bench --locked --bench verification --no-run
