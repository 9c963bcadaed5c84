#!/bin/sh
# Runs the core's tests once more, instrumented, and prints which share of lines they reach, module by module.
# Needs the toolchain component llvm-tools, which setup.sh adds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
tools=$(dirname "$(find "$(rustc --print sysroot)" -name llvm-profdata -type f | head -n 1)")
[ -x "$tools/llvm-cov" ] || { echo "coverage: llvm-tools is missing: run 'make setup'" >&2; exit 1; }
target=${CARGO_TARGET_DIR:-$PWD/target}/coverage
rm -rf "$target/profiles" && mkdir -p "$target/profiles"
export CARGO_TARGET_DIR="$target" RUSTFLAGS="-C instrument-coverage"
export LLVM_PROFILE_FILE="$target/profiles/%p-%m.profraw"
# Built twice in name only: the second tells where the programs lie.
cargo test --quiet --locked --lib --tests --no-run
programs=$(cargo test --quiet --locked --lib --tests --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
# Threads of one process would wait for each other's counters: one thread each, and the largest program module by module.
for program in $programs; do
    case ${program##*/} in
        session-*) "$program" --list 2>/dev/null | sed -n 's/^\([a-z0-9_]*\)::.*: test$/\1::/p' | sort -u | sed "s#^#$program #" ;;
        *) echo "$program" ;;
    esac
done >"$target/runs"
: >"$target/tests.log"
xargs -P "$(nproc)" -L 1 sh -c '"$@" --quiet --test-threads=1 >"$0.$$" 2>&1 || { cat "$0.$$" >&2; exit 255; }
    cat "$0.$$" >>"$0"; rm "$0.$$"' "$target/tests.log" <"$target/runs"
grep -c . "$target/runs" | sed 's/$/ runs/; s/^/coverage: /'
"$tools/llvm-profdata" merge -sparse "$target"/profiles/*.profraw -o "$target/all.profdata"
# shellcheck disable=SC2086  # one word an object
"$tools/llvm-cov" export -format=lcov -instr-profile="$target/all.profdata" $(for p in $programs; do echo "-object $p"; done) -sources src >"$target/all.lcov"
awk -F'[:,]' -v root="$PWD/src/" '
    $1 == "SF" { file = substr($0, 4); sub(root, "", file); skip = file ~ /(^|\/)tests(\.rs|\/)/
                 module = file; sub(/[\/.].*/, "", module) }
    $1 == "DA" && !skip { if (!((file, $2) in seen)) { seen[file, $2] = 1; all[module]++ }
                          if ($3 > 0 && !((file, $2) in hit)) { hit[file, $2] = 1; reached[module]++ } }
    END { for (m in all) printf "%s %d %d\n", m, reached[m], all[m] }' "$target/all.lcov" | sort |
awk '{ printf "coverage: %-10s %5.1f %% of %d lines\n", $1, 100 * $2 / $3, $3; h += $2; a += $3 }
     END { printf "coverage: %-10s %5.1f %% of %d lines\n", "together", 100 * h / a, a }'
