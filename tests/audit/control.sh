#!/bin/sh
# The audit's negative control: the same archive with one planted `v[i]` must fail it, for that reason.
#   control.sh TARGET
set -eu
export LC_ALL=C
TARGET=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
out=${CARGO_TARGET_DIR:-$root/target}/plant
mkdir -p "$out"
RUSTFLAGS="--cfg smoothcore_plant_panic" CARGO_TARGET_DIR="$out" \
    sh ports/packaging/archive.sh "$TARGET" "$out/libplanted-$TARGET.a"
if sh "$here/audit.sh" "$TARGET" "$out/libplanted-$TARGET.a" include/smoothcore.h >"$out/report"; then
    cat "$out/report"
    echo "control: a planted panic passed the audit of $TARGET" >&2
    exit 1
fi
for reason in "panic-path: the panic handler can be reached" "exports: archive" "+ smoothcore_planted_panic" \
    "FAIL  links: dynamic"; do
    grep -q -F -- "$reason" "$out/report" || {
        cat "$out/report"
        echo "control: the audit of $TARGET failed, but did not say: $reason" >&2
        exit 1
    }
done

# A function that loses its return address, beside two that do not.
. ports/packaging/targets.sh
case $TARGET in
    aarch64*) save='stp x29, x30, [sp, -16]!' ;;
    arm*) save='push {r4, lr}' ;;
    *) save= ;;
esac
found=
if [ -n "$save" ]; then
    printf '%s\n' '.text' 'lost: bl callee' 'b callee' "kept: $save" 'bl callee' 'b callee' 'leaf: b callee' |
        "$CC" -x assembler -c - -o "$out/returns.o"
    found=$("${TOOLS}objdump" -d --no-show-raw-insn "$out/returns.o" | awk -v target="$TARGET" -f "$here/returns.awk")
    [ "$found" = lost ] || { echo "control: of lost, kept and leaf the audit of $TARGET finds: $found" >&2; exit 1; }
fi
echo "control: the audit of $TARGET finds a planted panic${found:+, a lost return address} and a stray export"
