#!/bin/sh
# Compares what smoothcore reads in generated manifests with what dash.js and rx-player read, and in generated fragments with
# what mp4box and Shaka Player read.
#   run.sh [COUNT [SEED]]     COUNT of each (default 300) of SEED (default 1)
# They come from npm once, into Cargo's folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
peers=$target/differential-peers
for tool in node npm; do
    command -v $tool >/dev/null || { echo "differential: $tool is missing: run make setup" >&2; exit 1; }
done
mkdir -p "$peers"
if ! cmp -s "$here/peers/package-lock.json" "$peers/installed"; then
    cp "$here/peers/package.json" "$here/peers/package-lock.json" "$peers/"
    (cd "$peers" && npm ci --ignore-scripts --no-audit --no-fund --silent)
    cp "$here/peers/package-lock.json" "$peers/installed"
fi
cargo build --quiet --locked --manifest-path "$here/Cargo.toml" --target-dir "$target"
export NODE_PATH="$peers/node_modules"
for what in "" -fragments; do
    "$target/debug/smoothcore-differential$what" "${2:-1}" "${1:-300}"
done
