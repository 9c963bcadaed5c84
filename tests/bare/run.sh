#!/bin/sh
# Runs the archive without an operating system, under QEMU.
#   run.sh TARGET ARCHIVE
set -eu
export LC_ALL=C
TARGET=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/ports/packaging/targets.sh"
case $TARGET in
    armv7a-none-eabi) start=start_a.S ram=0x40010000 machine="-M virt -cpu cortex-a7" ;;
    thumbv7em-none-eabihf) start=start_m.S ram=0x00000000 machine="-M mps2-an386" ;;
    *) echo "run.sh: no machine for $TARGET" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$archive" "$work/libsmoothcore.a"
sed "s/@RAM@/$ram/" "$here/bare.ld.in" >"$work/bare.ld"
"$CC" $TARGET_CFLAGS -O2 -Wall -Wextra -Werror -ffreestanding -nostartfiles -I"$root/include" \
    -Wl,-z,noexecstack -T "$work/bare.ld" "$here/$start" "$here/main.c" -L"$work" -lsmoothcore -o "$work/bare.elf"
# A program that hangs must not hang the check.
timeout 60 qemu-system-arm $machine -net none -display none -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$work/bare.elf" >"$work/out" 2>&1 || {
    cat "$work/out"
    echo "bare: $TARGET failed" >&2
    exit 1
}
cat "$work/out"
grep -q ', passed$' "$work/out" || { echo "bare: $TARGET printed no verdict" >&2; exit 1; }
echo "bare: $TARGET runs in QEMU ($machine)"
