#!/bin/sh
# Runs the steps of `make check` one after another, each under a banner, and stops at the first that fails.
#   check.sh STEP...
set -eu
total=$#
count=0
begin=$(date +%s)
ABSENT_LOG=$(mktemp)
CHECKING=1
export ABSENT_LOG CHECKING
table=$(mktemp)
trap 'rm -f "$ABSENT_LOG" "$table"' EXIT
for step in "$@"; do
    count=$((count + 1))
    start=$(date +%s)
    printf '\n=== %s/%s %s %s\n' $count $total "$step" "==============================================="
    if ! "${MAKE:-make}" --no-print-directory "$step"; then
        cat "$table"
        echo "make check: FAILED in step $step ($count of $total); 'make $step' runs it alone" >&2
        exit 1
    fi
    printf '  %-14s ok %5s s\n' "$step" $(($(date +%s) - start)) >>"$table"
done
printf '\n=== all steps\n'
cat "$table"
if [ -s "$ABSENT_LOG" ]; then
    echo "  not proven, for it is not in this tree yet: $(sort -u "$ABSENT_LOG" | tr '\n' ' ')"
fi
echo "make check: passed, $total steps in $(($(date +%s) - begin)) s"
