#!/bin/sh
# Encrypts a part of the test card in every way, plays each copy from an origin on this machine with its keys, and compares
# what comes out with FFmpeg's reading of the clear files: pictures frame by frame, sound byte for byte.
# The command plays them all; a C program of the archive and the clear-key port plays those that name their pattern.
#   run.sh SMOOTHCORE ARCHIVE      (both of this machine)
# Environment: CARGO_TARGET_DIR.
set -eu
export LC_ALL=C
smoothcore=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
media=$(cd "$here/../media/testcard" && pwd)
case $smoothcore in /*) ;; *) smoothcore=$PWD/$smoothcore ;; esac
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || kill "$origin"; rm -rf "$work"' EXIT
fail() { echo "protected: $*" >&2; exit 1; }
ff() { ffmpeg -hide_banner -loglevel error -nostdin "$@"; }
frames() { ff -i "$1" -map 0:v -f framehash -hash md5 - | sed -n 's/^0,.*, *\([0-9]*\), *\([0-9a-f]*\)$/\1 \2/p'; }

clearkey=$root/ports/clearkey/c
cargo build --quiet --locked --release --manifest-path "$clearkey/Cargo.toml"
posix="$root/ports/posix/clock.c $root/ports/posix/streams.c $root/ports/posix/sink.c $root/ports/posix/alloc.c"
# shellcheck disable=SC2086  # a list
cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -O2 -I"$root/include" -I"$root/ports" -I"$clearkey" \
    "$clearkey/play.c" "$clearkey/port.c" $posix "$archive" \
    "${CARGO_TARGET_DIR:-$clearkey/../target}/release/libsmoothcore_clearkey.a" -lpthread -lm -ldl -o "$work/play"

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
base=$(sed -n 's/^listening on \([^ ]*\).*/\1/p' "$work/origin")
[ -n "$base" ] || { cat "$work/origin.log" >&2; fail "the origin does not listen"; }

count=0 from_c=0
for case in "$work"/content/*; do
    name=${case##*/}
    out=$work/out
    rm -rf "$out"
    # shellcheck disable=SC2046  # two words a key
    "$smoothcore" play --speed max --sink "files:$out" $(cat "$work/$name.keys") "${base}$name/film.ism/Manifest" \
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
    case $name in hevc-* | cbcs-*-whole) continue ;; esac
    rm -rf "$out"
    mkdir "$out"
    # shellcheck disable=SC2046  # a word a key
    "$work/play" "${base}$name/film.ism/Manifest" "$out" $(sed 's/^--key //' "$work/$name.keys") >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; fail "$name does not play from C"; }
    frames "$out/video.h264" >"$work/decrypted"
    cmp -s "$work/pictures" "$work/decrypted" || fail "$name: other pictures from C"
    cmp -s "$work/sound" "$out/audio.aac" || fail "$name: other sound from C"
    from_c=$((from_c + 1))
done
[ $count = 22 ] || fail "$count cases, not 22"
[ $from_c = 16 ] || fail "$from_c cases from C, not 16"

# The copies are encrypted: without a key nothing plays, and the message says why.
refused() { # WHAT CASE TEXT PLAY-OPTIONS...
    what=$1 name=$2 text=$3
    shift 3
    if "$smoothcore" play --speed max "$@" "${base}$name/film.ism/Manifest" >"$work/log" 2>&1; then
        fail "$what: plays all the same"
    fi
    grep -q -e "$text" "$work/log" || { cat "$work/log" >&2; fail "$what: the message does not say why"; }
}
refused "no key" ctr-piff-8-whole '(-406)'
refused "no key, common boxes" cbcs-senc-whole '(-406)'
refused "a wrong key" ctr-piff-8-subsamples "the key given for KID $kid is wrong" --key "$wrong"
refused "a wrong key of several" ctr-piff-rotating "the key given for KID $kid is wrong" --key "$wrong"
refused "another key" ctr-senc-8-subsamples "no key for KID $kid was given" --key "f${key#0}"

if "$work/play" "${base}ctr-piff-8-whole/film.ism/Manifest" "$out" "f${key#0}" >"$work/log" 2>&1; then
    fail "another key from C: plays all the same"
fi
grep -q -e '(-402)' "$work/log" || { cat "$work/log" >&2; fail "another key from C: the message does not say why"; }

echo "protected: 22 ways of encryption play like the clear files, $from_c of them from C too; wrong and missing keys are told"
