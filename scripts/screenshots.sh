#!/usr/bin/env bash
# Makes docs/images/{en,zh}/*.png: a picture of every page of a real server and agent in a real browser, with sample data, and fails
# where a page shows an error, nothing, or what goes over its edge. Leaves nothing behind but pictures.
#
#   scripts/screenshots.sh [NAME…]     NAME: of a picture, such as board; all of them if none is named
#
# LINEWATCH_SERVER and LINEWATCH_AGENT name other programs than the release build.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

if [ -z "${LINEWATCH_SERVER:-}" ] || [ -z "${LINEWATCH_AGENT:-}" ]; then
    cargo build --release --workspace --bins "${CARGO_FLAGS[@]}"
    export LINEWATCH_SERVER=${LINEWATCH_SERVER:-$TARGET/release/linewatch-server}
    export LINEWATCH_AGENT=${LINEWATCH_AGENT:-$TARGET/release/linewatch-agent}
fi
exec node tests/browser/screenshots.mjs docs/images "$@"
