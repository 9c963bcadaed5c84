#!/bin/sh
# An origin of other people: FFmpeg makes the presentation, nginx serves it, the C player plays it to the end over its
# own HTTP. Every sample must arrive, byte for byte.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/lib.sh"
work=$(mktemp -d)
trap 'stop_nginx; rm -rf "$work"' EXIT
seconds=20
build_player
make_content "$work" $seconds 200k 500k
start_nginx "$work"
url=http://127.0.0.1:$PORT/asset.ism/Manifest

# A hash for each packet or picture of a file, without its time and side data.
hashes() { awk -F', *' '!/^#/ { print $6 }'; }
pictures() { ffmpeg -hide_banner -loglevel error -nostdin -i "$1" -map 0:v -f framemd5 - | hashes; }
sounds() { # FILE OPTION...
    from=$1
    shift
    ffmpeg -hide_banner -loglevel error -nostdin "$@" -i "$from" -map 0:a -c copy -bsf:a aac_adtstoasc -f framemd5 - | hashes
}
figure() { sed -n "s/^  \"$1\": \\([0-9a-z]*\\),*\$/\\1/p" "$work/$2/figures.json"; }

# FFmpeg lists the rates it measured.
levels=$(sed -n 's/.*Bitrate="\([0-9]*\)" FourCC="H264".*/\1/p' "$work/asset.ism/Manifest")
# Adaptively, and at each level.
for fixed in 0 $levels; do
    "$work/player" --out "$work/out_$fixed" --json "$work/out_$fixed.json" --fixed $fixed "$url" >"$work/log" 2>&1 || {
        cat "$work/log" "$work/nginx/access.log" >&2
        echo "foreign: the player did not reach the end" >&2
        exit 1
    }
    mv "$work/out_$fixed.json" "$work/out_$fixed/figures.json"
    for name in gaps retries http_errors stalls; do
        [ "$(figure $name out_$fixed)" = 0 ] || { cat "$work/log" >&2; echo "foreign: $name are not 0" >&2; exit 1; }
    done
    [ "$(figure ended out_$fixed)" = true ]
done
sounds "$work/tone.mp4" -ignore_editlist 1 >"$work/sound"
[ "$(wc -l <"$work/sound")" -ge $((seconds * 46)) ]
for fixed in 0 $levels; do
    sounds "$work/out_$fixed/audio.aac" | cmp - "$work/sound" || { echo "foreign: sound differs ($fixed)" >&2; exit 1; }
done
level=0
for fixed in $levels; do
    pictures "$work/level_$level.mp4" >"$work/picture"
    [ "$(wc -l <"$work/picture")" = $((seconds * 25)) ]
    pictures "$work/out_$fixed/video.h264" | cmp - "$work/picture" || {
        echo "foreign: pictures differ ($fixed)" >&2
        exit 1
    }
    level=$((level + 1))
done
[ $level = 2 ]
count=$(pictures "$work/out_0/video.h264" | wc -l)
[ "$count" = $((seconds * 25)) ] || { echo "foreign: $count pictures of $((seconds * 25))" >&2; exit 1; }
! grep -v '" 200 ' "$work/nginx/access.log" || { echo "foreign: not every request was answered" >&2; exit 1; }
echo "foreign: FFmpeg $(ffmpeg -version | awk 'NR == 1 { print $3 }'), $(nginx -v 2>&1 | sed 's/.*: //'):" \
    "$((seconds * 25)) pictures and $(wc -l <"$work/sound") access units of sound, three times, all equal;" \
    "$(wc -l <"$work/nginx/access.log") requests, all answered with 200"
