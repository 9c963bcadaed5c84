#!/bin/sh
# Runs the archive without an operating system, under QEMU: the scripts of tests/c/rig.c in every driving mode. Their
# logs must equal what the Rust session logs on the host.
#   run.sh TARGET ARCHIVE
set -eu
export LC_ALL=C
TARGET=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/ports/packaging/targets.sh"
case $TARGET in
    armv7a-none-eabi)
        start=start_a.S ram=0x40010000 end=0x41000000 media=0x41000000 machine="-M virt -cpu cortex-a7" ;;
    thumbv7em-none-eabihf)
        # 4 MiB of SRAM, and 16 MiB of slower memory for the presentation.
        start=start_m.S ram=0x00000000 end=0x00400000 media=0x21000000 machine="-M mps2-an386" ;;
    *) echo "run.sh: no machine for $TARGET" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/rust" "$work/bare"
cd "$root"
SMOOTHCORE_LOG_DIR=$work/rust cargo test --locked --quiet --features capi --test session scripted:: >"$work/out" 2>&1 || {
    cat "$work/out" >&2
    exit 1
}
cp "$archive" "$work/libsmoothcore.a"
sed -e "s/@RAM@/$ram/" -e "s/@END@/$end/" -e "s/@MEDIA@/$media/" "$here/bare.ld.in" >"$work/bare.ld"
"$CC" $TARGET_CFLAGS -O2 -Wall -Wextra -Werror -ffreestanding -nostartfiles -I"$root/include" -I"$root/tests/c" \
    -Wa,-I"$root/tests/media/testcard" -Wl,-z,noexecstack -T "$work/bare.ld" "$here/$start" "$here/main.c" \
    "$here/arena.c" "$root/tests/c/rig.c" "$here/media.S" -L"$work" -lsmoothcore -o "$work/bare.elf"
# Nothing that would want an operating system or a second heap.
if "${TOOLS}nm" "$work/bare.elf" | grep -E ' _?(malloc|free|sbrk|write|printf|abort|exit)$'; then
    echo "bare: $TARGET links what it must not" >&2
    exit 1
fi
# A program that hangs must not hang the check.
(cd "$work/bare" && timeout 300 qemu-system-arm $machine -net none -display none -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$work/bare.elf") >"$work/out" 2>&1 || {
    cat "$work/out"
    echo "bare: $TARGET failed" >&2
    exit 1
}
cat "$work/out"
grep -q ', passed$' "$work/out" || { echo "bare: $TARGET printed no verdict" >&2; exit 1; }
count=0
for log in "$work"/rust/*.log; do
    # The image holds the clear test card; the scripts over protected media run under an operating system.
    case ${log##*/} in sealed.* | opened.*) continue ;; esac
    cmp "$log" "$work/bare/${log##*/}" || { echo "bare: $TARGET differs in ${log##*/}" >&2; exit 1; }
    count=$((count + 1))
done
[ $count -gt 0 ] || { echo "bare: nothing to compare with" >&2; exit 1; }
echo "bare: $TARGET runs in QEMU ($machine), its $count logs equal those on the host"
