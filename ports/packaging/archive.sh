#!/bin/sh
# Builds the archive firmware links.
#   archive.sh TARGET OUTPUT.a [PROFILE]
# PROFILE vod: clear H.264 and AAC on demand alone, on ARM of 32 bits for the least size. Without one: everything.
# Environment: FEATURES (instead of the profile's), CARGO_TARGET_DIR, RUSTFLAGS.
#
# A Rust static library holds a few hundred objects of core, alloc and the compiler's helpers: megabytes, with unwind
# tables that want a runtime, and helpers that clash with libgcc. With fat LTO everything that is ours, core and
# alloc included, lies in one object. That one is kept, what no export reaches is dropped, as are unwind, debug
# and bitcode sections, and every name but the exports becomes local. The helpers come from the vendor's libgcc.
set -eu
export LC_ALL=C
TARGET=$1 output=$2 profile=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/targets.sh"

cd "$root"
target_dir=${CARGO_TARGET_DIR:-$root/target}
# 32-bit boxes have little flash. Thumb code is a third smaller than ARM code, but the prebuilt core is ARM code and cannot
# be inlined into it, so core is built as well; that needs rust-src and, for one flag, RUSTC_BOOTSTRAP. Calls cost less
# than copies, repeated code is shared, and no panic can be reached, so none needs to know its line. Sharing runs once: run
# again, the outliner of LLVM 22 makes functions that lose their return address (tests/audit/returns.awk looks).
build_std=
threshold=20
[ "$profile" != vod ] || threshold=25
case $TARGET in
    armv7* | thumbv7*)
        RUSTFLAGS="${RUSTFLAGS:-} -Zlocation-detail=none -Cllvm-args=-inline-threshold=$threshold"
        RUSTFLAGS="$RUSTFLAGS -Cllvm-args=-enable-machine-outliner=always"
        build_std="-Zbuild-std=core,alloc"
        # Elsewhere z leaves panic paths: checks that cannot fail are not seen to be so.
        [ "$profile" != vod ] || export CARGO_PROFILE_DIST_OPT_LEVEL=z
        export RUSTC_BOOTSTRAP=1 ;;
esac
case $TARGET in
    armv7*) RUSTFLAGS="$RUSTFLAGS -Ctarget-feature=+thumb-mode" ;;
esac
export RUSTFLAGS
. "$here/features.sh"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo rustc $build_std --quiet --locked --lib --crate-type staticlib --profile dist --no-default-features \
    --features "$features" --target "$TARGET" 2>"$log" || { cat "$log" >&2; exit 1; }
# Every run says that Thumb is no stable feature; anything else is news.
grep '^warning' "$log" | grep -v 'thumb-mode' >&2 || true
raw=$target_dir/$TARGET/dist/libsmoothcore.a

work=$(mktemp -d)
trap 'rm -rf "$work" "$log"' EXIT
"${TOOLS}ar" t "$raw" | grep '^smoothcore[-.]' >"$work/members"
(cd "$work" && mkdir own && cd own && "${TOOLS}ar" x "$raw" $(cat ../members))
"${TOOLS}nm" -g --defined-only "$work"/own/*.o 2>/dev/null |
    awk '$2 == "T" && $3 ~ /^smoothcore_/ { print $3 }' | sort -u >"$work/exports"
[ -s "$work/exports" ] || { echo "archive.sh: no exported function in $raw" >&2; exit 1; }

# Bitcode goes first: Debian's linker stumbles over it.
for object in "$work"/own/*.o; do
    "${TOOLS}objcopy" -R .llvmbc -R .llvmcmd "$object"
done
"${TOOLS}ld" -r --gc-sections $(sed 's/^/-u /' "$work/exports") -o "$work/smoothcore.o" "$work"/own/*.o
"${TOOLS}objcopy" -w --strip-debug \
    -R '.ARM.exidx*' -R '.rel.ARM.exidx*' -R '.ARM.extab*' -R '.rel.ARM.extab*' -N '__aeabi_unwind_cpp_pr*' \
    -R .eh_frame -R .rel.eh_frame -R .rela.eh_frame -R .comment -R '.gcc_except_table*' \
    "$work/smoothcore.o"
"${TOOLS}objcopy" --keep-global-symbols="$work/exports" "$work/smoothcore.o"
"${TOOLS}objcopy" --discard-all "$work/smoothcore.o"
mkdir -p "$(dirname "$output")"
rm -f "$output"
"${TOOLS}ar" crsD "$output" "$work/smoothcore.o"
