#!/bin/sh
# Fuzzes what reads foreign bytes.
#   run.sh RUNS [TARGET...]     RUNS executions of each target (default: all targets)
# Builds as cargo-fuzz does, with the pinned toolchain: coverage counters need RUSTC_BOOTSTRAP there, a nightly is not
# needed. Inputs that reach new code go to tests/fuzz/new/TARGET, which git ignores; a crash ends it and names its file.
# To keep what is worth keeping: run.sh minimize TARGET...
set -eu
# Bytes of the grown corpus of one target that are committed.
KEPT=80000
# Bytes of one input: longer ones lead nowhere new, and cost the others their turns.
LONGEST=4096
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
what=$1
shift
targets=${*:-xml manifest url codec protection fragment index smil inflate http1}
command -v c++ >/dev/null || { echo "fuzz: a C++ compiler is missing: run 'make setup'" >&2; exit 1; }
triple=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$here/target}/fuzz
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares"
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
# --target keeps the flags away from build scripts.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags --cfg fuzzing -Ccodegen-units=1" CARGO_TARGET_DIR="$target_dir" \
    cargo build --quiet --release --locked --target "$triple" --manifest-path "$here/Cargo.toml"
for target in $targets; do
    program=$target_dir/$triple/release/$target
    new=$here/new/$target
    corpus=$here/corpus/$target
    mkdir -p "$new" "$corpus"
    dictionary=
    [ ! -f "$here/dictionaries/$target.dict" ] || dictionary=-dict=$here/dictionaries/$target.dict
    if [ "$what" = minimize ]; then
        rm -rf "$new.small" && mkdir "$new.small"
        "$program" -set_cover_merge=1 -max_len="$LONGEST" "$new.small" "$corpus" "$new" >"$new.log" 2>&1 ||
            { tail -20 "$new.log"; exit 1; }
        # Seeds made by hand, whose names say what they are, stay; of the others, by their hashes, up to KEPT bytes.
        find "$corpus" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
        find "$new.small" -type f -size -4 -printf '%s %p\n' | sort -k 2 |
            awk -v most="$KEPT" '(sum += $1) <= most && NR <= 400 { print $2 }' |
            xargs -r cp -t "$corpus"
        rm -rf "$new.small" "$new.log"
        echo "$target: $(ls "$corpus" | wc -l) inputs, $(cat "$corpus"/* | wc -c) bytes"
        continue
    fi
    log=$(mktemp)
    if "$program" -runs="$what" -seed=1 -max_len="$LONGEST" -timeout=10 -rss_limit_mb=2048 $dictionary \
        -artifact_prefix="$here/new/$target-" -print_final_stats=1 "$new" "$corpus" >"$log" 2>&1; then
        awk -v target="$target" '/stat::number_of_executed_units/ { runs = $2 } / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
            END { printf "fuzz: %-10s %d executions, %d edges, no crash, no input over 100 ms, no byte kept\n", target, runs, cov }' "$log"
    else
        tail -40 "$log"
        rm -f "$log"
        echo "fuzz: $target found something" >&2
        exit 1
    fi
    rm -f "$log"
done
