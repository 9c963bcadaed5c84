#!/bin/sh
# Writes a C program that prints size, alignment and every field of each struct a header defines, and fails when a
# struct breaks the rules of the boundary:
#   the first field is uint32_t struct_size, unless tests/abi/no-struct-size.txt names the struct;
#   fields are fixed-width integers, size_t, char arrays (text), char pointers, other pointers, function pointers, or structs of the header,
#   alone or as arrays: no enum, bool, long, time_t, float, bit-field or union;
#   no padding lies before a 64-bit integer, so that 32-bit ABIs which align it to 4 agree with those which align it to 8.
#   layout.sh HEADER >layout.c
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
header=$1
exempt=$(sed 's/#.*//' "$here/no-struct-size.txt" | tr '\n' ' ')
awk -v exempt=" $exempt " '
    # Comments and preprocessor lines go first.
    {
        out = ""; s = $0
        while (s != "") {
            if (inside) {
                at = index(s, "*/")
                if (!at) break
                s = substr(s, at + 2); inside = 0
            } else {
                at = index(s, "/*")
                if (!at) { sub(/\/\/.*/, "", s); out = out s; break }
                out = out substr(s, 1, at - 1); s = substr(s, at + 2); inside = 1
            }
        }
        if (out !~ /^[ \t]*#/) text = text " " out
    }
    function broken(why) { printf "layout.sh: struct %s: %s\n", name, why >"/dev/stderr"; bad = 1 }
    function field(item,    word, type, array, n, parts) {
        gsub(/[ \t]+/, " ", item); sub(/^ /, "", item); sub(/ $/, "", item)
        if (item == "") return
        if (item ~ /\(\*/) {
            word = item; sub(/.*\(\* ?/, "", word); sub(/ ?\).*/, "", word)
            # Name and pointer go; result and parameters follow the same rules.
            type = "function"
        } else {
            if (item ~ /:/) broken("bit-field: " item)
            word = item; array = ""
            if (match(word, /\[.*\]/)) { array = substr(word, RSTART); word = substr(word, 1, RSTART - 1) }
            match(word, /[A-Za-z_0-9]+ *$/)
            type = substr(word, 1, RSTART - 1); word = substr(word, RSTART); sub(/ +$/, "", word); sub(/ +$/, "", type)
        }
        if ((" " item " ") ~ /[ (,](enum|union|bool|_Bool|long|short|int|unsigned|float|double|time_t|wchar_t|intptr_t)[ ,)*]/)
            broken("type without a fixed width: " item)
        if (type == "char" && array == "") broken("plain char: " item)
        if (first && word != "struct_size" && index(exempt, " " name " ") == 0)
            broken("does not begin with uint32_t struct_size; add it, or name the struct in tests/abi/no-struct-size.txt")
        if (first && word == "struct_size" && type != "uint32_t") broken("struct_size is not uint32_t")
        first = 0
        wide = (type == "uint64_t" || type == "int64_t") ? 1 : 0
        printf "    FIELD(%s, %s, %d);\n", name, word, wide
    }
    END {
        print "#include \"smoothcore.h\"\n#include <stdio.h>\n"
        print "static int bad;"
        print "static size_t end_of_last;\n"
        print "#define STRUCT(S) do { struct at { char c; S s; }; end_of_last = 0; \\"
        print "    printf(\"%s size %lu align %lu\\n\", #S, (unsigned long)sizeof(S), (unsigned long)offsetof(struct at, s)); } while (0)"
        print "#define FIELD(S, F, WIDE) do { size_t at = offsetof(S, F), size = sizeof ((S *)0)->F; \\"
        print "    printf(\"%s.%s offset %lu size %lu\\n\", #S, #F, (unsigned long)at, (unsigned long)size); \\"
        print "    if (WIDE && at != end_of_last) { \\"
        print "        fprintf(stderr, \"%s.%s: padding before a 64-bit field\\n\", #S, #F); bad = 1; } \\"
        print "    end_of_last = at + size; } while (0)\n"
        print "int main(void)\n{\n    printf(\"pointer size %lu\\n\", (unsigned long)sizeof(void *));"
        print "    (void)end_of_last;"
        while (match(text, /typedef struct [a-z0-9_]+ \{/)) {
            name = substr(text, RSTART + 15, RLENGTH - 17)
            text = substr(text, RSTART + RLENGTH)
            close_at = index(text, "}")
            body = substr(text, 1, close_at - 1)
            if (index(body, "{")) broken("nested definition")
            text = substr(text, close_at + 1)
            printf "    STRUCT(%s);\n", name
            first = 1; depth = 0; item = ""
            for (i = 1; i <= length(body); i++) {
                c = substr(body, i, 1)
                if (c == ";") { field(item); item = "" } else item = item c
            }
        }
        if (text ~ /(^|[ ;}])(enum|union) /) { name = "(any)"; broken("the header has an enum or a union") }
        print "    return bad;\n}"
        exit bad
    }' "$header"
