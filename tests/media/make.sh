#!/bin/sh
# make.sh [DIR]: makes the test presentation `testcard` (DIR is testcard/ beside this script when not given).
#
# Needs Debian's ffmpeg and fonts-dejavu-core, and the `smoothcore` command of ports/host for the two manifests
# (built with cargo when SMOOTHCORE does not name one). README.md beside this file says what comes out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/testcard}
seconds=48
font=/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf

missing=
command -v ffmpeg >/dev/null || missing="$missing ffmpeg"
[ -r "$font" ] || missing="$missing fonts-dejavu-core"
if [ -n "$missing" ]; then
    echo "make.sh: not installed:$missing" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
for part in 'encoders libx264' 'encoders aac' 'muxers ismv' 'filters drawtext'; do
    # shellcheck disable=SC2086  # two words on purpose
    set -- $part
    ffmpeg -hide_banner -loglevel error "-$1" | grep -qw "$2" || {
        echo "make.sh: this ffmpeg has no $2; Debian's has" >&2
        exit 1
    }
done
if [ -z "${SMOOTHCORE:-}" ]; then
    cargo build --quiet --release --manifest-path "$here/../../ports/host/Cargo.toml"
    SMOOTHCORE=${CARGO_TARGET_DIR:-$here/../../ports/host/target}/release/smoothcore
fi
case $SMOOTHCORE in /*) ;; *) SMOOTHCORE=$PWD/$SMOOTHCORE ;; esac

mkdir -p "$out"
cd "$out"
rm -f ./*.ismv ./*.isma ./*.ism ./*.ismc

ff() { ffmpeg -hide_banner -loglevel error -nostdin -y -threads 1 -filter_threads 1 "$@"; }
exact='-threads 1 -fflags +bitexact -map_metadata -1'

# The picture: test pattern, a white flash on every second, the frame number as text, and again as a row of cells that
# a program can read: at 640x360, cell i is 32x24 at (32 + 44 i, 324); cell 0 always white, cell 1 always black, then
# eleven bits of the frame number, most significant first, white for 1.
cells="drawbox=x=20:y=312:w=596:h=48:color=black:t=fill,drawbox=x=32:y=324:w=32:h=24:color=white:t=fill"
i=2
while [ $i -le 12 ]; do
    power=$((1 << (12 - i)))
    cells="$cells,drawbox=x=$((32 + 44 * i)):y=324:w=32:h=24:color=white:t=fill:enable='eq(mod(floor(n/$power),2),1)'"
    i=$((i + 1))
done
picture="drawbox=x=480:y=24:w=136:h=72:color=black:t=fill,\
drawbox=x=480:y=24:w=136:h=72:color=white:t=fill:enable='lt(mod(n,25),3)',\
drawtext=fontfile=$font:fontsize=56:fontcolor=white:box=1:boxcolor=black:boxborderw=10:x=32:y=32:text='%{frame_num}',$cells"

# level KBPS WIDTH HEIGHT PROFILE [FFMPEG OPTIONS]: one H.264 level. Every key frame is an IDR picture, every two seconds,
# nowhere else. Reordering delays the first picture by exactly one frame (40 ms) on every level, so that the levels
# present the same picture at the same time.
level() {
    kbps=$1 width=$2 height=$3 profile=$4
    shift 4
    label="drawtext=fontfile=$font:fontsize=$((height / 12)):fontcolor=yellow:box=1:boxcolor=black:boxborderw=4:\
x=w*0.05:y=h*0.36:text='${kbps}k ${width}x$height'"
    # shellcheck disable=SC2086
    ff -f lavfi -i "testsrc2=size=640x360:rate=25:duration=$seconds" \
        -vf "$picture,scale=$width:$height:flags=bicubic,$label" \
        -c:v libx264 -preset slow -profile:v "$profile" -pix_fmt yuv420p \
        -b:v "${kbps}k" -maxrate "${kbps}k" -bufsize "$((kbps * 2))k" \
        -g 50 -keyint_min 50 -sc_threshold 0 -flags:v +bitexact+cgop \
        "$@" $exact -movflags +frag_keyframe -f ismv "testcard_$kbps.ismv"
}
level 64 256 144 main -bf 1 -x264-params b-pyramid=none
level 100 384 216 main -bf 1 -x264-params b-pyramid=none
level 150 512 288 main -bf 2 -x264-params b-pyramid=none
level 256 640 360 high -bf 3 -x264-params b-pyramid=none

# language CODE HERTZ: a quiet tone with a loud beep on every second. The delay of 896 samples and the encoder's own
# 1024 samples of priming make 40 ms: beep and flash start together. The way through a plain MP4 is there to have the
# priming at time 0: written directly, the first fragment would overlap the second by one access unit.
language() {
    # shellcheck disable=SC2086
    ff -f lavfi -i "aevalsrc='sin(2*PI*$2*t)*(0.1+0.4*lt(mod(t,1),0.12))':sample_rate=48000:duration=$seconds" \
        -af adelay=896S -ac 2 -c:a aac -profile:a aac_low -b:a 24k -flags:a +bitexact \
        -metadata:s:a:0 language="$1" $exact -f mp4 "$1.tmp"
    # shellcheck disable=SC2086
    ff -ignore_editlist 1 -i "$1.tmp" -c copy -metadata:s:a:0 language="$1" $exact \
        -frag_duration 2000000 -f ismv "testcard_$1.isma"
    rm "$1.tmp"
}
language eng 440
language fra 660

"$SMOOTHCORE" index testcard_*.ismv testcard_*.isma -o testcard
du -cb ./* | tail -n 1
