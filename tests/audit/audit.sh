#!/bin/sh
# Proves what README.md says of a shipped archive. Prints one line a finding; fails when one of them is FAIL.
#   audit.sh TARGET ARCHIVE HEADER
# Needs sh, awk and the target's gcc and binutils; programs of other architectures run under QEMU.
set -eu
export LC_ALL=C
TARGET=$1 archive=$2 header=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/ports/packaging/targets.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
pass() { echo "  ok    $1"; }
fail() { echo "  FAIL  $1"; failed=1; }
# try WHAT COMMAND...: the command's own output appears only when it fails.
try() {
    what=$1
    shift
    if "$@" >"$work/log" 2>&1; then pass "$what"; else fail "$what"; sed 's/^/        /' "$work/log" | head -20; fi
}

echo "audit: $archive"
"${TOOLS}nm" -u "$archive" | awk 'NF == 2 { print $2 }' | sort -u >"$work/undefined"
"${TOOLS}nm" -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
sh "$here/header-functions.sh" exported "$header" >"$work/declared"

# The panic handler alone calls this name. LLVM merges and renames panic functions, so their own names prove nothing.
if grep -q -x smoothcore_panic_path_remains "$work/undefined"; then
    fail "panic-path: the panic handler can be reached"
else
    pass "panic-path: no panic can be reached"
fi

if cmp -s "$work/defined" "$work/declared"; then
    pass "exports: the $(wc -l <"$work/declared") functions of the header, nothing else"
else
    fail "exports: archive (+) and header (-) differ"
    diff "$work/declared" "$work/defined" | sed -n 's/^> /        + /p; s/^< /        - /p'
fi

sed 's/#.*//; s/[ 	]//g; /^$/d' "$here/allow/all.txt" "$here/allow/$TARGET.txt" | sort -u >"$work/allowed"
stray=$(comm -23 "$work/undefined" "$work/allowed" | grep -v -x smoothcore_panic_path_remains || true)
if [ -z "$stray" ]; then
    pass "undefined: $(wc -l <"$work/undefined") names, all allowed: $(tr '\n' ' ' <"$work/undefined")"
else
    fail "undefined: not in tests/audit/allow: $(echo "$stray" | tr '\n' ' ')"
fi

sections=$("${TOOLS}objdump" -h "$archive" | awk '$1 ~ /^[0-9]+$/ { print $2 }' |
    grep -E '^\.(llvm|debug|eh_frame|ARM\.ex|gcc_except|init_array|ctors|tdata|tbss)' || true)
if [ -z "$sections" ]; then
    pass "sections: no bitcode, debug or unwind sections, no constructors, no thread-local data"
else
    fail "sections: $(echo "$sections" | tr '\n' ' ')"
fi

lost=$("${TOOLS}objdump" -d --no-show-raw-insn "$archive" | awk -v target="$TARGET" -f "$here/returns.awk")
if [ -z "$lost" ]; then
    pass "returns: every function that calls another saves where it returns to"
else
    fail "returns: miscompiled, lose their return address: $(echo "$lost" | tr '\n' ' ')"
fi

sh "$here/probe.sh" "$header" all >"$work/probe.c"
cp "$archive" "$work/libsmoothcore.a"
flags="-O2 -Wall -Wextra -Werror $TARGET_CFLAGS -I$(dirname "$header")"
built=yes
try "compiles: a program that reaches every function" \
    "$CC" $flags -fPIC -c "$work/probe.c" -o "$work/probe.o" || built=no
[ -f "$work/probe.o" ] || built=no
warn="-Wl,--fatal-warnings"
if [ $built = no ]; then
    fail "links: not tried"
elif [ $BARE = yes ]; then
    # A board brings its own start-up code; here only what is left undefined counts.
    try "links: no operating system, libgcc and newlib" \
        "$CC" $flags --specs=nosys.specs -nostartfiles -Wl,-e,main -Wl,--no-warn-mismatch \
        "$here/main.c" "$work/probe.o" -L"$work" -lsmoothcore -o "$work/bare"
else
    try "links: dynamic" "$CC" $flags $warn "$here/main.c" "$work/probe.o" -L"$work" -lsmoothcore -o "$work/dynamic"
    try "links: static" "$CC" $flags -static "$here/main.c" "$work/probe.o" -L"$work" -lsmoothcore -o "$work/static"
    try "links: into a shared library, nothing undefined, no text relocations" \
        "$CC" $flags $warn -shared -Wl,-z,defs -Wl,-z,text "$work/probe.o" -L"$work" -lsmoothcore \
        -o "$work/libprobe.so"
    try "links: against that shared library" \
        "$CC" $flags $warn "$here/main.c" -L"$work" -lprobe -Wl,-rpath,"$work" -o "$work/shared"
    [ "$TARGET" = "$(uname -m)-unknown-linux-gnu" ] && EMULATOR=
    for program in dynamic static shared; do
        [ -f "$work/$program" ] || continue
        try "runs: $program${EMULATOR:+ under ${EMULATOR%% *}}" $EMULATOR "$work/$program"
    done
fi
if [ $failed = 0 ]; then echo "audit: passed"; else echo "audit: FAILED"; fi
exit $failed
