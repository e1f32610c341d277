# SPDX-License-Identifier: BSL-1.0
# Reads what run.sh has recorded, and says what became of each program on each kernel.
#   awk -v mode=table -f judge.awk <file>       for the terminal; exit status 1 unless every program held
#   awk -v mode=report -f judge.awk <file>...   RESULTS.md

function trimmed(text) {
    gsub(/^ +| +$/, "", text)
    return text
}

function add_failure(text) { failures[kernel, name] = failures[kernel, name] "\n" text }

FNR == 1 {
    kernel = ++kernels
    test = ""
}
/^@how / { how[kernel] = substr($0, 6) }
/^@date / { date[kernel] = $2 }
/^@package / { package[kernel] = $2 }
/^@kernel / {
    release[kernel] = $2
    # Debian's own version of the kernel stands behind its name in what uname -v says.
    version[kernel] = match($0, /Debian [0-9][^ ]*/) ? substr($0, RSTART, RLENGTH) : $2
}
/^@begin / {
    name = $2
    test = ""
    in_table = name == "one-client-lab"
    if (!(name in known)) {
        known[name] = 1
        order[++programs] = name
    }
    status[kernel, name] = "cut off"
}
/^@end / {
    status[kernel, name] = $3
    seconds[kernel, name] = $4
    name = ""
}
/^@done/ { complete[kernel] = 1 }
/^@/ || name == "" { next }

/^ TEST CASE: / { test = trimmed(substr($0, 12)) }
/ERROR: / && test != "" {
    add_failure(test)
    test = ""
}
/SKIPPED/ { skipped[kernel, name]++ }
/^ \[doctest\] test cases:/ {
    split($0, part, /[:|]/)
    said[kernel, name] = (part[3] + 0) " of " (part[2] + 0) " tests"
}
/^ all +[0-9]+ +[0-9]+ +[0-9]+ / { closes[kernel, name] = $3 " closes, " $4 " mismatches" }
/^ (holds|ok:) / { held[kernel, name]++ }
/^ (BROKEN|FAILED:?) / {
    broken[kernel, name]++
    add_failure(trimmed($0))
}
/^ closeside-lab: / { add_failure(trimmed($0)) }
# The lab's setting and its table.
/^ (holds|BROKEN) / { in_table = 0 }
in_table { table[kernel] = table[kernel] substr($0, 2) "\n" }

function numbers(k, n) {
    if ((k, n) in closes) return closes[k, n]
    if ((k, n) in said) return said[k, n]
    if (held[k, n] + broken[k, n] > 0) return held[k, n] + 0 " of " held[k, n] + broken[k, n] " claims"
    return ""
}

function result(k, n,   s, text) {
    s = status[k, n]
    if (s == "") return "-"
    if (s == "77") return "skipped"
    text = numbers(k, n)
    if (s == "0") text = "ok" (text == "" ? "" : ": " text)
    else if (s == "137") text = "**out of time**" (text == "" ? "" : ": " text)
    else if (s == "cut off") text = "**the guest ended**"
    else text = "**failed**" (text == "" ? " (status " s ")" : ": " text)
    if (skipped[k, n] > 0) text = text ", " skipped[k, n] " skipped"
    return text
}

function good(k, n) { return status[k, n] == "" || status[k, n] == "0" || status[k, n] == "77" }

function failed_lines(k, n,   lines, i, count, text) {
    count = split(failures[k, n], lines, "\n")
    for (i = 2; i <= count; i++) text = text "  - " n ": " lines[i] "\n"
    return text
}

function row(k, n) { printf "%-15s %6s s  %s\n", n, seconds[k, n], result(k, n) }

END {
    if (mode == "table") {
        printf "Linux %s (%s; %s; %s)\n", release[1], version[1], how[1], date[1]
        worst = complete[1] ? 0 : 1
        for (i = 1; i <= programs; i++) {
            row(1, order[i])
            printf "%s", failed_lines(1, order[i])
            if (!good(1, order[i])) worst = 1
        }
        if (table[1] != "") printf "\n%s", table[1]
        if (!complete[1]) print "The guest ended before the last program did."
        exit worst
    }
    print "# Our programs on other kernels"
    print ""
    print "Written by `sh cmake/quickstart.sh kernels`; README.md beside this says how it works, and programs.list what runs. Seconds"
    print "are the guest's. \"skipped\" counts what said so itself."
    print ""
    print "| kernel | version | how | date |"
    print "|---|---|---|---|"
    for (k = 1; k <= kernels; k++)
        printf "| %s | %s | %s | %s |\n", release[k], version[k], how[k], date[k]
    print ""
    line = "| program |"
    rule = "|---|"
    for (k = 1; k <= kernels; k++) {
        line = line " " version[k] " |"
        rule = rule "---|"
    }
    print line
    print rule
    for (i = 1; i <= programs; i++) {
        line = "| " order[i] " |"
        for (k = 1; k <= kernels; k++)
            line = line " " result(k, order[i]) ((k, order[i]) in seconds ? " (" seconds[k, order[i]] " s)" : "") " |"
        print line
    }
    text = ""
    for (k = 1; k <= kernels; k++)
        for (i = 1; i <= programs; i++) {
            lines = failed_lines(k, order[i])
            if (lines != "") text = text "\nOn " release[k] ":\n\n" lines
        }
    if (text != "") printf "\n## What failed\n%s", text
    print ""
    print "## One client behind a NAT, by kernel"
    for (k = 1; k <= kernels; k++)
        if (table[k] != "") printf "\n```\n%s```\n", table[k]
}
