#!/bin/sh
# Tests the POSIX port and compiles the template and the C examples, without the archive: with sanitizers on this
# machine, and statically linked for armv7 under its emulator where the cross compiler is there.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
ports=$(cd "$here/../.." && pwd)
include=$ports/../include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -pedantic -Wstrict-prototypes -Wshadow -I$include -I$ports"
test="$here/test.c $ports/posix/arena/arena.c $ports/posix/clock.c $ports/posix/streams.c $ports/posix/source.c
    $ports/posix/sink.c"

for cc in ${CC:-cc} arm-linux-gnueabihf-gcc; do
    command -v "$cc" >/dev/null || { echo "posix port: no $cc, skipped"; continue; }
    for source in "$ports"/posix/*.c "$ports"/posix/arena/*.c "$ports"/template/*.c "$ports"/../examples/c/*.c; do
        "$cc" $flags -O2 -c "$source" -o "$work/one.o"
    done
done

"${CC:-cc}" $flags -g -O1 -fsanitize=address,undefined -fno-sanitize-recover $test -lpthread -o "$work/test"
"$work/test"
if command -v arm-linux-gnueabihf-gcc >/dev/null && command -v qemu-arm >/dev/null; then
    arm-linux-gnueabihf-gcc $flags -O2 -static -DSMOOTHCORE_POSIX_NUMERIC_ONLY $test -lpthread -o "$work/test-arm"
    qemu-arm "$work/test-arm"
fi
