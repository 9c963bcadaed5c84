#!/bin/sh
# The Rust steps that go over every package of the tree: the core, and the packages with lock files of their own.
#   rust.sh fmt|lint|ports|oracles
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
packages() { # FOLDER...: manifests below them, built packages aside
    find "$@" -name Cargo.toml -not -path '*/target/*' 2>/dev/null | sort
}
# The encoder that make codecs builds when asked to compiles a C++ library for a minute: not for every check.
built() { packages "$@" | grep -v /peers/heaac/; }
case $1 in
    fmt)
        cargo fmt --check
        for m in $(packages ports tests examples); do cargo fmt --check --manifest-path "$m"; done
        echo "fmt: every package"
        ;;
    lint)
        # What firmware links stays small: at most 8 crates, the core among them, and nothing else in the lock file.
        crates=$(grep -c '^name = ' Cargo.lock)
        [ "$crates" -le 8 ] || { echo "Cargo.lock holds $crates crates; 8 is the most" >&2; exit 1; }
        # Tests are looked at once, with all that there is.
        cargo clippy --quiet --locked --all-targets --features capi -- -D warnings
        for features in "" "--no-default-features"; do
            cargo clippy --quiet --locked --lib $features -- -D warnings
        done
        # Panic handler and allocator exist only where there is no standard library.
        cargo clippy --quiet --locked --lib --no-default-features --features rt,default \
            --target thumbv7em-none-eabihf -- -D warnings
        for m in $(built ports tests examples); do
            cargo clippy --quiet --locked --all-targets --manifest-path "$m" -- -D warnings
        done
        echo "lint: no warning; $crates crates in the core's closure"
        ;;
    ports)
        sh "$here/present.sh" ports/host || [ $? = 3 ]
        for m in $(packages ports); do
            echo "-- $m"
            cargo test --quiet --locked --manifest-path "$m"
        done
        ;;
    oracles)
        # Packages that compare the core with other libraries; fuzzing is a step of its own.
        for m in $(built tests examples | grep -v '/fuzz/'); do
            echo "-- $m"
            cargo test --quiet --locked --manifest-path "$m"
        done
        ;;
    *) echo "rust.sh: unknown step $1" >&2; exit 2 ;;
esac
