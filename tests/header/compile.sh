#!/bin/sh
# Compiles include/smoothcore.h alone, twice over, as C99, C11 and C++11 for the three Linux targets, and holds it to
# the boundary's rules. A pedantic warning is an error.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
header=$root/include/smoothcore.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include "smoothcore.h"\n#include "smoothcore.h"\n' >"$work/alone.c"
cp "$work/alone.c" "$work/alone.cc"
flags="-pedantic -Wall -Wextra -Werror -Wundef -fsyntax-only -I$root/include"
for TARGET in x86_64-unknown-linux-gnu armv7-unknown-linux-gnueabihf aarch64-unknown-linux-gnu; do
    . "$root/ports/packaging/targets.sh"
    for standard in c99 c11; do
        "$CC" -std=$standard $flags -Wstrict-prototypes "$work/alone.c"
    done
    "${TOOLS}g++" -std=c++11 $flags "$work/alone.cc"
    echo "header: alone as C99, C11 and C++11 on $TARGET"
done

includes=$(grep '^#include' "$header" | sort | tr '\n' ' ')
[ "$includes" = "#include <stddef.h> #include <stdint.h> " ] || {
    echo "header: includes $includes; only stddef.h and stdint.h may be" >&2
    exit 1
}
sh "$root/tests/abi/layout.sh" "$header" >"$work/layout.c"
echo "header: includes stddef.h and stdint.h; every struct keeps the rules"
# The checks themselves must be able to fail.
printf 'typedef struct smoothcore_bad {\n uint32_t struct_size;\n enum e mode;\n} smoothcore_bad;\n' >"$work/bad.h"
if sh "$root/tests/abi/layout.sh" "$work/bad.h" >/dev/null 2>&1; then
    echo "header: an enum in a struct was not found" >&2
    exit 1
fi
printf 'typedef struct smoothcore_bad {\n uint32_t flags;\n} smoothcore_bad;\n' >"$work/bad.h"
if sh "$root/tests/abi/layout.sh" "$work/bad.h" >/dev/null 2>&1; then
    echo "header: a struct without struct_size was not found" >&2
    exit 1
fi
