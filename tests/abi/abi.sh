#!/bin/sh
# Compares the boundary with the committed ones in tests/abi/VERSION.
#   abi.sh check DIST     DIST holds the archives of the three Linux targets, as `make dist` leaves them
#   abi.sh update         writes the baseline of the version the header states
# The current version must equal its baseline. Of an older version with the same major every field, function and
# constant must still be there unchanged, and a program compiled with its header must link and run. So must the objects
# that were compiled of caller.c when the version was made, and are committed with it.
set -eu
export LC_ALL=C
mode=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cd "$root"
header=include/smoothcore.h
number() { awk -v name="SMOOTHCORE_ABI_$1" '$1 == "#define" && $2 == name { print $3 }' $header; }
major=$(number MAJOR)
version=$major.$(number MINOR)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "abi: $1" >&2; failed=1; }

# plain HEADER: without comments, one declaration or constant a line, sorted.
plain() {
    gcc -fpreprocessed -dD -E -P -x c "$1" | tr -s ' \t\n' '   ' |
        sed 's/#define/\n#define/g; s/#undef/\n#undef/g; s/#\(ifndef\|ifdef\|endif\|include\)/\n#\1/g; s/[;{}]/&\n/g' |
        sed 's/^ *//; s/ *$//; /^$/d; /^#define SMOOTHCORE_ABI_MINOR /d' | sort
}

sh tests/abi/layout.sh $header >"$work/layout.c"
run_program() { # SOURCE NAME: compiles and runs for TARGET, set by the caller
    . "$root/ports/packaging/targets.sh"
    [ "$TARGET" = "$(uname -m)-unknown-linux-gnu" ] && EMULATOR=
    "$CC" -static -Wall -Wextra -Werror -Iinclude "$1" -o "$work/$2"
    $EMULATOR "$work/$2"
}

targets="x86_64-unknown-linux-gnu armv7-unknown-linux-gnueabihf aarch64-unknown-linux-gnu"
for TARGET in $targets; do
    run_program "$work/layout.c" layout >"$work/layout.$TARGET.txt" || { fail "$TARGET: a struct breaks a rule"; }
done

if [ "$mode" = update ]; then
    [ $failed = 0 ] || exit 1
    mkdir -p "tests/abi/$version"
    cp $header "tests/abi/$version/smoothcore.h"
    for TARGET in $targets; do
        cp "$work/layout.$TARGET.txt" "tests/abi/$version/"
        # Once a version: what was built stays built.
        [ -f "tests/abi/$version/caller.$TARGET.o" ] || (
            . ports/packaging/targets.sh
            "$CC" -std=c99 -Os -fno-ident -Wall -Wextra -Werror -Iinclude -c tests/abi/caller.c -o "tests/abi/$version/caller.$TARGET.o"
        )
    done
    echo "abi: wrote tests/abi/$version; if it existed before, CHANGELOG.md needs an ABI line"
    exit 0
fi

dist=$2
release=$(awk -F'"' '/^version = / { print $2; exit }' Cargo.toml)
[ -d "tests/abi/$version" ] || fail "no baseline tests/abi/$version: run make abi-update"
plain $header >"$work/plain"
for old in tests/abi/"$major".*; do
    [ -d "$old" ] || continue
    base=${old##*/}
    plain "$old/smoothcore.h" >"$work/plain.old"
    if [ "$base" = "$version" ]; then
        diff "$work/plain.old" "$work/plain" >"$work/diff" || {
            fail "declarations differ from $old: run make abi-update and write an ABI line in CHANGELOG.md"
            cat "$work/diff" >&2
        }
    else
        gone=$(comm -23 "$work/plain.old" "$work/plain")
        [ -z "$gone" ] || fail "$old declares what is no longer there: $gone"
    fi
    for TARGET in $targets; do
        if [ "$base" = "$version" ]; then
            diff "$old/layout.$TARGET.txt" "$work/layout.$TARGET.txt" >&2 ||
                fail "$TARGET: layout differs from $old"
        else
            # A struct may be larger than it was; its fields stay where they are.
            grep ' offset ' "$old/layout.$TARGET.txt" | sort >"$work/fields.old"
            gone=$(sort "$work/layout.$TARGET.txt" | comm -23 "$work/fields.old" -)
            [ -z "$gone" ] || fail "$TARGET: fields of $old have moved: $gone"
        fi
        # An object that was compiled long ago.
        (
            . ports/packaging/targets.sh
            [ "$TARGET" = "$(uname -m)-unknown-linux-gnu" ] && EMULATOR=
            "$CC" -static "$old/caller.$TARGET.o" -L"$dist/smoothcore-$release-$TARGET/lib" -lsmoothcore -o "$work/caller" &&
                $EMULATOR "$work/caller"
        ) || fail "$TARGET: $old/caller.$TARGET.o does not link or run: $?"
        # A program that knows only the older header.
        sh tests/audit/probe.sh "$old/smoothcore.h" all >"$work/caller.c"
        (
            . ports/packaging/targets.sh
            [ "$TARGET" = "$(uname -m)-unknown-linux-gnu" ] && EMULATOR=
            "$CC" -static -I"$old" tests/audit/main.c "$work/caller.c" \
                -L"$dist/smoothcore-$release-$TARGET/lib" -lsmoothcore -o "$work/caller"
            $EMULATOR "$work/caller"
        ) || fail "$TARGET: a program built with $old/smoothcore.h does not run"
    done
done
[ $failed = 0 ] || exit 1
echo "abi: $version is its baseline on 3 targets, old objects run: $(grep -c ' align ' "$work/layout.x86_64-unknown-linux-gnu.txt" || true) structs, $(sh tests/audit/header-functions.sh exported $header | wc -l) functions"
