#!/bin/sh
# A live origin of other people: FFmpeg writes a sliding window of fragments and a manifest that grows, nginx serves them, and
# the C player, which reads the manifest once, follows what the fragments announce. No stall, and every access unit.
#   foreign.sh [SECONDS [TARGET]]     SECONDS: 20
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/tests/peers/lib.sh"
seconds=${1:-20}
HOST_TARGET=${2:-x86_64-unknown-linux-gnu}
work=$(mktemp -d)
encoder=
# The folder goes when nobody writes there any more.
trap '[ -z "$encoder" ] || { kill "$encoder" 2>/dev/null || true; wait "$encoder" || true; }; stop_nginx; rm -rf "$work"' EXIT
fail() {
    tail -n 30 "$work/log" "$work/encoder.log" "$work/nginx/access.log" >&2 2>/dev/null || true
    echo "live foreign: $*" >&2
    exit 1
}
build_player
# Made beforehand, sent in real time: so it is known what was sent, and the machine is free to play.
length=$((seconds + 30))
ffmpeg -hide_banner -loglevel error -nostdin -f lavfi -i "testsrc2=size=320x180:rate=25:duration=$length" -f lavfi \
    -i "sine=frequency=330:sample_rate=48000:duration=$length" -map 0 -map 1 -c:v libx264 -preset ultrafast \
    -pix_fmt yuv420p -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 -b:v 250k -c:a aac -b:a 64k "$work/made.mp4"
start_nginx "$work"
# Times begin at 10 s, for the silence that an AAC encoder starts with would lie before 0. Ten fragments are listed, two held
# back.
ffmpeg -hide_banner -loglevel error -nostdin -re -i "$work/made.mp4" -c copy -output_ts_offset 10 -f smoothstreaming \
    -window_size 10 -extra_window_size 5 -lookahead_count 2 -min_frag_duration 2000000 "$work/live.isml" \
    >"$work/encoder.log" 2>&1 &
encoder=$!
url=http://127.0.0.1:$PORT/live.isml/Manifest
until [ "$(curl -fs "$url" | grep -c '<c ')" -ge 8 ]; do
    kill -0 "$encoder" 2>/dev/null || fail "the encoder stopped"
    sleep 0.2
done
: >"$work/nginx/access.log"
$EMULATOR "$work/player" --speed real --duration "$seconds" --out "$work/out" --json "$work/figures.json" "$url" \
    >"$work/log" 2>&1 || fail "the player failed"
figure() { sed -n "s/^  \"$1\": \\([0-9a-z]*\\),*\$/\\1/p" "$work/figures.json"; }
for name in stalls gaps retries; do
    [ "$(figure $name)" = 0 ] || fail "$name: $(figure $name)"
done
[ "$(grep -c Manifest "$work/nginx/access.log")" = 1 ] || fail "the manifest was asked for more than once"

hashes() { awk -F', *' '!/^#/ { print $6 }'; }
# Whether lines are a run of those of another file.
run_of() { # SOME ALL LEAST
    [ "$(wc -l <"$1")" -ge "$3" ] || fail "$(wc -l <"$1") of at least $3"
    awk 'NR == FNR { all[n++] = $1; next } { some[m++] = $1 }
        END {
            for (start = 0; start + m <= n; start++) {
                for (i = 0; i < m && some[i] == all[start + i]; i++) {}
                if (i == m) exit 0
            }
            exit 1
        }' "$2" "$1" || fail "other access units than were sent"
}
ffmpeg -hide_banner -loglevel error -nostdin -i "$work/made.mp4" -map 0:v -f framemd5 - | hashes >"$work/sent.pictures"
ffmpeg -hide_banner -loglevel error -nostdin -i "$work/made.mp4" -map 0:a -c copy -f framemd5 - | hashes >"$work/sent.sounds"
ffmpeg -hide_banner -loglevel error -nostdin -i "$work/out/video.h264" -f framemd5 - | hashes >"$work/played.pictures"
ffmpeg -hide_banner -loglevel error -nostdin -i "$work/out/audio.aac" -c copy -bsf:a aac_adtstoasc -f framemd5 - |
    hashes >"$work/played.sounds"
run_of "$work/played.pictures" "$work/sent.pictures" $(((seconds - 2) * 25))
run_of "$work/played.sounds" "$work/sent.sounds" $(((seconds - 2) * 46))
awk -v edge="$(figure latency_us)" -v most="$(figure latency_most_us)" -v early="$(figure not_yet)" -v seconds="$seconds" \
    -v pictures="$(wc -l <"$work/played.pictures")" -v requests="$(wc -l <"$work/nginx/access.log")" 'BEGIN {
        printf "live foreign: %d s of FFmpeg'"'"'s live directory behind nginx without a stall, %.1f s behind the edge ", seconds,
            edge / 1e6
        printf "(%.1f at most); %d pictures, all as sent; %d requests, 1 of them for the manifest, %d too early\n", most / 1e6,
            pictures, requests, early
    }'
