#!/bin/sh
# Builds libsmoothcore_clearkey.a and a C program of it, and runs that program.
#   test.sh
# Environment: CARGO_TARGET_DIR.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "clearkey from C"
cargo build --quiet --locked --release --manifest-path "$here/Cargo.toml"
port=${CARGO_TARGET_DIR:-$here/../target}/release/libsmoothcore_clearkey.a
cc -std=c99 -O2 -Wall -Wextra -Werror -I"$here" "$here/test.c" "$port" -lpthread -lm -ldl -o "$work/test"
${CXX:-c++} -std=c++11 -Wall -Wextra -Werror -fsyntax-only -x c++ "$here/smoothcore_clearkey.h" 2>"$work/log" ||
    { grep -v 'pragma once' "$work/log"; exit 1; }
"$work/test"
