# `make demo` and `make test` install what they need on a fresh Debian machine with Rust, Python 3 and Node.

.PHONY: tools check test

tools:
	scripts/install-tools.sh

check:
	cargo fmt --check
	RUSTFLAGS=-Dwarnings cargo clippy --locked --all-targets

test: tools
	cargo test --locked
