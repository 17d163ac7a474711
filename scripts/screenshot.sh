#!/usr/bin/env bash
# Makes docs/images/board.png: a picture of the real board of a real server in a real browser, with sample
# faults. LINEWATCH_SERVER names another program than the release build. Leaves nothing behind but pictures.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

if [ -z "${LINEWATCH_SERVER:-}" ]; then
    cargo build --release --workspace --bins "${CARGO_FLAGS[@]}"
    export LINEWATCH_SERVER=$TARGET/release/linewatch-server
fi
exec node tests/browser/board-picture.mjs docs/images/board.png
