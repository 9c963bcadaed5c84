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
7 1000
13 140
9 1200
12 150
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
echo "== playing $url over a link of 1000, 140, 1200 and 150 kbit/s"
"$out/player" --out "$out" --speed real --audio all --budget 2097152 --json "$out/session.json" "$url"

./bin/smoothcore report "$out/session.csv" -o "$out/report.html"
echo "== left in $out"
echo "   video.h264, audio_eng.aac, audio_fra.aac   what came out"
echo "   samples.log, fragments.log                 every sample, every fragment as chosen"
echo "   session.json, session.csv, report.html     the session; open report.html in a browser"
if command -v ffmpeg >/dev/null 2>&1; then
    # Two steps: a change of size in the stream would start the sheet anew.
    ffmpeg -v error -i "$out/video.h264" -vf scale=320:180 -pix_fmt yuv420p -f nut -c:v rawvideo - |
        ffmpeg -v error -y -f nut -i - -vf "select='not(mod(n,60))',tile=5x4" -update 1 "$out/contact.png" &&
        echo "   contact.png                                a picture of every 60th frame"
else
    echo "   (with ffmpeg installed there would be contact.png, a sheet of what was decoded)"
fi
