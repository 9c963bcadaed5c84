#!/bin/sh
# The demo: an origin on this machine, a link that gets worse and better, and player.c over libsmoothcore.a.
# Run by `make demo`, which has built both. Leaves everything in out/demo.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
out=out/demo
archive=${1:?usage: demo.sh DIST_DIRECTORY}
rm -rf "$out" && mkdir -p "$out"

echo "== linking player.c with the archive, as firmware would"
${CC:-cc} -std=c99 -O2 -D_POSIX_C_SOURCE=200809L -I"$archive/include" -Iports examples/c/player.c ports/posix/*.c \
    -L"$archive/lib" -lsmoothcore -o "$out/player"
size "$out/player" | awk 'NR == 2 { print "   player: " $1 " bytes of text" }'

# Seconds and kbit/s; repeats. The card's levels are 65, 101, 152 and 259 kbit/s, its languages 49 together.
cat >"$out/link.txt" <<'LINK'
8 900
8 190
8 1200
8 260
LINK
./bin/smoothcore origin tests/media --port 0 --link "$out/link.txt" --log "$out/origin.log" >"$out/origin.txt" &
origin=$!
trap 'kill $origin 2>/dev/null || true' EXIT
tries=0
until grep -q listening "$out/origin.txt" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "demo: the origin did not start" >&2; exit 1; }
    sleep 0.1
done
url=$(tr ' ' '\n' <"$out/origin.txt" | grep -m 1 testcard.ism/)
echo "== playing $url over a link of 900, 190, 1200 and 260 kbit/s, 8 s each"
"$out/player" --out "$out" --speed real --audio all --budget 2097152 --json "$out/session.json" "$url"

./bin/smoothcore report "$out/session.csv" -o "$out/report.html"
echo "== left in $out"
echo "   video.h264, audio_eng.aac, audio_fra.aac   what came out"
echo "   samples.log, fragments.log                 every sample, every fragment as chosen"
echo "   session.json, session.csv, report.html     the session; open report.html in a browser"
if command -v ffmpeg >/dev/null 2>&1; then
    ffmpeg -v error -y -i "$out/video.h264" -vf "select='not(mod(n,60))',scale=320:180,tile=5x4" -frames:v 1 \
        "$out/contact.png" && echo "   contact.png                                a picture of every 60th frame"
else
    echo "   (with ffmpeg installed there would be contact.png, a sheet of what was decoded)"
fi
