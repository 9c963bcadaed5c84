#!/bin/sh
# Lists the functions a SmoothCore header declares, one a line.
#   header-functions.sh exported|required HEADER
# exported: what the archive defines. required: what the firmware defines (smoothcore_port_alloc and _free).
set -eu
export LC_ALL=C
kind=$1 header=$2
# Comments and preprocessor lines go, struct bodies go; what is left in "type name(" form is a function.
awk '
    { line = line_of($0) }
    line != "" { text = text " " line }
    function line_of(s,    out, at) {
        out = ""
        while (s != "") {
            if (inside) {
                at = index(s, "*/")
                if (!at) return out
                s = substr(s, at + 2); inside = 0
            } else {
                at = index(s, "/*")
                if (!at) { out = out s; break }
                out = out substr(s, 1, at - 1); s = substr(s, at + 2); inside = 1
            }
        }
        return out ~ /^[ \t]*#/ ? "" : out
    }
    END {
        depth = 0; item = ""
        sub(/extern "C" \{/, "", text)
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c == "{") { depth++; continue }
            if (c == "}") { depth--; continue }
            if (depth > 0) continue
            if (c == ";") {
                if (item !~ /typedef/ && match(item, /smoothcore_[a-z0-9_]+[ ]*\(/)) {
                    name = substr(item, RSTART, RLENGTH); sub(/[ ]*\($/, "", name); print name
                }
                item = ""; continue
            }
            item = item c
        }
    }' "$header" | sort -u | case $kind in
        exported) grep -v -x -e smoothcore_port_alloc -e smoothcore_port_free ;;
        required) grep -x -e smoothcore_port_alloc -e smoothcore_port_free ;;
        *) echo "header-functions.sh: exported or required, not $kind" >&2; exit 2 ;;
    esac
