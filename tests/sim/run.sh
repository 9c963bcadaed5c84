#!/bin/sh
# Runs the simulations.
#   run.sh slice    what fits into make check
#   run.sh whole    30 days, 10,000 seeds, a fleet of 10,000, 32 sessions on one link; the picture of the fleet goes to ports/docs/fleet.svg
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
cargo build --quiet --release --locked --manifest-path tests/sim/Cargo.toml
sim=${CARGO_TARGET_DIR:-$here/target}/release/sim
case $1 in
    slice)
        "$sim" month --days 1
        "$sim" month --days 1 --drift 200
        "$sim" faults --seeds 400
        "$sim" fleet --sessions 500
        "$sim" share --sessions 8
        ;;
    whole)
        "$sim" month --days 30
        "$sim" month --days 3 --drift 200
        "$sim" faults --seeds 10000
        "$sim" fleet --sessions 10000 --svg ports/docs/fleet.svg
        "$sim" share
        ;;
    *) echo "run.sh: slice or whole" >&2; exit 2 ;;
esac
