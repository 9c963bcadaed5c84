#!/bin/sh
# Runs the steps of `make check` one after another, each under a banner, and stops at the first that fails.
#   check.sh STEP[+STEP...]...      steps joined by + run at the same time; then each one's output comes when all have ended
set -eu
total=$(echo "$@" | tr '+' ' ' | wc -w)
count=0
begin=$(date +%s)
ABSENT_LOG=$(mktemp)
CHECKING=1
export ABSENT_LOG CHECKING
work=$(mktemp -d)
trap 'rm -rf "$ABSENT_LOG" "$work"' EXIT
: >"$work/table"
banner() { # STEP
    count=$((count + 1))
    printf '\n=== %s/%s %s %s\n' $count "$total" "$1" "==============================================="
}
timed() { # STEP: leaves its line of the table only when it passed
    start=$(date +%s)
    "${MAKE:-make}" --no-print-directory "$1" || return 1
    printf '  %-14s ok %5s s\n' "$1" $(($(date +%s) - start)) >"$work/$1.ok"
}
for group in "$@"; do
    steps=$(echo "$group" | tr '+' ' ')
    if [ "$steps" = "$group" ]; then
        banner "$group"
        timed "$group" || true
    else
        for step in $steps; do
            timed "$step" >"$work/$step.log" 2>&1 &
        done
        wait
        for step in $steps; do
            banner "$step"
            cat "$work/$step.log"
        done
    fi
    for step in $steps; do
        [ -f "$work/$step.ok" ] || {
            cat "$work/table"
            echo "make check: FAILED in step $step; 'make $step' runs it alone" >&2
            exit 1
        }
        cat "$work/$step.ok" >>"$work/table"
    done
done
printf '\n=== all steps\n'
cat "$work/table"
if [ -s "$ABSENT_LOG" ]; then
    echo "  not proven, for it is not in this tree yet: $(sort -u "$ABSENT_LOG" | tr '\n' ' ')"
fi
echo "make check: passed, $total steps in $(($(date +%s) - begin)) s"
