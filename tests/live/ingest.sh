#!/bin/sh
# From end to end: FFmpeg encodes in real time and publishes to the origin; the C player, for armv7 under QEMU, plays what is on
# the air without a stall; when the encoder stops, the archive plays on demand. Every access unit is compared: what FFmpeg
# sent, what the archive has, what came out of the player.
#   ingest.sh [SECONDS [COMMAND [TARGET]]]     SECONDS: 25; COMMAND: a smoothcore that is built already
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/tests/peers/lib.sh"
seconds=${1:-25}
smoothcore=${2:-$root/bin/smoothcore}
HOST_TARGET=${3:-armv7-unknown-linux-gnueabihf}
work=$(mktemp -d)
origin= encoder= player=
# The folder goes when nobody writes there any more.
trap 'for p in $origin $encoder $player; do kill "$p" 2>/dev/null || true; wait "$p" || true; done; rm -rf "$work"' EXIT
fail() {
    tail -n 30 "$work/player.log" "$work/encoder.log" "$work/origin.err" "$work/log" >&2 2>/dev/null || true
    echo "ingest: $*" >&2
    exit 1
}
build_player
mkdir "$work/dir"
: >"$work/origin"
"$smoothcore" origin "$work/dir" --log "$work/log" >"$work/origin" 2>"$work/origin.err" &
origin=$!
until grep -q listening "$work/origin"; do
    kill -0 "$origin" || fail "the origin does not listen"
    sleep 0.1
done
root_url=$(awk '/^listening/ { print $3 }' "$work/origin")
url=${root_url}live.isml/Manifest

# The encoder, in real time; its times count from 1970. What it sends, it also keeps.
ffmpeg -hide_banner -loglevel error -nostdin -re -f lavfi -i "testsrc2=size=320x180:rate=25:duration=$seconds" \
    -re -f lavfi -i "sine=frequency=330:sample_rate=48000:duration=$seconds" -map 0 -map 1 -flags +global_header \
    -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -b:v 250k -c:a aac -b:a 64k \
    -output_ts_offset "$(date +%s)" \
    -f tee "[f=ismv:movflags=isml+frag_keyframe]${root_url}live.isml/Streams(a)|[f=ismv:movflags=isml+frag_keyframe]$work/sent.ismv" \
    >"$work/encoder.log" 2>&1 &
encoder=$!
# When an event has only begun there is nothing to be behind of: five fragments, then the player comes.
until [ "$(curl -fs "$url" | grep -c '<c ')" -ge 10 ]; do
    kill -0 "$encoder" 2>/dev/null || fail "the encoder stopped"
    sleep 0.2
done
$EMULATOR "$work/player" --speed real --out "$work/out" --json "$work/figures.json" "$url" >"$work/player.log" 2>&1 &
player=$!
wait "$encoder" || fail "the encoder failed"
encoder=
wait "$player" || fail "the player did not reach the end"
player=

figure() { sed -n "s/^  \"$1\": \\([0-9a-z]*\\),*\$/\\1/p" "$work/figures.json"; }
for name in stalls gaps retries http_errors; do
    [ "$(figure $name)" = 0 ] || fail "$name: $(figure $name)"
done
[ "$(figure ended)" = true ] || fail "the player did not see the end"
[ -n "$(figure latency_us)" ] || fail "no latency was measured"

# A hash for each access unit of a stream, as FFmpeg reads it.
hashes() { awk -F', *' -v stream="$1" '!/^#/ && $1 == stream { print $6 }'; }
of_file() { ffmpeg -hide_banner -loglevel error -nostdin -i "$1" -map "$2" -c copy -f framemd5 - | hashes 0; }
pictures() { ffmpeg -hide_banner -loglevel error -nostdin -i "$1" -map 0:v -f framemd5 - | hashes 0; }
archive=$work/dir/live_a.ismv
for part in live.ism live.ismc live_a.ismv; do [ -s "$work/dir/$part" ] || fail "no $part"; done
for stream in 0 1; do
    of_file "$work/sent.ismv" "0:$stream" >"$work/sent.$stream"
    of_file "$archive" "0:$stream" >"$work/kept.$stream"
    cmp "$work/sent.$stream" "$work/kept.$stream" || fail "the archive has other access units than were sent"
done
count=$(wc -l <"$work/kept.0")
[ "$count" = $((seconds * 25)) ] || fail "$count pictures in $seconds s"

# The player began near the edge: what it has is the end of what there is.
ends_with() { # WHOLE TAIL LEAST
    n=$(wc -l <"$2")
    [ "$n" -ge "$3" ] || fail "$n of at least $3"
    tail -n "$n" "$1" | cmp - "$2" || fail "the player got other access units"
}
pictures "$archive" >"$work/archive.pictures"
pictures "$work/out/video.h264" >"$work/played.pictures"
ffmpeg -hide_banner -loglevel error -nostdin -i "$work/out/audio.aac" -c copy -bsf:a aac_adtstoasc -f framemd5 - |
    hashes 0 >"$work/played.sounds"
ends_with "$work/archive.pictures" "$work/played.pictures" $(((seconds - 12) * 25))
ends_with "$work/kept.1" "$work/played.sounds" $(((seconds - 12) * 46))

# The archive on demand, at the same URL and from an origin that knows nothing else: all of it, frame for frame.
: >"$work/origin2"
"$smoothcore" origin "$work/dir" >"$work/origin2" 2>/dev/null &
second=$!
until grep -q listening "$work/origin2"; do sleep 0.1; done
vod=$(tr ' ' '\n' <"$work/origin2" | grep 'live.ism/')
for from in "$url" "$vod"; do
    rm -rf "$work/out"
    $EMULATOR "$work/player" --out "$work/out" --json "$work/vod.json" "$from" >"$work/player.log" 2>&1 || {
        kill "$second"
        fail "the archive does not play from $from"
    }
    pictures "$work/out/video.h264" | cmp - "$work/archive.pictures" || { kill "$second"; fail "$from: other pictures"; }
    ffmpeg -hide_banner -loglevel error -nostdin -i "$work/out/audio.aac" -c copy -bsf:a aac_adtstoasc -f framemd5 - |
        hashes 0 | cmp - "$work/kept.1" || { kill "$second"; fail "$from: other sound"; }
done
kill "$second"
awk -v edge="$(figure latency_us)" -v most="$(figure latency_most_us)" -v clock="$(figure latency_clock_us)" \
    -v seconds="$seconds" -v pictures="$count" -v played="$(wc -l <"$work/played.pictures")" -v target="$HOST_TARGET" \
    -v manifests="$(grep -c '^GET .*Manifest 200' "$work/log")" 'BEGIN {
        printf "ingest: %d s encoded in real time, published, played on %s without a stall: ", seconds, target
        printf "%.1f s behind the edge (%.1f at most), %.1f s behind the clock; ", edge / 1e6, most / 1e6, clock / 1e6
        printf "%d of %d pictures played live, all of them from the archive, twice\n", played, pictures
    }'
