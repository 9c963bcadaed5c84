#!/bin/sh
# make bench: what the library costs on this machine, each figure beside a reference measured in the same run.
# Numbers only: nothing here fails because of a time.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/lib.sh"
work=$(mktemp -d)
trap 'stop_nginx; rm -rf "$work"' EXIT
cd "$root"

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
cargo build --quiet --release --locked --manifest-path tests/bench/Cargo.toml
"${CARGO_TARGET_DIR:-tests/bench/target}/release/smoothcore-bench" tests/media/testcard

# ---- instructions of a decision: two runs of unlike length, so that all else falls out
bench="${CARGO_TARGET_DIR:-tests/bench/target}/release/smoothcore-bench"
instructions() { # COUNT KIND
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" plan "$1" "$2" 2>&1 | sed -n 's/.*Collected : //p'
}
if command -v valgrind >/dev/null; then
    for kind in middle end; do
        few=$(instructions 20 $kind) many=$(instructions 120 $kind)
        echo "switching, $kind of a presentation: $(((many - few) / 100)) instructions a decision at 10 levels; bound 1500000"
    done
else
    echo "switching: no valgrind, instructions not counted"
fi

# ---- over loopback, from a web server
sh ports/packaging/dist.sh "${HOST_TARGET:-x86_64-unknown-linux-gnu}" | grep 'linked text'
build_player
build_c "$here/first.c" "$work/first"
make_content "$work" 60 1M 8M
start_nginx "$work"
base=http://127.0.0.1:$PORT/asset.ism
high=$(sed -n 's/.*Bitrate="\([0-9]*\)" FourCC="H264".*/\1/p' "$work/asset.ism/Manifest" | tail -1)
low=$(sed -n 's/.*Bitrate="\([0-9]*\)" FourCC="H264".*/\1/p' "$work/asset.ism/Manifest" | head -1)

# Runs a command some times: seconds of user and system time, and of wall time, of one run.
runs=20
cost() {
    bash -c 'TIMEFORMAT="%U %S %R"; n=$1; shift; time for ((i = 0; i < n; i++)); do "$@" >/dev/null 2>&1 || exit 1; done' \
        cost $runs "$@" 2>&1 | awk -v n=$runs 'NF == 3 { printf "%.5f %.5f\n", ($1 + $2) / n, $3 / n; exit }'
}
# The same requests as a list for curl: one process, connections kept.
"$work/player" --fixed "$high" --json "$work/figures" "$base/Manifest" >/dev/null
sed -n 's/.*"GET \([^ ]*\) .*/\1/p' "$work/nginx/access.log" >"$work/paths"
# curl would read brackets and braces as patterns; the paths have neither.
sed "s#.*#url = \"http://127.0.0.1:$PORT&\"\noutput = \"/dev/null\"#" "$work/paths" >"$work/curlrc"
bytes=$(sed -n 's/^  "bytes": \([0-9]*\),/\1/p' "$work/figures")
echo "loopback: a whole session, $(wc -l <"$work/paths") requests, $bytes bytes, nginx, nothing kept"
set -- $(cost "$work/player" --fixed "$high" "$base/Manifest") $(cost curl -s -K "$work/curlrc") $(cost curl -s --version)
awk -v b="$bytes" -v player="$1" -v wall="$2" -v curl="$3" -v curl_wall="$4" -v start="$5" 'BEGIN {
    printf "  %-28s %7.2f ms CPU %7.3f ms a MB, %7.2f ms wall\n", "player", player * 1e3, player * 1e9 / b, wall * 1e3
    printf "  %-28s %7.2f ms CPU %7.3f ms a MB, %7.2f ms wall\n", "reference: curl, same URLs", curl * 1e3, curl * 1e9 / b, curl_wall * 1e3
    printf "  ratio %.2f (aim: below 1.5); curl without a request takes %.2f ms of its CPU time, without that %.2f\n",
        player / curl, start * 1e3, player / (curl - start)
}'

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
first=$(for i in 1 2 3 4 5 6 7 8 9 10 11; do "$work/first" "$base/Manifest"; done | median)
fragment=$(ls "$work/asset.ism/QualityLevels($low)" | grep '^Fragments(video=0)')
two=$(for i in 1 2 3 4 5 6 7 8 9 10 11; do
    curl -s -g -w '%{time_total}\n' -o /dev/null "$base/Manifest" -o /dev/null "$base/QualityLevels($low)/$fragment" |
        awk '{ sum += $1 } END { printf "%d\n", sum * 1e6 }'
done | median)
echo "first sample: $first us from the start of the program; reference: curl for the manifest and the first fragment one" \
    "after the other, $two us (medians of 11)"
