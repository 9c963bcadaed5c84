# Functions that call another and have not saved where they return to: what a compiler gets wrong when it moves shared
# code out. Reads `objdump -d --no-show-raw-insn` of one architecture, prints one name a line.
#   objdump -d --no-show-raw-insn ARCHIVE | awk -v target=TARGET -f returns.awk
function instruction(line) {
    sub(/^[ \t]*[0-9a-f]+:[ \t]*/, "", line)
    sub(/[;@].*/, "", line)
    return line
}
BEGIN {
    # x86 keeps return addresses on the stack, where a call cannot lose them.
    link = target ~ /^aarch64/ ? "x30" : "lr"
    call = target ~ /^aarch64/ ? "^blr?[ \t]" : "^blx?([.]w)?[ \t]"
    if (target ~ /^x86/) exit
}
/^[0-9a-f]+ <.*>:$/ {
    name = $2
    gsub(/[<>:]/, "", name)
    saved = told = 0
    functions++
    next
}
/^[ \t]*[0-9a-f]+:/ {
    line = instruction($0)
    if (line ~ "^(push|stm|str|stp|mov)" && line ~ "[ \t{,]" link "([^a-z0-9]|$)") saved = 1
    if (line ~ call && !saved && !told) { print name; told = 1 }
}
END { if (!functions && target !~ /^x86/) print "(no function was read)" }
