#!/bin/sh
# Tests of the boundary from C: structs of other ages, NULL, re-entry, broken ports, threads, memory that ends.
#   run.sh TARGET ARCHIVE HEADER
# Programs of other architectures run under QEMU; on the machine itself they run once more with the sanitizers of gcc.
set -eu
export LC_ALL=C
TARGET=$1 archive=$2 header=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/ports/packaging/targets.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
native=no
[ "$TARGET" != "$(uname -m)-unknown-linux-gnu" ] || { EMULATOR='' && native=yes; }
sources="$here/abi.c $here/abi_structs.c $here/abi_nulls.c $here/abi_reentry.c $here/abi_contract.c
    $here/abi_streams.c $here/abi_handles.c $here/abi_init.c $here/abi_source.c $here/abi_tracks.c
    $here/abi_protection.c $here/abi_deviations.c $here/abi_live.c $here/abi_switching.c $here/rig.c"
flags="-std=c99 -D_POSIX_C_SOURCE=200809L -pedantic -O1 -g -Wall -Wextra -Werror $TARGET_CFLAGS -I$(dirname "$header")"
run() { # NAME FLAG...: builds with FLAG and runs
    name=$1
    shift
    "$CC" $flags "$@" $sources "$archive" -pthread -o "$work/$name"
    $EMULATOR "$work/$name" "$root/tests/media/testcard" >"$work/out" 2>&1 || {
        cat "$work/out" >&2
        echo "ctest: $TARGET: $name failed" >&2
        exit 1
    }
    echo "ctest: $TARGET: $name: $(tail -n 1 "$work/out")"
}
run plain
[ $native = no ] || run sanitized -fsanitize=address,undefined -fno-sanitize-recover=all
