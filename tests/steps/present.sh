#!/bin/sh
# Answers whether a part of the tree is there.
#   present.sh PATH
# 0 when it is; 3, with a line, when it is missing and ABSENT_OK names it; 1 when it is missing and must not be.
set -eu
[ ! -e "$1" ] || exit 0
for allowed in ${ABSENT_OK:-}; do
    if [ "$allowed" = "$1" ]; then
        echo "ABSENT: $1 is not in this tree yet"
        [ -z "${ABSENT_LOG:-}" ] || echo "$1" >>"$ABSENT_LOG"
        exit 3
    fi
done
echo "$1 is missing" >&2
exit 1
