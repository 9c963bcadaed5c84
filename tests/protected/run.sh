#!/bin/sh
# Encrypts a part of the test card in every way, plays each copy from an origin on this machine with its keys, and compares
# what comes out with FFmpeg's reading of the clear files: pictures frame by frame, sound byte for byte.
#   run.sh SMOOTHCORE      (the smoothcore command of this machine)
set -eu
export LC_ALL=C
smoothcore=$1
here=$(cd "$(dirname "$0")" && pwd)
media=$(cd "$here/../media/testcard" && pwd)
case $smoothcore in /*) ;; *) smoothcore=$PWD/$smoothcore ;; esac
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || kill "$origin"; rm -rf "$work"' EXIT
fail() { echo "protected: $*" >&2; exit 1; }
ff() { ffmpeg -hide_banner -loglevel error -nostdin "$@"; }
frames() { ff -i "$1" -map 0:v -f framehash -hash md5 - | sed -n 's/^0,.*, *\([0-9]*\), *\([0-9a-f]*\)$/\1 \2/p'; }

kid=0102030405060708090a0b0c0d0e0f10
key=$kid:0af844a35a0cdbcd464447d8c2df886e
wrong=$kid:0af844a35a0cdbcd464447d8c2df886f

frames "$media/testcard_64.ismv" >"$work/pictures"
[ "$(wc -l <"$work/pictures")" = 1200 ] || fail "FFmpeg finds other than 1,200 pictures in the clear file"
ff -i "$media/testcard_eng.isma" -c copy -f adts "$work/sound"

# H.265, whose NAL units begin otherwise.
ff -f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p -c:v libx265 -preset ultrafast \
    -x265-params log-level=none:keyint=50:min-keyint=50:scenecut=0 -tag:v hvc1 -f ismv "$work/hevc.ismv"
frames "$work/hevc.ismv" >"$work/hevc.pictures"
[ "$(wc -l <"$work/hevc.pictures")" = 100 ] || fail "FFmpeg finds other than 100 pictures in the H.265 file"

# One directory a case; the origin serves them all.
mkdir "$work/content"
encrypt() { # CASE INDEX-OPTIONS...
    name=$1
    shift
    mkdir "$work/content/$name"
    case $name in
        hevc-*) files=$work/hevc.ismv ;;
        *) files="$media/testcard_64.ismv $media/testcard_eng.isma" ;;
    esac
    # shellcheck disable=SC2086  # a list
    "$smoothcore" index $files -o "$work/content/$name/film" --protect "$key" "$@" >"$work/$name.index" 2>&1 ||
        { cat "$work/$name.index" >&2; fail "$name: not encrypted"; }
    sed -n 's/^key /--key /p' "$work/$name.index" >"$work/$name.keys"
}
for box in piff senc; do
    for iv in 8 16; do
        encrypt "ctr-$box-$iv-subsamples" --box $box --iv $iv
        encrypt "ctr-$box-$iv-whole" --box $box --iv $iv --subsamples off
    done
    encrypt "cbcs-$box-subsamples" --scheme cbcs --box $box
    encrypt "cbcs-$box-whole" --scheme cbcs --box $box --subsamples off
    encrypt "ctr-$box-lead" --box $box --clear-lead 3
    encrypt "ctr-$box-rotating" --box $box --rotate 5
    encrypt "cbcs-$box-lead-rotating" --scheme cbcs --box $box --clear-lead 2 --rotate 7
    encrypt "hevc-ctr-$box" --box $box
    encrypt "hevc-cbcs-$box" --scheme cbcs --box $box
done

"$smoothcore" origin "$work/content" >"$work/origin" 2>"$work/origin.log" &
origin=$!
n=0
while ! grep -q '^listening' "$work/origin" && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
root=$(sed -n 's/^listening on \([^ ]*\).*/\1/p' "$work/origin")
[ -n "$root" ] || { cat "$work/origin.log" >&2; fail "the origin does not listen"; }

count=0
for case in "$work"/content/*; do
    name=${case##*/}
    out=$work/out
    rm -rf "$out"
    # shellcheck disable=SC2046  # two words a key
    "$smoothcore" play --speed max --sink "files:$out" $(cat "$work/$name.keys") "${root}$name/film.ism/Manifest" \
        >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$name does not play"; }
    frames "$out"/video.* >"$work/decrypted"
    case $name in
        hevc-*) cmp -s "$work/hevc.pictures" "$work/decrypted" || fail "$name: other pictures" ;;
        *)
            cmp -s "$work/pictures" "$work/decrypted" || fail "$name: other pictures"
            cmp -s "$work/sound" "$out/audio.aac" || fail "$name: other sound"
            ;;
    esac
    count=$((count + 1))
done
[ $count = 22 ] || fail "$count cases, not 22"

# The copies are encrypted: without a key nothing plays, and the message says why.
refused() { # WHAT CASE TEXT PLAY-OPTIONS...
    what=$1 name=$2 text=$3
    shift 3
    if "$smoothcore" play --speed max "$@" "${root}$name/film.ism/Manifest" >"$work/log" 2>&1; then
        fail "$what: plays all the same"
    fi
    grep -q -e "$text" "$work/log" || { cat "$work/log" >&2; fail "$what: the message does not say why"; }
}
refused "no key" ctr-piff-8-whole '(-400)'
refused "no key, common boxes" cbcs-senc-whole '(-400)'
refused "a wrong key" ctr-piff-8-subsamples "the key given for KID $kid is wrong" --key "$wrong"
refused "a wrong key of several" ctr-piff-rotating "the key given for KID $kid is wrong" --key "$wrong"
refused "another key" ctr-senc-8-subsamples "no key for KID $kid was given" --key "f${key#0}"

echo "protected: 22 ways of encryption play like the clear files; wrong and missing keys are told"
