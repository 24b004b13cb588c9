# `make demo` and `make test` install what they need on a fresh Debian machine with Rust, Python 3 and Node.

.PHONY: tools check test demo demo-check

# For the demo: traefik, envoy, nginx or caddy; `make demo-check` also takes all. PORT=… chooses the proxy's port.
PROXY ?= traefik

# A debug build: the tests use the same one, and a release build takes several times as long to optimise what three
# requests do not need.
DEMO = scripts/install-tools.sh demo "$(PROXY)" && cargo build --locked && \
  exec .tools/venv/bin/python scripts/demo.py --proxy "$(PROXY)" $(if $(PORT),--port "$(PORT)")

tools:
	scripts/install-tools.sh

check:
	cargo fmt --check
	RUSTFLAGS=-Dwarnings cargo clippy --locked --all-targets

test: tools
	cargo test --locked

# An issuer, an MCP server, the service and the proxy on this machine, and three requests to try. Ctrl-C ends it.
demo:
	@$(DEMO)

# Starts the demo, runs its three requests, compares the answers, ends it.
demo-check:
	@$(DEMO) --check
