#!/usr/bin/env bash
# Makes a sample desk and writes its report and the meeting's papers for October in every format and both languages, with
# a picture of each page of the PDFs, into target/report-sample or the folder that is named. LINEWATCH_SERVER and REPORT_SAMPLE name other
# programs than the release build.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"
out=${1:-$TARGET/report-sample}
month=2026-10

if [ -z "${LINEWATCH_SERVER:-}" ]; then
    cargo build --release --workspace --bins "${CARGO_FLAGS[@]}"
fi
server=${LINEWATCH_SERVER:-$TARGET/release/linewatch-server}
sample=${REPORT_SAMPLE:-$TARGET/release/report_sample}

rm -rf "$out"
mkdir -p "$out"
"$sample" "$out/desk"
for lang in zh en; do
    for format in json csv xlsx pdf; do
        "$server" --config "$out/desk/server.toml" report --month "$month" --group customer --lang "$lang" \
            --out "$out/report-$month.$lang.$format"
    done
    for format in json xlsx pdf; do
        "$server" --config "$out/desk/server.toml" papers --month "$month" --lang "$lang" --out "$out/papers-$month.$lang.$format"
    done
    for what in report papers; do
        pdftoppm -png -r 80 "$out/$what-$month.$lang.pdf" "$out/$what-$month.$lang"
    done
done
rm -rf "$out/desk"
say "in $out:"
ls -1 "$out"
