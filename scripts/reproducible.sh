#!/usr/bin/env bash
# Builds the Debian packages twice: from two clones in folders of different names and depths, with different target folders,
# umasks, locales and times of day. Every byte has to be the same. What differs is named, with the first place in it.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
command -v dpkg-shlibdeps >/dev/null || fail "please install: dpkg-dev"
[ -z "$(git status --porcelain)" ] || fail "commit first: what is built is the last commit"

work=${REPRODUCIBLE_DIR:-$TARGET/reproducible}
rm -rf "$work"
mkdir -p "$work"

build() { # build NAME CLONE UMASK LOCALE ZONE
    say "── $1: from ${2#"$work"/}"
    git clone -q "$ROOT" "$2"
    (
        cd "$2"
        umask "$3"
        export LC_ALL=$4 TZ=$5 CARGO_TARGET_DIR=$work/target-$1 PACKAGE_OUT=$work/$1 CARGO_INCREMENTAL=0
        scripts/web.sh
        scripts/package.sh
    ) </dev/null >"$work/$1.log" 2>&1 || { tail -n 30 "$work/$1.log" >&2; fail "building $1 failed: $work/$1.log"; }
}

build first "$work/a" 022 C.UTF-8 UTC
build second "$work/another/place/with a blank" 077 C Asia/Shanghai

different=0
for package in "$work"/first/*.deb; do
    name=${package##*/}
    if cmp "$package" "$work/second/$name"; then
        say "same    $(sha256sum "$package" | cut -d' ' -f1)  $name"
        continue
    fi
    different=1
    say "DIFFERS $name"
    for side in first second; do dpkg-deb -x "$work/$side/$name" "$work/$side/${name%.deb}"; done
    diff -rq "$work/first/${name%.deb}" "$work/second/${name%.deb}" || true
done
rm -rf "$work"/target-*
exit "$different"
