#!/usr/bin/env bash
# Runs the benchmarks one after the other, on release builds.
#
#   scripts/bench.sh [NAME]…      probe, alerts, board, …; all of them if none is named: then docs/benchmarks.md is written anew
#
# A benchmark is a program bench_NAME of tests/src/bin, or a script tests/browser/bench_NAME.mjs.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

known=()
for source in tests/src/bin/bench_* tests/browser/bench_*.mjs; do
    name=${source##*/bench_}
    name=${name%.rs}
    known+=("${name%.mjs}")
done
names=("${@#bench_}")
page=
[ ${#names[@]} -gt 0 ] || { names=("${known[@]}") page=docs/benchmarks.md; }
for name in "${names[@]}"; do
    [[ " ${known[*]} " == *" $name "* ]] || fail "no benchmark $name; there are: ${known[*]}"
done

LINEWATCH_BENCH_ROWS=$(mktemp)
export LINEWATCH_BENCH_ROWS
trap 'rm -f "$LINEWATCH_BENCH_ROWS"' EXIT

cargo build --release --workspace --bins "${CARGO_FLAGS[@]}"
say "on $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)"
say "load average before: $(cut -d' ' -f1-3 /proc/loadavg); what else runs makes every figure worse"
for name in "${names[@]}"; do
    say "── $name"
    if [ -f "tests/browser/bench_$name.mjs" ]; then
        LINEWATCH_SERVER=$TARGET/release/linewatch-server node "tests/browser/bench_$name.mjs" </dev/null
    else
        "$TARGET/release/bench_$name" </dev/null
    fi
done
if [ -n "$page" ]; then
    "$TARGET/release/benchmarks" "$LINEWATCH_BENCH_ROWS" docs/growth.svg >"$page"
    say "written: $page"
fi
