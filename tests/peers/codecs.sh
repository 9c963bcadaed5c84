#!/bin/sh
# Every codec that FFmpeg can write: it makes the presentation, bin/smoothcore indexes, serves and plays it, and what
# comes out is compared with what went in, packet by packet or picture by picture. Then once more with what manifests
# of the field leave out or get wrong.
# HE_AAC=yes in the environment: with HE-AAC, for which an encoder is built first (tests/peers/heaac); FFmpeg has none.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
smoothcore=${SMOOTHCORE:-$root/bin/smoothcore}
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || kill "$origin"; rm -rf "$work"' EXIT
fail() { echo "codecs: $*" >&2; exit 1; }
ff() { ffmpeg -hide_banner -loglevel error -nostdin -y -threads 1 "$@"; }
[ -x "$smoothcore" ] || fail "no bin/smoothcore: run 'make tools'"
for part in libx264 libx265 aac ac3 eac3 libmp3lame wmav2; do
    ffmpeg -hide_banner -loglevel error -encoders | grep -qw "$part" || fail "this ffmpeg has no $part; Debian's has"
done
gcc -O2 -Wall -Wextra -o "$work/wave" "$here/wave.c"

picture="-f lavfi -i testsrc2=size=320x240:rate=25:duration=4 -pix_fmt yuv420p -bf 2 -g 50"
sound="-f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 -ac 2 -b:a 128k"
x265="-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=50:min-keyint=50:scenecut=0"
x264="-c:v libx264 -preset ultrafast -x264-params keyint=50:min-keyint=50:scenecut=0"
fragments="-frag_duration 1000000"

# made NAME: the folder of a new presentation.
made() { mkdir -p "$work/vod/$1" && echo "$work/vod/$1/media"; }
# like NEW OLD SED: the same media, another manifest.
like() {
    mkdir "$work/vod/$1"
    ln "$work/vod/$2/media" "$work/vod/$1/media"
    cp "$work/vod/$2/x.ism" "$work/vod/$1/x.ism"
    sed "$3" "$work/vod/$2/x.ismc" >"$work/vod/$1/x.ismc"
    ! cmp -s "$work/vod/$2/x.ismc" "$work/vod/$1/x.ismc" || fail "$1: the manifest is that of $2"
}
index() { "$smoothcore" index "$work/vod/$1/media" -o "$work/vod/$1/x" >/dev/null || fail "$1 cannot be indexed"; }

ff $picture $x264 -movflags +frag_keyframe -f ismv "$(made h264)"
ff $picture $x264:repeat-headers=1 -movflags +frag_keyframe -f ismv "$(made h264_in_band)"
ff $picture $x265 -movflags +frag_keyframe -f ismv "$(made hevc)"
ff $picture $x265:repeat-headers=1:aud=1 -movflags +frag_keyframe -f ismv "$(made hevc_in_band)"
ff $sound -c:a aac $fragments -f ismv "$(made aac)"
ff $sound -c:a ac3 $fragments -movflags +delay_moov -f ismv "$(made ac3)"
ff $sound -c:a eac3 $fragments -movflags +delay_moov -f ismv "$(made eac3)"
ff $sound -c:a libmp3lame $fragments -f ismv "$(made mp3)"
ff $sound -c:a wmav2 -f wav "$work/wma.wav"
"$work/wave" "$work/wma.wav" "$(made wma)" 2048
ff $sound -c:a pcm_s16le -f wav "$work/pcm.wav"
"$work/wave" "$work/pcm.wav" "$(made pcm)" 1024
for name in h264 h264_in_band hevc hevc_in_band aac ac3 eac3 mp3 wma pcm; do index $name; done

he=
if [ "${HE_AAC:-no}" = yes ]; then
    target=${CARGO_TARGET_DIR:-$root/target}
    CARGO_TARGET_DIR=$target cargo build --quiet --release --locked --manifest-path "$here/heaac/Cargo.toml"
    ff $sound -f s16le "$work/sound.pcm"
    for version in 1 2; do
        "$target/release/smoothcore-heaac" $version <"$work/sound.pcm" >"$work/he$version.aac"
        # By way of a file that knows the configuration when its moov is written.
        ff -i "$work/he$version.aac" -c copy -bsf:a aac_adtstoasc "$work/he$version.m4a"
        ff -i "$work/he$version.m4a" -c copy $fragments -f ismv "$(made heaac$version)"
        index heaac$version
    done
    he="heaac1 heaac2 heaac1_explicit heaac2_explicit"
fi

private='CodecPrivateData="[0-9A-F]*"'
none='CodecPrivateData=""'
like h264_none h264_in_band "s/$private/$none/"
like hevc_none hevc_in_band "s/$private/$none/"
# SPS and PPS alone, with the VPS in band, and nowhere.
like hevc_vps_in_band hevc_in_band 's/="00000001400[0-9A-F]*\(0000000142\)/="\1/'
like hevc_no_vps hevc 's/="00000001400[0-9A-F]*\(0000000142\)/="\1/'
like aac_none aac "s/$private/$none/"
like aac_tag aac "s/FourCC=\"AACL\"/FourCC=\"\"/"
like aac_padded aac 's/\(CodecPrivateData="1190\)[0-9A-F]*/\1000000000000000000000000000000/'
if [ -n "$he" ]; then
    # Object types 5 and 29 over AAC-LC, 24 and 48 kHz, stereo and mono: ISO/IEC 14496-3 1.6.2.1.
    like heaac1_explicit heaac1 "s/$private/CodecPrivateData=\"2B118800\"/; s/AACL/AACH/"
    like heaac2_explicit heaac2 "s/$private/CodecPrivateData=\"EB098800\"/; s/AACL/AACH/"
fi
like ac3_none ac3 "s/$private/$none/"
like eac3_alone eac3 's/000603000000AF87FBA7022DFB42A4D405CD93843BDD//'
like eac3_tag eac3 's/FourCC="EC-3"/FourCC=""/'
like mp3_tag mp3 's/FourCC="MP3"/FourCC="WMAP"/'
# Only what follows the 18 bytes of a WAVEFORMATEX.
like wma_raw wma 's/CodecPrivateData="[0-9A-F]\{36\}/CodecPrivateData="/'

: >"$work/origin"
"$smoothcore" origin "$work/vod" >"$work/origin" 2>"$work/origin.log" &
origin=$!
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    base=$(awk '/^listening/ { print $3 }' "$work/origin")
    [ -z "$base" ] || break
    sleep 0.2
done
[ -n "$base" ] || fail "the origin does not listen"

play() { # NAME
    "$smoothcore" play --speed max --sink "files:$work/out/$1" "${base}$1/x.ism/Manifest" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; fail "$1 does not play"; }
    ! grep -qE 'lost|not played|no key frame' "$work/log" || { cat "$work/log" >&2; fail "$1 does not play in full"; }
}
# The hash of each packet or picture, without its time.
hashes() { awk -F', *' '!/^#/ { print $6 }'; }
packets() { ff -i "$@" -map 0:a -c copy -f framehash -hash md5 - | hashes; }
pictures() { ff -i "$1" -map 0:v -f framehash -hash md5 - | hashes; }
same() { # NAME LEAST, with what was expected and came in files of those names
    cmp "$work/expected" "$work/came" || fail "$1: something else comes out"
    [ "$(wc -l <"$work/came")" -ge "$2" ] || fail "$1: $(wc -l <"$work/came") of $2 come out"
    total=$((total + $(wc -l <"$work/came"))) count=$((count + 1))
}
total=0 count=0

for name in h264 h264_in_band h264_none hevc hevc_in_band hevc_none hevc_vps_in_band hevc_no_vps; do
    play $name
    case $name in h264*) file=video.h264 ;; *) file=video.h265 ;; esac
    pictures "$work/vod/$name/media" >"$work/expected"
    pictures "$work/out/$name/$file" >"$work/came"
    same $name 100
done
for name in aac aac_none aac_tag aac_padded; do
    play $name
    packets "$work/vod/$name/media" >"$work/expected"
    ff -i "$work/out/$name/audio.aac" -map 0:a -c copy -bsf:a aac_adtstoasc -f framehash -hash md5 - | hashes >"$work/came"
    same $name 187
done
for name in $he; do
    play $name
    source=$work/he${name#heaac}
    ff -i "${source%_explicit}.aac" -map 0:a -f framehash -hash md5 - | hashes >"$work/expected"
    ff -i "$work/out/$name/audio.aac" -map 0:a -f framehash -hash md5 - | hashes >"$work/came"
    # What is decoded has the full rate, and two channels.
    ffprobe -v error -show_entries stream=sample_rate,channels -of csv=p=0 "$work/out/$name/audio.aac" >"$work/form"
    [ "$(cat "$work/form")" = "48000,2" ] || fail "$name: $(cat "$work/form")"
    same $name 90
done
for name in ac3 ac3_none eac3 eac3_alone eac3_tag mp3 mp3_tag; do
    play $name
    case $name in ac3*) file=ac3 ;; eac3*) file=ec3 ;; *) file=mp3 ;; esac
    packets "$work/vod/$name/media" >"$work/expected"
    packets "$work/out/$name/audio.$file" >"$work/came"
    same $name 124
done

# Four bytes of a number, the lowest first.
le() { printf "\\$(printf %o $(($1 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\0"; }
for name in wma wma_raw pcm; do
    play $name
    file=$work/out/$name/audio
    data=$(ls "$file".pcm "$file".wma 2>/dev/null || true)
    {
        printf RIFF && le $(($(wc -c <"$data") + $(wc -c <"$file.wfx") + 20)) && printf 'WAVEfmt '
        le "$(wc -c <"$file.wfx")" && cat "$file.wfx"
        printf data && le "$(wc -c <"$data")" && cat "$data"
    } >"$work/again.wav"
    case $name in wma*) from=$work/wma.wav least=16 ;; *) from=$work/pcm.wav least=16 ;; esac
    packets "$from" >"$work/expected"
    packets "$work/again.wav" >"$work/came"
    if [ $name = pcm ]; then
        # The last packet is not full and was left out.
        size=$(wc -c <"$data")
        tail -c +$(($(wc -c <"$from") - 768000 + 1)) "$from" | head -c "$size" | cmp - "$data" || fail "pcm: other samples"
        cp "$work/came" "$work/expected"
    fi
    same $name $least
    # And it can be decoded.
    ff -i "$work/again.wav" -f null -
done
echo "codecs: FFmpeg $(ffmpeg -version | awk 'NR == 1 { print $3 }'): $count presentations of 8 codecs, $total packets and" \
    "pictures, all equal"
