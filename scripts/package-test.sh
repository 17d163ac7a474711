#!/usr/bin/env bash
# Installs the Debian packages with dpkg, upgrades, removes and purges them, with the programs at work in between.
# All of it happens over a copy of this machine's files that is thrown away (an overlay), with a network, processes and
# a /run of its own: the machine is left as it was, which is checked last. Needs root and overlay mounts, no network.
#
#   scripts/package-test.sh [DIR]     packages the programs of DIR; without it, builds them for debugging
#
# Ends with a table of what was checked, or with what failed; where it cannot run it says why, and ends with 0.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

skip() {
    say "package-test: left out: $*"
    say "# skipped 1"
    exit 0
}

# The same programs as two versions of a package.
OLD=0.0.9
NEW=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ "$(id -u)" = 0 ] || skip "only root can install packages"
for command in dpkg dpkg-deb dpkg-shlibdeps adduser ip setpriv runuser strip; do
    command -v "$command" >/dev/null || skip "there is no $command"
done
# What nobody has from the machine itself: an installed linewatch would be upgraded instead of installed.
for name in linewatch-server linewatch-agent; do
    ! dpkg-query -W "$name" >/dev/null 2>&1 || skip "$name is installed here"
done
# The upper layer is in memory: below a container's root, which is an overlay itself, it could not be on disk.
layers() { # layers DIR: an overlay over / in DIR/root, in this mount namespace alone
    mount -t tmpfs -o mode=0755 layers "$1" && mkdir "$1/upper" "$1/work" "$1/root" &&
        mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" layers "$1/root"
}
export -f layers
mkdir "$work/layers"
# shellcheck disable=SC2016  # for the inner bash
unshare --mount --net --pid --fork bash -c 'layers "$1"' - "$work/layers" >"$work/refused" 2>&1 ||
    skip "no overlay over / can be mounted here: $(tail -1 "$work/refused")"

programs=${1:-}
if [ -z "$programs" ]; then
    cargo build -p linewatch-server -p linewatch-agent "${CARGO_FLAGS[@]}"
    programs=$TARGET/debug
fi

# What an installation would change, and what the postinst sets.
machine() {
    sha256sum /etc/passwd /etc/group /etc/shadow /var/lib/dpkg/status
    cat /proc/sys/net/ipv4/ping_group_range
    ls -d /etc/linewatch /usr/bin/linewatch-* /var/lib/linewatch-* 2>/dev/null || true
}

# Once, instead of for each version.
mkdir "$work/programs"
for name in linewatch-server linewatch-agent; do
    strip --strip-debug -o "$work/programs/$name" "$programs/$name"
done
for version in "$OLD" "$NEW"; do
    PACKAGE_PROGRAMS=$work/programs PACKAGE_VERSION=$version PACKAGE_OUT=$work/debs PACKAGE_COMPRESS=none \
        scripts/package.sh >/dev/null
done
machine >"$work/before"
code=0
# The first process inside ends last: with it goes whatever still runs there.
# shellcheck disable=SC2016  # for the inner bash
unshare --mount --net --pid --fork --kill-child bash -euo pipefail -c '
    layers "$1/layers"
    root=$1/layers/root
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=0755 run "$root/run"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mkdir "$root/tmp/debs" "$root/run/changed"
    mount --bind "$1/layers/upper" "$root/run/changed"
    cp "$1"/debs/*.deb "$root/tmp/debs"
    cp scripts/package-test-inside.sh "$root/tmp"
    ip link set lo up
    chroot "$root" env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 bash /tmp/package-test-inside.sh "$2" "$3"
' - "$work" "$OLD" "$NEW" </dev/null || code=$?
machine >"$work/after"
if ! diff "$work/before" "$work/after"; then
    say "FAILED: the machine itself was changed"
    code=1
fi
[ "$code" = 0 ] || { say "# fail 1"; exit 1; }
say "  machine    its accounts, packages, files and kernel settings are what they were"
