#!/usr/bin/env bash
# What scripts/package-test.sh does inside its copy of the machine, with the packages in /tmp/debs. Not for any other place.
#
#   package-test-inside.sh OLD_VERSION NEW_VERSION
set -euo pipefail

OLD=$1
NEW=$2
BOUND_S=30
CALLS=/run/systemctl.log
DATA=/var/lib/linewatch-agent
KEY=/var/lib/linewatch-agent.key
# The files that differ from the machine's: the overlay's upper layer.
CHANGED=/run/changed
step=
checked=()
server_pid=
agent_pid=
if ! [ "$(cat /proc/1/comm)" = bash ] || ! [ -d /run/changed ]; then
    echo "only for scripts/package-test.sh" >&2
    exit 1
fi

say() { printf '%s\n' "$*"; }
die() {
    say "FAILED: $step: $*"
    tail -n 20 /run/*.log 2>/dev/null
    exit 1
}
trap 'die "line $LINENO"' ERR
check() { # check WHAT COMMAND…
    "${@:2}" >/run/check.log 2>&1 || die "$1"
    checked+=("$(printf '  %-10s %s' "$step" "$1")")
}
not() { ! "$@"; }
is() { # is WANTED COMMAND…
    local found
    if ! found=$("${@:2}") || [ "$found" != "$1" ]; then
        say "found: $found; wanted: $1"
        return 1
    fi
}
within() { # within COMMAND…: sooner or later
    local tries=$((BOUND_S * 10))
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}
gone() { # gone FILE…: not one of them is there; a pattern that fits nothing is none
    local file
    for file in "$@"; do
        if [ -e "$file" ]; then
            say "still there: $file"
            return 1
        fi
    done
}
has() { grep -qF -- "$2" "$1"; }

install() { dpkg --force-unsafe-io -i "/tmp/debs/linewatch-server_$1"_*.deb "/tmp/debs/linewatch-agent_$1"_*.deb </dev/null; }
server() { runuser -u linewatch-server -- linewatch-server "$@"; }
agent() { runuser -u linewatch-agent -- linewatch-agent "$@"; }
mode() { stat -c '%U:%G %a' "$1"; }
version_of() { dpkg-query -W -f '${Status} ${Version}' "$1"; }
get() { # get PATH: of the API
    exec 3<>/dev/tcp/127.0.0.1/8080
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' "$1" "$(cat /tmp/token)" >&3
    cat <&3
    exec 3>&-
}
answers() { [[ "$(get "$1")" == *"$2"* ]]; }
daemon() { # daemon PROGRAM VERB: as the unit runs it, in the background
    (umask 077 && exec setpriv --reuid "$1" --regid "$1" --init-groups --no-new-privs --inh-caps=-all \
        "/usr/bin/$1" --config "/etc/linewatch/${1#linewatch-}.toml" "$2" >>"/run/$1.log" 2>&1) &
    eval "${1#linewatch-}_pid=$!"
}
ends() { # ends PID: cleanly, on SIGTERM
    kill -TERM "$1" && wait "$1"
}
# Records of each lane that were not sent.
unsent() { agent status --json | tr -d ' \n' | grep -o '"lane":"[a-z]*","records":[0-9]*'; }
owned() { find $CHANGED -user "$1" -printf '/%P\n' | grep -v "^/var/lib/$1\(/\|\$\|\.key\$\)"; }
orphans() { find $CHANGED \( -nouser -o -nogroup \) -printf '/%P\n' | grep .; }
units_are_sound() {
    local said
    said=$(systemd-analyze verify --man=no /usr/lib/systemd/system/linewatch-{server,agent}.service 2>&1 | grep -F linewatch) || return 0
    say "$said"
    return 1
}

# Systemd does not run here: what the packages ask of it is written down.
mkdir -p /run/systemd/system
cat >/usr/local/bin/systemctl <<'STUB'
#!/bin/sh
echo "$*" >>/run/systemctl.log
STUB
chmod 755 /usr/local/bin/systemctl
: >"$CALLS"
echo "1 0" >/proc/sys/net/ipv4/ping_group_range

step=install
check "dpkg installs both in one go, with no question" install "$OLD"
for name in linewatch-server linewatch-agent; do
    check "$name: installed" is "install ok installed $OLD" version_of $name
    check "$name: a system user and a group of its own, with no shell to sign in to" \
        grep -qE "^$name:[^:]*:[0-9]{1,3}:[0-9]{1,3}:[^:]*:/var/lib/$name:/usr/sbin/nologin\$" /etc/passwd
    check "$name: its data is its own alone" is "$name:$name 700" mode /var/lib/$name
    check "$name: its program is root's" is "root:root 755" mode /usr/bin/$name
    check "$name: a bill of materials that names its crates" grep -q '"pkg:cargo/rustls@' /usr/share/doc/$name/sbom.cdx.json
    check "$name: manual, licence, changes" test -s /usr/share/doc/$name/manual.md -a -s /usr/share/doc/$name/copyright -a -s /usr/share/doc/$name/changelog.gz
done
check "server.toml: root writes it, the server's group reads it" is "root:linewatch-server 640" mode /etc/linewatch/server.toml
check "agent.toml: readable" is "root:root 644" mode /etc/linewatch/agent.toml
check "both are configuration files to dpkg" is 2 sh -c "dpkg-query -W -f '\${Conffiles}\n' linewatch-server linewatch-agent | grep -c /etc/linewatch/"
check "the agent's key: its own alone, 32 bytes" is "linewatch-agent:linewatch-agent 600 32" stat -c '%U:%G %a %s' $KEY
check "every installed file is what was packed" dpkg --verify linewatch-server linewatch-agent
check "the kernel opens datagram ICMP sockets" is "0	2147483647" cat /proc/sys/net/ipv4/ping_group_range
check "nothing is started or enabled" not grep -qE '(^| )(start|enable|restart) ' $CALLS
if command -v systemd-analyze >/dev/null; then
    check "systemd finds nothing wrong in the units" units_are_sound
fi
rm $KEY.part 2>/dev/null && die "half a key is left"

step="work"
printf '\n# Edited by the operator.\n' >>/etc/linewatch/server.toml
sed -i 's/^#level = "info"/level = "warn"  # by the operator/' /etc/linewatch/agent.toml
check "the server's configuration is sound" server check
check "a user" sh -c 'echo a-long-password | runuser -u linewatch-server -- linewatch-server user add noc-1 --role noc'
server user token noc-1 | tail -1 >/tmp/token
printf 'code,name,tier,manager\nSAMPLE,Sample customer,AA,manager-1\n' >/tmp/customers.csv
printf 'code,customer,site,service,agent,probe,interval\nSAMPLE-1,SAMPLE,Sample site,SDH,field-1,icmp://127.0.0.1,1s\n' >/tmp/lines.csv
check "customers" server import /tmp/customers.csv
check "lines" server import /tmp/lines.csv
daemon linewatch-server serve
check "the server serves, without any privilege" within answers /readyz '200 OK'
check "the agent enrols" agent enroll https://127.0.0.1:8443 --token "$(server agent token field-1)"
daemon linewatch-agent run
check "the agent sees its line up, without any privilege" within sh -c "runuser -u linewatch-agent -- linewatch-agent status | grep -q 'SAMPLE-1.*up'"
check "the server ends cleanly" ends "$server_pid"
check "a visit is written down while the server is away" agent visit new --customer SAMPLE --site "Sample site" --findings "sample finding"
check "a report is written down" agent fault report --line SAMPLE-1 "sample report"
check "the agent ends cleanly" ends "$agent_pid"
check "people's words are in no file of the agent" not grep -rqaE "sample (finding|report)" $DATA
unsent >/tmp/unsent
check "a visit and a report wait to be sent" is 2 grep -cE ':[1-9]' <(grep -E 'desk|fault' /tmp/unsent)
cp -p $KEY /tmp/key
sha256sum /etc/linewatch/*.toml /var/lib/linewatch-server/tls/* >/tmp/sums

step=upgrade
: >$CALLS
check "dpkg upgrades both in one go, with no question" install "$NEW"
check "they are the new ones" is "install ok installed $NEW" version_of linewatch-agent
check "what runs is restarted: the server" has $CALLS "try-restart linewatch-server.service"
check "what runs is restarted: the agent" has $CALLS "try-restart linewatch-agent.service"
check "the units are read again first" is daemon-reload head -1 $CALLS
check "nothing is enabled, disabled or stopped" not grep -qE '(^| )(enable|disable|start|stop) ' $CALLS
check "the operator's configuration and the authority are untouched" sha256sum --quiet -c /tmp/sums
check "modes of the configuration stay" is "root:linewatch-server 640" mode /etc/linewatch/server.toml
check "the key is the same" cmp $KEY /tmp/key
check "the journal opens and holds what was not sent" is "$(cat /tmp/unsent)" unsent
daemon linewatch-server serve
check "the server opens its database" within answers /readyz '200 OK'
check "the agent sends" agent sync
check "the visit is at the server" within answers /api/v1/visits "sample finding"
check "the report is at the server" within answers /api/v1/faults "SAMPLE-1"
check "nothing is left unsent" not grep -qE ':[1-9]' <(unsent)
check "the server ends cleanly" ends "$server_pid"

step=remove
: >$CALLS
check "dpkg removes both" dpkg --force-unsafe-io -r linewatch-server linewatch-agent
check "what runs is stopped and disabled first" is 2 grep -c '^disable --now .*linewatch-.*\.service$' $CALLS
check "the programs, units and documents are gone" gone /usr/bin/linewatch-* /usr/lib/{systemd/system,sysctl.d}/*linewatch* /usr/share/doc/linewatch-*
check "configuration and data stay" sha256sum --quiet -c /tmp/sums
check "the key stays" cmp $KEY /tmp/key

step=again
check "dpkg installs both again" install "$NEW"
check "configuration and data are what they were" sha256sum --quiet -c /tmp/sums
check "so is the key" cmp $KEY /tmp/key
check "the agent knows its visit" sh -c "runuser -u linewatch-agent -- linewatch-agent visit list | grep -q SAMPLE"
daemon linewatch-server serve
check "the server knows it too" within answers /api/v1/visits "sample finding"
check "the agent is still enrolled" agent sync
check "the server ends cleanly" ends "$server_pid"
rm /etc/linewatch/server.toml
check "an upgrade works without the configuration that somebody has deleted" install "$NEW"
check "and does not bring it back" not test -e /etc/linewatch/server.toml

step=purge
check "dpkg purges both" dpkg --force-unsafe-io -P linewatch-server linewatch-agent
check "dpkg knows nothing of them" not dpkg-query -W linewatch-server linewatch-agent
check "the journal, the identity and the key stay, as the manual says" test -s $DATA/journal.db -a -s $KEY
check "the server's database and authority stay" test -s /var/lib/linewatch-server/linewatch.db -a -d /var/lib/linewatch-server/tls
check "the configuration is gone" not test -e /etc/linewatch
check "programs, units and documents are gone" gone /usr/bin/linewatch-* /usr/lib/{systemd/system,sysctl.d}/*linewatch* /usr/share/doc/linewatch-*
for name in linewatch-server linewatch-agent; do
    check "$name: what stays keeps its owner" is "$name:$name 700" mode /var/lib/$name
    # What finds nothing at all would find nothing wrong.
    [ -n "$(find $CHANGED -user $name -print -quit)" ] || die "what was changed cannot be seen"
    check "$name: its user owns nothing else" not owned $name
done
check "no file is without an owner" not orphans

say "packages: what was checked"
printf '%s\n' "${checked[@]}"
say "# pass ${#checked[@]}"
