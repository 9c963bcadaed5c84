#!/bin/sh
# One script gives one log: in every driving mode, in Rust and in C, on every target.
#   run.sh TARGET...       the targets' archives lie in dist; the first one is the host
# Prints a line for each run; fails on the first difference to the Rust session's log on the host.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
host=$1
version=$(awk -F'"' '/^version = / { print $2; exit }' Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runs="plain.sans-io plain.event-loop plain.blocking cuts.sans-io cuts.event-loop cuts.blocking
    seek.sans-io seek.event-loop seek.blocking start.sans-io start.event-loop start.blocking
    sealed.sans-io sealed.event-loop sealed.blocking opened.sans-io opened.event-loop opened.blocking
    planned.sans-io planned.event-loop planned.blocking"
count=0
# Every mode of a script must equal this one.
reference() { echo "$work/$host/${1%%.*}.sans-io.log"; }
compare() { # RUN LOG WHO
    [ -s "$2" ] || { echo "scripted: $3 left no log of $1" >&2; exit 1; }
    cmp "$2" "$(reference "$1")" || { echo "scripted: $3 differs in $1" >&2; exit 1; }
    count=$((count + 1))
    printf '%-16s %-32s %5d lines  sha256 %s\n' "$1" "$3" "$(wc -l <"$2")" "$(sha256sum <"$2" | cut -c1-64)"
}

for TARGET; do
    . "$root/ports/packaging/targets.sh"
    mkdir "$work/$TARGET"
    upper=$(echo "$TARGET" | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${upper}_LINKER=$CC" "CARGO_TARGET_${upper}_RUNNER=$EMULATOR"
    [ -n "$EMULATOR" ] || unset "CARGO_TARGET_${upper}_RUNNER"
    select="--target $TARGET"
    # On the host itself what the tests have built already serves.
    [ "$TARGET" != "$host" ] || select=
    SMOOTHCORE_LOG_DIR=$work/$TARGET cargo test --locked --quiet --features capi $select \
        --test session scripted:: >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
    for run in $runs; do compare "$run" "$work/$TARGET/$run.log" "Rust ${TARGET%%-*}"; done

    dist=dist/smoothcore-$version-$TARGET
    "$CC" $TARGET_CFLAGS -std=c99 -pedantic -O2 -Wall -Wextra -Werror -I"$dist/include" \
        tests/c/rig.c tests/c/scripted.c -L"$dist/lib" -lsmoothcore -o "$work/scripted.$TARGET"
    for run in $runs; do
        # The Rust rig has left the test card encrypted.
        case $run in sealed.* | opened.*) media=$work/$host/sealed ;; *) media=tests/media/testcard ;; esac
        $EMULATOR "$work/scripted.$TARGET" "${run#*.}" "${run%%.*}" "$media" >"$work/c.log" 2>"$work/err" ||
            { cat "$work/err" >&2; exit 1; }
        compare "$run" "$work/c.log" "C ${TARGET%%-*}"
        printf '%-16s   %s\n' "" "$(cat "$work/err")"
    done
done
# The small archive plays the same: what it leaves out is not in the test card.
TARGET=armv7-unknown-linux-gnueabihf
small=dist/smoothcore-$version-$TARGET-vod
. "$root/ports/packaging/targets.sh"
"$CC" $TARGET_CFLAGS -std=c99 -pedantic -O2 -Wall -Wextra -Werror -I"$small/include" \
    tests/c/rig.c tests/c/scripted.c -L"$small/lib" -lsmoothcore -o "$work/scripted.vod"
for run in $runs; do
    case $run in sealed.* | opened.* | planned.*) continue ;; esac
    $EMULATOR "$work/scripted.vod" "${run#*.}" "${run%%.*}" tests/media/testcard >"$work/c.log" 2>"$work/err" ||
        { cat "$work/err" >&2; exit 1; }
    compare "$run" "$work/c.log" "C armv7 vod"
done
# That the comparison can fail.
sed '$s/[0-9]*$/0/' "$(reference plain)" >"$work/spoilt"
! cmp -s "$work/spoilt" "$(reference plain)" || { echo "scripted: the comparison sees nothing" >&2; exit 1; }
echo "scripted: $count logs of 7 scripts agree"
