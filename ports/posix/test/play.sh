#!/bin/sh
# Plays tests/media/testcard through the C examples and the POSIX port, linked with a shipped archive as a vendor would,
# from an origin on this machine, and compares every byte that comes out.
#   play.sh TARGET ARCHIVE SMOOTHCORE      (the archive of TARGET; the smoothcore command of this machine)
# testcard.sha256: the pictures are FFmpeg's of the .ismv files, frame by frame; the sound is byte for byte what
# `ffmpeg -c copy -f adts` makes of the .isma files.
set -eu
export LC_ALL=C
TARGET=$1 archive=$2 smoothcore=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
. "$root/ports/packaging/targets.sh"
work=$(mktemp -d)
origin=
trap '[ -z "$origin" ] || kill "$origin"; rm -rf "$work"' EXIT
flags="-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -O2 -I$root/include -I$root/ports"
posix="$root/ports/posix/clock.c $root/ports/posix/streams.c $root/ports/posix/source.c $root/ports/posix/sink.c"
examples=$root/examples/c
fail() { echo "play: $TARGET: $*" >&2; exit 1; }
# The samples of each stream are the same; how the streams alternate depends on when bytes come.
same() {
    for stream in 0 1 2; do
        grep "^$stream " "$1" >"$work/a" && grep "^$stream " "$2" >"$work/b" && cmp "$work/a" "$work/b" || return 1
    done
}

# Dynamically linked with the heap; statically linked with the arena and without a resolver.
"$CC" $flags "$examples/player.c" $posix "$root/ports/posix/alloc.c" "$archive" -o "$work/player"
"$CC" $flags "$examples/event_loop.c" $posix "$root/ports/posix/alloc.c" "$archive" -o "$work/event_loop"
"$CC" $flags "$examples/switching.c" $posix "$root/ports/posix/alloc.c" "$archive" -o "$work/switching"
"$CC" $flags "$examples/sans_io.c" "$root/ports/posix/alloc.c" "$archive" -o "$work/sans_io"
"$CC" $flags -static -DSMOOTHCORE_POSIX_NUMERIC_ONLY -DSMOOTHCORE_POSIX_ARENA_BYTES=10000000 "$examples/minimal.c" \
    $posix "$root/ports/posix/arena/arena.c" "$archive" -o "$work/minimal"

: >"$work/origin"
"$smoothcore" origin "$root/tests/media" >"$work/origin" &
origin=$!
for n in 1 2 3 4 5 6 7 8 9 10; do
    url=$(awk '/^listening/ { for (i = 1; i <= NF; i++) if ($i ~ /testcard.*Manifest$/) print $i }' "$work/origin")
    [ -z "$url" ] || break
    sleep 0.3
done
[ -n "$url" ] || fail "the origin does not listen"

mkdir "$work/out"
for level in 64852 101261 151877 258995; do
    $EMULATOR "$work/player" --out "$work/out/$level" --audio all --fixed $level --json "$work/out/$level.json" "$url" \
        >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "level $level does not play"; }
    [ "$(grep -c "^0 [0-9]* $level\$" "$work/out/$level/fragments.log")" = 24 ] || fail "not every fragment at $level"
    [ "$(sort -u "$work/out/$level/fragments.log" | wc -l)" = 72 ] || fail "not 72 fragments at $level"
done
(cd "$work/out" && sha256sum --quiet -c "$here/testcard.sha256") || fail "other bytes than testcard.sha256 says"

# From the files themselves, without a server; with the client manifest, and without it: the same bytes again.
mkdir "$work/disk" "$work/disk/out"
cp "$root"/tests/media/testcard/* "$work/disk/"
for way in with without; do
    [ $way = with ] || rm "$work/disk/testcard.ismc"
    for level in 64852 101261 151877 258995; do
        rm -rf "$work/disk/out/$level"
        $EMULATOR "$work/player" --out "$work/disk/out/$level" --audio all --fixed $level "$work/disk/testcard.ism" \
            >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "level $level does not play from disk $way .ismc"; }
        same "$work/disk/out/$level/samples.log" "$work/out/$level/samples.log" || fail "$level from disk: other samples"
    done
    (cd "$work/disk/out" && sha256sum --quiet -c "$here/testcard.sha256") || fail "from disk $way .ismc: other bytes"
done

# Blocking mode and the arena: the same bytes.
mkdir "$work/minimal.out"
$EMULATOR "$work/minimal" "$url" "$work/minimal.out" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "minimal"; }
cmp "$work/minimal.out/audio.aac" "$work/out/64852/audio_eng.aac" || fail "minimal: other sound"
[ "$(grep -c '^0 ' "$work/minimal.out/samples.log")" = 1200 ] || fail "minimal: not 1,200 pictures"

# Sans-IO: as many samples.
$EMULATOR "$work/sans_io" "$url" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "sans_io"; }
grep -q ' 3452 samples' "$work/log" || fail "sans_io: not 3,452 samples"

# The event loop: two seconds of it, paused in between, then told to quit.
(sleep 1; echo pause; sleep 0.5; echo play; sleep 0.5; echo quit) |
    $EMULATOR "$work/event_loop" "$url" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "event_loop"; }
grep -q started "$work/log" || fail "event_loop: never started"

# The template links as it is and says what is missing.
cat >"$work/template.c" <<'SOURCE'
#include <stdio.h>
#include "template/port.h"
int main(void)
{
    struct port port = { 0 };
    smoothcore_clock_port clock = port_clock(&port);
    smoothcore_stream_port streams = port_streams(&port);
    smoothcore_http_port http = port_http(&port);
    smoothcore_source_port source = port_source(&port);
    smoothcore_decoder_port decoder = port_decoder(&port);
    smoothcore_ports ports = { 0 };
    smoothcore_config config = { 0 };
    smoothcore_player *player = 0;
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    ports.struct_size = sizeof ports;
    ports.clock = &clock;
    ports.decoder = &decoder;
    ports.streams = &streams;
    ports.source = &source;
    if (http.start == 0 || http.response == 0 || http.read == 0 || http.cancel == 0) return 1;
    printf("%s\n", smoothcore_strerror(smoothcore_player_create(&config, &ports, &player)));
    return player != 0;
}
SOURCE
"$CC" $flags "$work/template.c" "$root"/ports/template/*.c "$archive" -o "$work/template"
[ "$($EMULATOR "$work/template")" = "allocator has no memory" ] || fail "the template does something else"

# What the first session learns of the network, the second one starts with; a cap of no level leaves the lowest.
for why in start prior; do
    $EMULATOR "$work/switching" "$url" 2 "$work/prior" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "switching"; }
    head -n 1 "$work/log" | grep -q "^stream 0 at 0.0 s: .* why $why\$" || { cat "$work/log" >&2; fail "switching: not by $why"; }
done
$EMULATOR "$work/switching" "$url" 2 "$work/none" 100 >"$work/log" 2>&1 && grep -q '^stream 0 .* why plan$' "$work/log" ||
    fail "switching: with a cap"
! grep '^stream 0 ' "$work/log" | grep -v ': 64852 bit/s' || fail "switching: above its cap"

# And it can fail.
if $EMULATOR "$work/player" "${url%/testcard.ism/*}/nothing.ism/Manifest" >"$work/log" 2>&1; then
    fail "the player claims to have played what is not there"
fi
echo "play: $TARGET: testcard at four levels in two languages, in three modes, over HTTP and from disk: every byte as expected"
