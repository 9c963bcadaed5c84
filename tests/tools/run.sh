#!/bin/sh
# The tools of the smoothcore command against FFmpeg, and against GStreamer where it is installed: the test card is
# downloaded from the origin and the copy played; it is made one MP4 file, and what others see in that is what they see in
# the source; every media file and manifest of this tree is probed.
#   run.sh [COMMAND]     COMMAND: a smoothcore that is built already
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
card=$root/tests/media/testcard
begin=$(date +%s)
if [ $# -gt 0 ]; then
    smoothcore=$1
else
    cargo build --quiet --locked --manifest-path "$root/ports/host/Cargo.toml"
    smoothcore=${CARGO_TARGET_DIR:-$root/ports/host/target}/debug/smoothcore
fi
dir=$(mktemp -d)
servers=
finish() {
    for pid in $servers; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap finish EXIT
fail() { echo "tools-check: $*" >&2; exit 1; }

serve() { # FOLDER: sets $url to its first manifest
    log=$(mktemp "$dir/origin.XXXXXX")
    "$smoothcore" origin "$1" --port 0 >"$log" 2>/dev/null &
    servers="$servers $!"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        url=$(sed -n '1s/.* //p' "$log")
        [ -z "$url" ] || return 0
        sleep 0.2
    done
    fail "the origin of $1 does not start"
}
media() { # FILE...: the fragments of each, as one hash a file, sorted
    python3 - "$@" <<'PY'
import hashlib, sys
sums = []
for path in sys.argv[1:]:
    data, at, kept = open(path, "rb").read(), 0, b""
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] in (b"moof", b"mdat"):
            kept += data[at:at + size]
        at += size
    sums.append(hashlib.sha256(kept).hexdigest())
print("\n".join(sorted(sums)))
PY
}
packets() { # FILE STREAM: times, size and hash of each packet as FFmpeg reads them
    ffmpeg -nostdin -v error -i "$1" -map "$2" -c copy -f framehash - | grep -v '^#' | cut -d, -f2,3,5,6
}

# --- download ---------------------------------------------------------------------------------------------------------
serve "$card"
source=$url
"$smoothcore" download "$source" -o "$dir/copy" >"$dir/download.log"
[ "$(media "$dir"/copy/*.ism[va])" = "$(media "$card"/*.ism[va])" ] || fail "the copy has other fragments"
serve "$dir/copy"
for which in "$source" "$url"; do
    "$smoothcore" play --speed max --level 3 --audio all --sink "files:$dir/played" "$which" >/dev/null 2>&1 ||
        fail "$which does not play"
    # Streams take turns as their fragments arrive; within each, the order is fixed.
    (cd "$dir/played" && sort -s -k 1,1 samples.log >log && sha256sum video.h264 ./*.aac log) >>"$dir/played.txt"
    rm -r "$dir/played"
done
[ "$(sort "$dir/played.txt" | uniq -c | awk '$1 != 2' | wc -l)" = 0 ] || fail "the copy plays otherwise than its source"
echo "tools-check: the copy of the test card is its source to the byte, and plays as it does"

# --- remux ------------------------------------------------------------------------------------------------------------
"$smoothcore" remux "$source" -o "$dir/plain.mp4" >/dev/null
"$smoothcore" remux "$card/testcard.ismc" -o "$dir/local.mp4" >/dev/null
"$smoothcore" remux "$source" --fragmented -o "$dir/fragmented.mp4" >/dev/null
stream=0
for file in testcard_256.ismv testcard_eng.isma testcard_fra.isma; do
    packets "$card/$file" 0:0 >"$dir/source.txt"
    [ -s "$dir/source.txt" ] || fail "FFmpeg finds nothing in $file"
    for made in plain local; do
        packets "$dir/$made.mp4" "0:$stream" | cmp -s - "$dir/source.txt" || fail "$made.mp4: not what is in $file"
    done
    packets "$dir/fragmented.mp4" "0:$stream" | cut -d, -f3,4 >"$dir/made.txt"
    cut -d, -f3,4 "$dir/source.txt" | cmp -s - "$dir/made.txt" || fail "fragmented.mp4: not what is in $file"
    seconds() { ffprobe -v error -select_streams "$2" -show_entries stream=duration -of csv=p=0 "$1"; }
    for made in plain local fragmented; do
        [ "$(seconds "$dir/$made.mp4" $stream)" = "$(seconds "$card/$file" 0)" ] || fail "$made.mp4: not as long as $file"
    done
    stream=$((stream + 1))
done
echo "tools-check: FFmpeg reads the same packets and durations in three MP4 files and in their source"

# --- encrypted --------------------------------------------------------------------------------------------------------
kid=0123456789abcdef0123456789abcdef
key=00112233445566778899aabbccddeeff
# Without ignidx, FFmpeg 5.1 reads all indexes at once and takes the vectors of the last fragment for those of every one.
decrypted() { # FILE STREAM: size and hash of each packet, decrypted
    ffmpeg -nostdin -v error -fflags +ignidx -decryption_key $key -i "$1" -map "$2" -c copy -f framehash - |
        grep -v '^#' | cut -d, -f5,6
}
for scheme in ctr cbcs; do
    mkdir "$dir/$scheme"
    "$smoothcore" index "$card/testcard_64.ismv" "$card/testcard_eng.isma" --protect $kid:$key --scheme $scheme \
        -o "$dir/$scheme/film" >/dev/null || fail "index --protect --scheme $scheme"
    serve "$dir/$scheme"
    "$smoothcore" download "$url" -o "$dir/$scheme-copy" >/dev/null || fail "$scheme: download"
    [ "$(media "$dir/$scheme"/*.ism[va])" = "$(media "$dir/$scheme-copy"/*.ism[va])" ] ||
        fail "$scheme: the copy has other fragments"
    "$smoothcore" probe --json "$dir/$scheme-copy/film.ismc" | grep -q "\"kids\":\[\"$kid\"\]" ||
        fail "$scheme: the copy has lost its key's name"
    for from in "$url" "$dir/$scheme-copy/film.ism"; do
        "$smoothcore" remux "$from" -o "$dir/plain.mp4" >/dev/null || fail "$scheme: remux $from"
        "$smoothcore" remux "$from" --fragmented -o "$dir/fragmented.mp4" >/dev/null || fail "$scheme: remux $from"
        for made in plain fragmented; do
            packets "$card/testcard_64.ismv" 0:0 | cut -d, -f3,4 >"$dir/clear.txt"
            decrypted "$dir/$made.mp4" 0:0 | cmp -s - "$dir/clear.txt" || fail "$scheme: $made.mp4: other pictures"
            packets "$card/testcard_eng.isma" 0:0 | cut -d, -f3,4 >"$dir/clear.txt"
            decrypted "$dir/$made.mp4" 0:1 | cmp -s - "$dir/clear.txt" || fail "$scheme: $made.mp4: other sound"
        done
    done
done
echo "tools-check: FFmpeg decrypts what was encrypted with either scheme, from the server and from the copy"
rm "$dir/plain.mp4" "$dir/fragmented.mp4"
"$smoothcore" remux "$source" -o "$dir/plain.mp4" >/dev/null
"$smoothcore" remux "$source" --fragmented -o "$dir/fragmented.mp4" >/dev/null

if command -v gst-launch-1.0 >/dev/null && command -v gst-discoverer-1.0 >/dev/null; then
    for made in plain fragmented; do
        gst-discoverer-1.0 "$dir/$made.mp4" >"$dir/gst.txt" 2>&1 || fail "GStreamer: $made.mp4: $(cat "$dir/gst.txt")"
        grep -q 'Duration: 0:00:48.0[34]' "$dir/gst.txt" || fail "GStreamer: $made.mp4: $(grep Duration "$dir/gst.txt")"
    done
    access() { # FILE: hash of every access unit of video as GStreamer parses them, and how many
        gst-launch-1.0 -q filesrc location="$1" ! qtdemux name=d d.video_0 ! h264parse ! \
            video/x-h264,stream-format=byte-stream,alignment=au ! multifilesink location="$dir/au-%05d"
        find "$dir" -name 'au-*' | sort | xargs cat | sha256sum
        find "$dir" -name 'au-*' | wc -l
        find "$dir" -name 'au-*' -delete
    }
    access "$card/testcard_256.ismv" >"$dir/gst-source.txt"
    [ "$(tail -n 1 "$dir/gst-source.txt")" = 1200 ] || fail "GStreamer finds $(tail -n 1 "$dir/gst-source.txt") pictures"
    for made in plain fragmented; do
        access "$dir/$made.mp4" | cmp -s - "$dir/gst-source.txt" || fail "GStreamer: $made.mp4: other pictures"
    done
    echo "tools-check: GStreamer reads the same pictures and duration, too"
else
    echo "tools-check: GStreamer is not installed; FFmpeg alone was asked"
fi

# --- probe ------------------------------------------------------------------------------------------------------------
count=0
for file in $(find "$root/tests/media" -name '*.ism[cva]'); do
    "$smoothcore" probe --json --samples --timeline "$file" >"$dir/probe.json" || fail "probe $file"
    python3 - "$dir/probe.json" <<'PY' || fail "probe $file: not as documented"
import json, sys
text = open(sys.argv[1]).read()
found = json.loads(text)
assert text.count("\n") == 1, "one line"
if "streams" in found:
    for stream in found["streams"]:
        assert len(stream["times"]) == len(stream["durations"]) == stream["fragments"]
        assert all(isinstance(time, int) for time in stream["times"])
        assert all(level["usable"] or level["why"] for level in stream["levels"])
else:
    ids = {track["track_id"] for track in found["tracks"]}
    assert found["fragments"] and found["index"] in ("tfra", "scan")
    for fragment in found["fragments"]:
        assert fragment["track_id"] in ids and len(fragment["samples"]) == fragment["sample_count"]
        for sample in fragment["samples"]:
            end = sample["offset"] + sample["size"]
            assert fragment["offset"] <= sample["offset"] and end <= fragment["offset"] + fragment["size"]
PY
    count=$((count + 1))
done
[ "$count" -ge 7 ] || fail "only $count files to probe"
echo "tools-check: passed; $count files probed, $(($(date +%s) - begin)) s"
