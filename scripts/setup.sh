#!/usr/bin/env bash
# Installs what is missing, by apt-get when root; otherwise says what to install. Quick when nothing is.
#
#   scripts/setup.sh PART…      PART: build, web, test, demo, bench, peers, faults, screenshots, report
set -euo pipefail
. "$(dirname "$0")/env.sh"

# Vite needs Node 20.19 or later; Debian 12 has 18.
NODE_MIN=20.19
NODE_INSTALLED=22.23.3

missing=()
want() { # want COMMAND PACKAGE…
    command -v "$1" >/dev/null || missing+=("${@:2}")
}

node_is_fine() {
    command -v node >/dev/null && [ "$(printf '%s\n' "$NODE_MIN" "$(node --version | tr -d v)" | sort -V | head -1)" = "$NODE_MIN" ]
}

has_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

has_chinese_font() {
    command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh 2>/dev/null)" ]
}

# For Debian's own Python: another one that comes first in PATH has other packages.
has_aiosmtpd() {
    /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null
}

# Programs that are measured beside ours are unpacked into a folder: no users, services or settings come with them.
PEERS=$TARGET/tools/peers
has_blackbox() {
    "$PEERS/usr/bin/prometheus-blackbox-exporter" --version >/dev/null 2>&1
}
has_zabbix() {
    "$PEERS/usr/sbin/zabbix_proxy" --version >/dev/null 2>&1 && "$PEERS/usr/sbin/zabbix_server" --version >/dev/null 2>&1
}

for part in "$@"; do
    case $part in
        build)
            command -v cargo >/dev/null || fail "Rust is missing: install it with rustup (https://rustup.rs)"
            want cc build-essential
            want pkg-config pkg-config
            ;;
        web)
            # An npm that came without a Node of its own is no use on its own, and the other way round.
            want npm nodejs npm
            ;;
        test)
            has_postgres || missing+=(postgresql)
            # The test of the packages, as root.
            if [ "$(id -u)" = 0 ]; then
                want dpkg-shlibdeps dpkg-dev
                want adduser adduser
            fi
            has_aiosmtpd || missing+=(python3-aiosmtpd)
            [ -n "${CHROMIUM:-}" ] || want chromium chromium
            ;;
        demo)
            # Only root can make namespaces; others play on loopback addresses.
            if [ "$(id -u)" = 0 ]; then
                want ip iproute2
                want iptables iptables
            fi
            ;;
        bench)
            want fping fping
            want ping iputils-ping
            want strace strace
            [ -n "${CHROMIUM:-}" ] || want chromium chromium
            ;;
        peers)
            has_postgres || missing+=(postgresql)
            want fping fping
            for library in libevent-2.1-7 libldap-2.5-0 libodbc2 libopenipmi0 libpcre2-8-0 libsnmp40 libssh2-1 libxml2; do
                dpkg -s "$library" >/dev/null 2>&1 || missing+=("$library")
            done
            ;;
        faults)
            # A library, which no command stands for.
            compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing+=(faketime)
            ;;
        screenshots)
            want pngquant pngquant
            [ -n "${CHROMIUM:-}" ] || want chromium chromium
            want curl curl
            has_chinese_font || missing+=(fontconfig fonts-noto-cjk)
            ;;
        report) want pdftoppm poppler-utils ;;
        *) fail "unknown part: $part" ;;
    esac
done

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "please install: ${missing[*]} (on Debian: sudo apt-get install ${missing[*]})"
    fi
    say "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
fi

install_node() {
    local arch
    case $(uname -m) in
        x86_64) arch=x64 ;;
        aarch64) arch=arm64 ;;
        *) fail "please install Node.js $NODE_MIN or later" ;;
    esac
    say "installing Node.js $NODE_INSTALLED into $TARGET/tools (the machine has $(node --version 2>/dev/null || echo none))"
    mkdir -p "$TARGET/tools"
    npm install --prefix "$TARGET/tools" --no-save --no-audit --no-fund --loglevel=error "node-linux-$arch@$NODE_INSTALLED" </dev/null
    . "$ROOT/scripts/env.sh"
    node_is_fine || fail "Node.js $NODE_MIN or later is needed"
}

unpack_peers() { # unpack_peers PACKAGE…
    local debs
    debs=$(mktemp -d)
    say "unpacking $* into ${PEERS#"$ROOT"/}"
    # Its own downloader may not write here.
    (cd "$debs" && apt-get download -qq -o APT::Sandbox::User=root "$@" </dev/null)
    mkdir -p "$PEERS"
    for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$PEERS"; done
    rm -r "$debs"
}

npm_ci() { # npm_ci DIR: unless what is there is what the lock file says
    local dir=$1
    [ -f "$dir/package-lock.json" ] || return 0
    [ "$dir/node_modules/.package-lock.json" -nt "$dir/package-lock.json" ] && return 0
    say "npm ci in ${dir#"$ROOT"/}"
    (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error </dev/null)
    touch "$dir/node_modules/.package-lock.json"
}

for part in "$@"; do
    case $part in
        web)
            node_is_fine || install_node
            npm_ci "$ROOT/server/web"
            ;;
        peers)
            has_blackbox || unpack_peers prometheus-blackbox-exporter
            # Proxy and server do not go together as packages.
            has_zabbix || unpack_peers zabbix-proxy-sqlite3 zabbix-server-pgsql
            has_zabbix || fail "the unpacked Zabbix does not run"
            ;;
        test | screenshots | bench)
            node_is_fine || install_node
            npm_ci "$ROOT/tests/browser"
            ;;
    esac
done
