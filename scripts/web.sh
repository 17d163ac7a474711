#!/usr/bin/env bash
# Builds the board's page into server/web/dist, where the server embeds it, and the field page into agent/page, where the agent
# does; only when one of them is absent, or a source is newer.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT/server/web"

built=(dist/index.html ../../agent/page/index.html)
older=''
for page in "${built[@]}"; do
    if [ ! -f "$page" ]; then
        older=$page
        break
    fi
    newer=$(find src field public dev/size.mjs index.html package-lock.json ./*.config.js tsconfig.json \
        -newer "$page" -print -quit)
    if [ -n "$newer" ]; then
        older=$page
        say "${page#../../} is older than ${newer#./}"
        break
    fi
done
[ -n "$older" ] || exit 0
npm run --silent build </dev/null
# Vite keeps no old time stamps, but a build without changes must not look old either.
touch "${built[@]}"
