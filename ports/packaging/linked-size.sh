#!/bin/sh
# Prints what linking the library costs on a target: text (code and constants), data and bss of a program that reaches
# every function of the header, less those of the same program without the library.
#   linked-size.sh TARGET ARCHIVE HEADER [PROFILE]      the profile vod has a goal on armv7
# With SIZE_GATE=yes text may be at most 2 % above the figure in sizes.txt; with SIZE_GATE=write it is written there.
set -eu
export LC_ALL=C
TARGET=$1 archive=$2 header=$3 profile=${4:-}
goal=122880
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/targets.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$archive" "$work/libsmoothcore.a"
flags="-Os $TARGET_CFLAGS -ffunction-sections -fdata-sections -Wl,--gc-sections -I$(dirname "$header")"
[ $BARE = no ] || flags="$flags --specs=nosys.specs -nostartfiles -Wl,-e,main -Wl,--no-warn-mismatch"
for which in none all; do
    sh "$root/tests/audit/probe.sh" "$header" $which >"$work/$which.c"
    "$CC" $flags "$root/tests/audit/main.c" "$work/$which.c" -L"$work" -lsmoothcore -o "$work/$which" 2>"$work/log" || {
        cat "$work/log" >&2
        exit 1
    }
done
name=$TARGET${profile:+-$profile}
known=$(awk -v name="$name" '$1 == name { print $2 }' "$here/sizes.txt")
"${TOOLS}size" "$work/none" "$work/all" | awk -v goal=$goal -v target="$TARGET" -v profile="$profile" -v known="$known" \
    -v gate="${SIZE_GATE:-no}" -v figure="$work/figure" '
    NR == 2 { text = $1; data = $2; bss = $3 }
    NR == 3 {
        text = $1 - text
        printf "%s%s: linked text %d bytes, data %d, bss %d", target, profile == "" ? "" : " " profile, text, $2 - data, $3 - bss
        if (target ~ /^armv7-/ && profile == "vod")
            printf "; goal for text %d (120 KiB): %s", goal, text <= goal ? "met" : "MISSED by " text - goal
        print ""
        print text >figure
        if (gate == "yes" && text > known * 1.02) {
            printf "%s: text is more than 2 %% above the %d bytes in ports/packaging/sizes.txt: make it smaller, or let make " \
                "dist-all SIZE_GATE=write write the new figure, and say why in the commit\n", target, known >"/dev/stderr"
            exit 1
        }
    }'
[ "${SIZE_GATE:-no}" != write ] || {
    awk -v name="$name" '$1 != name' "$here/sizes.txt" >"$work/sizes"
    echo "$name $(cat "$work/figure")" >>"$work/sizes"
    { grep '^#' "$work/sizes"; grep -v '^#' "$work/sizes" | sort; } >"$here/sizes.txt"
}
