#!/usr/bin/env bash
# Runs every test: the page's, Rust's (both databases), the packages', the browser's. Later parts run even if an earlier
# one failed. Ends with what the runners reported, added up; any failure makes the exit code 1.
#
#   scripts/test.sh [web|rust|packages|browser]…      all of them if none is named
set -uo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT" || exit 1

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(web rust packages browser)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
broken=()

run() { # run PART COMMAND…: shows the output and keeps it for the sum
    local part=$1
    shift
    say "── $part: $*"
    "$@" </dev/null 2>&1 | tee -a "$logs/$part"
    local code=${PIPESTATUS[0]}
    [ "$code" = 0 ] || broken+=("$part (${*: -3}: exit $code)")
    return "$code"
}

part_web() {
    cd "$ROOT/server/web" || return 1
    run web npm run --silent check
    run web npm test --silent
    cd "$ROOT" || return 1
}

# The attacks take some minutes, so that `cargo test` alone leaves them out.
ATTACKS=linewatch-tests/attacks

part_rust() {
    # All targets at once: the stories run the very programs that are built here.
    run rust cargo build --workspace --all-targets --features "$ATTACKS" "${CARGO_FLAGS[@]}" || return
    LINEWATCH_SERVER=$TARGET/debug/linewatch-server LINEWATCH_AGENT=$TARGET/debug/linewatch-agent \
        run rust cargo test --workspace --no-fail-fast --features "$ATTACKS" "${CARGO_FLAGS[@]}"
}

part_packages() {
    local programs=$TARGET/debug
    # Those that the Rust part has built are taken as they are.
    [[ " ${parts[*]} " == *" rust "* && -x $programs/linewatch-agent && -x $programs/linewatch-server ]] || programs=
    run packages scripts/package-test.sh ${programs:+"$programs"}
}

part_browser() {
    local server=$TARGET/debug/linewatch-server
    [ -x "$server" ] || run browser cargo build --workspace --all-targets "${CARGO_FLAGS[@]}" || return
    cd "$ROOT/tests/browser" || return 1
    LINEWATCH_SERVER=$server run browser npm test --silent
    cd "$ROOT" || return 1
}

read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"
for part in "${parts[@]}"; do
    case $part in
        web | rust | packages | browser) "part_$part" ;;
        *) fail "unknown part: $part" ;;
    esac
done

for entry in "${broken[@]}"; do say "FAILED: $entry"; done
cat "$logs"/* | awk -v broken="${#broken[@]}" -f "$ROOT/scripts/sum.awk"
