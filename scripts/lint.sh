#!/usr/bin/env bash
# Everything that can be said about the sources without running them. All checks run; any finding makes
# the exit code 1. A checker that the machine lacks is named as skipped.
set -uo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT" || exit 1
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"
failed=()

check() { # check NAME COMMAND…
    say "── $1"
    "${@:2}" </dev/null || failed+=("$1")
}

with() { # with COMMAND NAME COMMAND…: only where there is one
    if command -v "$1" >/dev/null; then
        check "${@:2}"
    else
        say "── $2: skipped, there is no $1"
    fi
}

# The programs that the units name are not installed here: a program that always is stands in.
units() {
    local dir status=0
    dir=$(mktemp -d)
    for unit in deploy/systemd/*.service; do
        sed 's#^ExecStart=/usr/bin/linewatch-[a-z]*#ExecStart=/bin/true#' "$unit" >"$dir/${unit##*/}"
    done
    # Verify says nothing about a unit that is fine, and ends with 0 after a warning too.
    local said
    said=$(systemd-analyze verify --man=no "$dir"/*.service 2>&1 | grep -F linewatch) && { say "$said"; status=1; }
    for unit in "$dir"/*.service; do
        systemd-analyze security --no-pager --offline=true --threshold=25 "$unit" >"$dir/report" 2>&1 || {
            cat "$dir/report"
            status=1
        }
        tail -1 "$dir/report"
    done
    rm -rf "$dir"
    return "$status"
}

containers() {
    local status=0 file
    for file in deploy/container/*.Containerfile; do
        grep -q '^USER [1-9]' "$file" || { say "$file: must end as a numbered user who is not root"; status=1; }
        grep -nE '^FROM [^ ]+($| )' "$file" | grep -vE 'FROM ([a-z./-]+:[a-z0-9.-]+|build)( AS [a-z]+)?$' && { say "$file: name the version of each base"; status=1; }
        grep -nE '^ADD ' "$file" && { say "$file: COPY, not ADD"; status=1; }
    done
    return "$status"
}

check "cargo fmt" cargo fmt --all --check
check "cargo clippy" cargo clippy --workspace --all-targets --features linewatch-tests/attacks "${CARGO_FLAGS[@]}" -- -D warnings
check "page" npm --prefix server/web run --silent lint
with shellcheck "shell scripts" shellcheck -x -P scripts scripts/*.sh .ci/run deploy/debian/*.postinst deploy/debian/*.prerm deploy/debian/*.postrm
with systemd-analyze "systemd units" units
check "container files" containers
if command -v cargo-deny >/dev/null; then
    check "licences and sources" cargo deny --offline check licenses bans sources
else
    check "licences and sources" node scripts/licences.mjs
fi

if [ ${#failed[@]} -gt 0 ]; then
    say "lint: ${#failed[@]} failed: ${failed[*]}"
    exit 1
fi
say "lint: all clean"
