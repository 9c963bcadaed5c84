#!/bin/sh
# A foreign client of our live origin: GStreamer's mssdemux plays a channel made of the test card in real time. It must get
# every fragment it asks for, and what comes out of its parsers must be the access units of the files, in order, round after
# round.
#   gstreamer.sh [SECONDS [COMMAND]]     SECONDS: 20; COMMAND: a smoothcore that is built already
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-20}
smoothcore=${2:-$root/bin/smoothcore}
if ! command -v gst-inspect-1.0 >/dev/null || ! gst-inspect-1.0 mssdemux >/dev/null 2>&1 ||
    ! gst-inspect-1.0 souphttpsrc >/dev/null 2>&1; then
    echo "gstreamer: mssdemux or souphttpsrc is not installed: no foreign client was tried"
    [ -z "${ABSENT_LOG:-}" ] || echo "GStreamer's mssdemux" >>"$ABSENT_LOG"
    exit 0
fi
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || { kill "$origin" 2>/dev/null || true; wait "$origin" || true; }; rm -rf "$work"' EXIT
fail() {
    tail -n 20 "$work/gst" >&2
    cat "$work/log" >&2
    echo "gstreamer: $*" >&2
    exit 1
}
media=$root/tests/media
# The last round ends while it plays.
: >"$work/origin"
"$smoothcore" origin "$media" --live news,from=testcard/testcard.ism,dvr=60,history=128 --log "$work/log" >"$work/origin" &
origin=$!
until grep -q listening "$work/origin"; do
    kill -0 "$origin" || exit 1
    sleep 0.1
done
url=$(tr ' ' '\n' <"$work/origin" | grep news.isml)

# At a rate for which only the lowest level does.
timeout -k 5 -s INT "$seconds" gst-launch-1.0 souphttpsrc location="$url" ! mssdemux name=d connection-speed=90 \
    d.video_00 ! queue ! qtdemux ! h264parse ! video/x-h264,stream-format=byte-stream ! \
    filesink location="$work/video.h264" sync=true \
    d.audio_00 ! queue ! qtdemux ! aacparse ! audio/mpeg,stream-format=adts ! \
    filesink location="$work/audio.aac" sync=true \
    d.audio_01 ! queue ! qtdemux ! fakesink sync=true >"$work/gst" 2>&1 || true

! grep -v ' 200 bytes=' "$work/log" || fail "not every request was answered"
manifests=$(grep -c /Manifest "$work/log")
fragments=$(grep -c 'Fragments(video=' "$work/log")
[ "$fragments" -ge $((seconds / 2 - 2)) ] || fail "$fragments fragments in $seconds s"

# A hash for each access unit of a file.
hashes() { # FILE OPTION...
    file=$1
    shift
    ffmpeg -hide_banner -loglevel fatal -nostdin -i "$file" "$@" -f framemd5 - | awk -F', *' '!/^#/ { print $6 }'
}
# Whether units are those of a file that is played round and round; a round may leave out the last few.
follows() { # UNITS FILE_UNITS
    awk 'NR == FNR { want[n++] = $1; next } { got[m++] = $1 }
        END {
            for (start = 0; start < n; start++) {
                at = start
                for (i = 0; i < m && got[i] == want[at]; i++) {
                    at++
                    if (at == n || (at > n - 8 && got[i + 1] == want[0] && got[i + 1] != want[at])) at = 0
                }
                if (i > best) best = i
                if (i == m) exit 0
            }
            print "only " best " of " m " access units are those of the file" > "/dev/stderr"
            exit 1
        }' "$2" "$1"
}
# Pictures are compared decoded, since parsers move parameter sets; the last may be cut.
hashes "$work/video.h264" | sed '$d' | sed '$d' >"$work/pictures"
hashes "$media/testcard/testcard_64.ismv" -map 0:v >"$work/all_pictures"
hashes "$work/audio.aac" -c copy -bsf:a aac_adtstoasc | sed '$d' >"$work/sounds"
hashes "$media/testcard/testcard_eng.isma" -c copy >"$work/all_sounds"
pictures=$(wc -l <"$work/pictures")
sounds=$(wc -l <"$work/sounds")
[ "$pictures" -ge $(((seconds - 5) * 25)) ] || fail "$pictures pictures in $seconds s"
[ "$sounds" -ge $(((seconds - 5) * 46)) ] || fail "$sounds access units of sound in $seconds s"
follows "$work/pictures" "$work/all_pictures" || fail "pictures differ"
follows "$work/sounds" "$work/all_sounds" || fail "sound differs"
echo "gstreamer: $(gst-launch-1.0 --version | awk 'NR == 1 { print $NF }'): mssdemux played our live origin for" \
    "$seconds s: $pictures pictures and $sounds access units of sound, those of the files;" \
    "$(wc -l <"$work/log") requests, $manifests of them manifests, all answered with 200"
