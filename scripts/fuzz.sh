#!/usr/bin/env bash
# Fuzzes one target with coverage feedback, on the stable compiler: scripts/fuzz.sh TARGET [libFuzzer options]
#
#   scripts/fuzz.sh body -max_total_time=600
#
# It starts from fuzz/seeds/TARGET; what it learns goes to fuzz/corpus/TARGET, what it finds to fuzz/artifacts/TARGET. A file
# instead of options runs that one input. An input that takes five seconds or a gigabyte is a finding, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:-}
if [ ! -f "fuzz/fuzz_targets/$target.rs" ]; then
  echo "usage: $0 TARGET [libFuzzer options]; the targets are $(basename -s .rs fuzz/fuzz_targets/*.rs | tr '\n' ' ')" >&2
  exit 2
fi
shift

# What cargo-fuzz passes without a sanitizer. Only sanitizers need a nightly compiler, and the project holds no unsafe code.
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
  -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks
  --cfg=fuzzing
)
host=$(rustc -vV | sed -n 's/^host: //p')
# A target is named although it is this machine, so that build scripts and macros are not instrumented.
RUSTFLAGS="${flags[*]}" cargo build --release --locked --manifest-path fuzz/Cargo.toml --target-dir fuzz/target \
  --target "$host" --bin "$target"

artifacts=fuzz/artifacts/$target/
mkdir -p "fuzz/corpus/$target" "$artifacts"
program=(nice -n 10 "fuzz/target/$host/release/$target" -timeout=5 -rss_limit_mb=1024 "-artifact_prefix=$artifacts")
for argument in "$@"; do
  case $argument in
    -*) ;;
    *) exec "${program[@]}" "$@" ;;
  esac
done
exec "${program[@]}" "$@" "fuzz/corpus/$target" "fuzz/seeds/$target"
