#!/usr/bin/env bash
# Runs the benchmarks one after the other, on release builds.
#
#   scripts/bench.sh [NAME]…      bench_probe, bench_alert, …; all of them if none is named
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

names=("$@")
if [ ${#names[@]} = 0 ]; then
    for source in tests/src/bin/bench_*; do
        name=${source##*/}
        names+=("${name%.rs}")
    done
fi
cargo build --release --workspace --bins "${CARGO_FLAGS[@]}"
say "on $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)"
for name in "${names[@]}"; do
    say "── $name"
    "$TARGET/release/$name" </dev/null
done
