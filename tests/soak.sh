#!/bin/sh
# What does not fit into make check: a month of a channel, ten thousand seeds of faults and a fleet of ten thousand in virtual time;
# every test on aarch64; many generated manifests and fragments, ten million fuzzed inputs for each target, many seeds of the random driver, and the demo's link for
# half an hour, and ten minutes of live, in real time.
#   soak.sh            Environment: FUZZ_RUNS (default 10000000), CHAOS_SEEDS (default 0..20000), LIVE_SECONDS (default 600),
#                      SOAK_ROUNDS (default 30, about 50 s each)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
sh tests/sim/run.sh whole
"${MAKE:-make}" --no-print-directory test-aarch64
sh tests/differential/run.sh 10000
sh tests/fuzz/run.sh "${FUZZ_RUNS:-10000000}"
CHAOS_SEEDS=${CHAOS_SEEDS:-0..20000} cargo test --release --locked --test session chaos:: -- --nocapture
sh tests/live/run.sh "${LIVE_SECONDS:-600}" bin/smoothcore
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || kill "$origin" 2>/dev/null || true; rm -rf "$work"' EXIT
printf '7 1000\n13 140\n9 1200 80\n12 150\n3 20\n' >"$work/link.txt"
bin/smoothcore origin tests/media --port 0 --link "$work/link.txt" >"$work/origin.txt" &
origin=$!
until grep -q listening "$work/origin.txt"; do sleep 0.1; done
url=$(tr ' ' '\n' <"$work/origin.txt" | grep -m 1 testcard.ism/)
round=0
while [ $round -lt "${SOAK_ROUNDS:-30}" ]; do
    round=$((round + 1))
    bin/smoothcore play "$url" --audio all --budget $((1 + round % 4))M --seed $round --json >"$work/round.json" 2>"$work/err" || {
        cat "$work/err" >&2
        exit 1
    }
    grep -q '"ended":true' "$work/round.json"
    echo "soak: round $round: $(cut -c1-200 "$work/round.json")"
done
