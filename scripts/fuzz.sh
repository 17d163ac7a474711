#!/usr/bin/env bash
# Fuzzes each decoder and parser that outsiders reach, SECONDS_EACH for each (default 60), two at a time.
#
#   scripts/fuzz.sh [TARGET]…        all of them if none is named; FUZZ_KEEP=1 adds what was found to tests/fuzz/corpus
#
# What libFuzzer needs of the compiler (coverage counters) are stable flags. Only linewatch's own crates get them.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT/tests/fuzz"

each=${SECONDS_EACH:-60}
all=(messages batches records minutes packs words packets tables pictures)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")
work=$TARGET/fuzz
mkdir -p "$work/log"

# Every crate gets the counters: a flag for single crates is not stable.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=16"
host=$(rustc -vV | sed -n 's/^host: //p')
# Naming the target keeps the flags from build scripts and macros.
CARGO_TARGET_DIR=$work/build cargo build --release --locked --target "$host"
fuzzer=$work/build/$host/release/fuzz

fuzz() { # fuzz TARGET: one target for its time
    local name=$1 corpus=$work/corpus/$1 kept=$ROOT/tests/fuzz/corpus/$1
    mkdir -p "$corpus" "$work/seeds/$name" "$work/found" "$kept"
    if FUZZ_TARGET=$name FUZZ_SEEDS=$work/seeds/$name "$fuzzer" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -verbosity=1 -artifact_prefix="$work/found/$name-" \
        "$corpus" "$work/seeds/$name" "$kept" >"$work/log/$name" 2>&1; then
        awk -v name="$name" -v each="$each" '
            /^stat::number_of_executed_units/ { runs = $2 }
            /^stat::peak_rss_mb/ { mb = $2 }
            / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corp = $(i + 1) } }
            END { printf "%-10s clean: %d inputs in %d s, %d edges, corpus %s, at most %d MiB\n", name, runs, each, cov, corp, mb }' \
            "$work/log/$name"
    else
        tail -n 40 "$work/log/$name" >&2
        say "$name FAILED: the input is in $work/found, the log in $work/log/$name"
        return 1
    fi
    if [ "${FUZZ_KEEP:-}" = 1 ]; then
        FUZZ_TARGET=$name "$fuzzer" -merge=1 -max_len=4096 "$kept" "$corpus" >>"$work/log/$name" 2>&1
    fi
}
export -f fuzz say
export work fuzzer each ROOT

failed=0
running=0
for name in "${targets[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || fail "unknown target: $name (there are: ${all[*]})"
    if [ "$running" -ge 2 ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$name" &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit "$failed"
