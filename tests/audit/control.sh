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
echo "control: the audit of $TARGET finds a planted panic and a stray export"
