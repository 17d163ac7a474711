#!/usr/bin/env bash
# Builds one Debian package for each program into target/debian: the program (profile "dist"), its unit, its
# configuration, its documents. Its dependencies are what the program is really linked to.
#
# For tests, by the environment:
#   PACKAGE_PROGRAMS=DIR   programs that are built already; nothing is built
#   PACKAGE_VERSION=0.0.9  instead of that of Cargo.toml
#   PACKAGE_OUT=DIR        instead of target/debian
#   PACKAGE_COMPRESS=none  instead of xz, which takes long
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
read -ra CARGO_FLAGS <<<"${CARGO_FLAGS---locked}"

command -v dpkg-shlibdeps >/dev/null || fail "please install: dpkg-dev"
programs=${PACKAGE_PROGRAMS:-}
if [ -z "$programs" ]; then
    # No path of this machine goes into the programs: the same sources give the same bytes (scripts/reproducible.sh).
    # Flags parted by a byte that no path has, as paths may have blanks.
    CARGO_ENCODED_RUSTFLAGS=$(printf -- '--remap-path-prefix=%s\x1f--remap-path-prefix=%s' "$ROOT=/linewatch" "${CARGO_HOME:-$HOME/.cargo}=/cargo") \
        cargo build --profile dist -p linewatch-server -p linewatch-agent "${CARGO_FLAGS[@]}"
    programs=$TARGET/dist
fi

version=${PACKAGE_VERSION:-$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)}
arch=$(dpkg --print-architecture)
out=${PACKAGE_OUT:-$TARGET/debian}
# The same commit gives the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$out"
umask 022

describe() {
    case $1 in
        server) printf '%s\n %s\n %s\n' "deadlines of customers' lines: restoration, feedback, callbacks" \
            "Takes in what agents saw and what people did, counts down what was promised to" \
            "customers, shows it on a live board and alerts account managers before it slips." ;;
        agent) printf '%s\n %s\n %s\n' "probes customers' lines and keeps what it saw, also offline" \
            "Probes by ICMP, TCP, HTTP and DNS, tells a dead line from its own dead uplink," \
            "journals everything durably and syncs it to linewatch-server." ;;
    esac
}

depends() { # depends PROGRAM
    (
        cd "$stage"
        mkdir -p debian
        printf 'Source: linewatch\n\nPackage: linewatch\nArchitecture: any\n' >debian/control
        dpkg-shlibdeps -O "$1" 2>/dev/null | sed -n 's/^shlibs:Depends=//p'
    )
}

package() { # package server|agent
    local what=$1 name=linewatch-$1 root=$stage/$1 doc
    doc=$root/usr/share/doc/$name
    install -Dm755 "$programs/$name" "$root/usr/bin/$name"
    install -Dm644 "deploy/systemd/$name.service" "$root/usr/lib/systemd/system/$name.service"
    install -Dm644 "deploy/$what.toml" "$root/etc/linewatch/$what.toml"
    install -Dm644 docs/manual.md "$doc/manual.md"
    install -Dm644 LICENSE "$doc/copyright"
    node scripts/sbom.mjs "$name" "$doc/sbom.cdx.json"
    gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
    if [ "$what" = server ]; then
        install -Dm644 -t "$doc/examples" deploy/sample/*.csv shared/packs/*.toml
        install -Dm644 docs/reports.md "$doc/reports.md"
        install -Dm644 server/assets/fonts/LICENSE.txt "$doc/report-font-license.txt"
    else
        install -Dm644 deploy/sysctl.d/60-linewatch-agent.conf "$root/usr/lib/sysctl.d/60-linewatch-agent.conf"
    fi
    mkdir -p "$root/DEBIAN"
    local script
    for script in postinst prerm postrm; do
        install -m755 "deploy/debian/$name.$script" "$root/DEBIAN/$script"
    done
    printf '/etc/linewatch/%s.toml\n' "$what" >"$root/DEBIAN/conffiles"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: %s\n' "$name" "$version" "$arch"
        printf 'Maintainer: linewatch maintainers <maintainers@linewatch.invalid>\n'
        printf 'Depends: %s, adduser\nRecommends: ca-certificates\n' "$(depends "$root/usr/bin/$name")"
        [ "$what" = server ] && printf 'Suggests: postgresql\n'
        printf 'Section: net\nPriority: optional\nInstalled-Size: %s\n' "$(du -sk --exclude=DEBIAN "$root" | cut -f1)"
        printf 'Description: '
        describe "$what"
    } >"$root/DEBIAN/control"
    (cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group "-Z${PACKAGE_COMPRESS:-xz}" --build "$root" "$out/${name}_${version}_$arch.deb"
}

package server
package agent
