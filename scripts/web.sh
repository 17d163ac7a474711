#!/usr/bin/env bash
# Builds the board's page into server/web/dist, where the server embeds it; only when a source is newer.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT/server/web"

built=dist/index.html
if [ -f "$built" ]; then
    newer=$(find src public index.html package-lock.json ./*.config.js tsconfig.json -newer "$built" -print -quit)
    [ -n "$newer" ] || exit 0
    say "the page is older than ${newer#./}"
fi
npm run --silent build </dev/null
# Vite keeps no old time stamps, but a build without changes must not look old either.
touch "$built"
