#!/bin/sh
# What goes by the clock on the wall, all at once, for it is mostly waiting: encoder to player over our origin, FFmpeg's own live
# directory, and a foreign client of our origin.
#   run.sh SECONDS [COMMAND]     COMMAND: a smoothcore that is built already
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=$1
smoothcore=${2:-$root/bin/smoothcore}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one() { # NAME SCRIPT ARGUMENT...
    name=$1 script=$2
    shift 2
    if sh "$script" "$@" >"$work/$name" 2>&1; then : >"$work/$name.ok"; fi
}
one ingest "$here/ingest.sh" "$seconds" "$smoothcore" &
ingest=$!
one foreign "$here/foreign.sh" "$seconds" armv7-unknown-linux-gnueabihf &
foreign=$!
one gstreamer "$root/tests/peers/gstreamer.sh" "$((seconds < 90 ? seconds : 90))" "$smoothcore" &
wait $! "$ingest" "$foreign"
bad=
for name in ingest foreign gstreamer; do
    cat "$work/$name"
    [ -e "$work/$name.ok" ] || bad="$bad $name"
done
[ -z "$bad" ] || { echo "live: failed:$bad" >&2; exit 1; }
