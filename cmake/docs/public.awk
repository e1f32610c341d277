# SPDX-License-Identifier: BSL-1.0
# Doxygen's input filter: says in its words what the headers say to who reads them from top to bottom, line by line.
# - A docstring holds for all functions up to the next blank line: each gets its first lines.
# - Its @param are those of all of them: a list, which Doxygen does not look for in the first one's arguments.
# - What depends on the Asio in use lies in an inline namespace that nobody writes.
# - What lies in a namespace detail, and what is declared to be refused (CLOSESIDE_REFUSED), is no part of the interface.

# A comment in which neither `stream<P>` nor `\xNN` means something to Doxygen, nor looks for an argument.
function plain_text(text,    mark, n, i, part, name) {
    match(text, /^[ \t]*(\/\*\*|\/\/\/<?|\*+\/?)?/)
    mark = substr(text, 1, RLENGTH)
    text = substr(text, RLENGTH + 1)
    n = split(text, part, "`")
    text = ""
    for (i = 1; i <= n; ++i) {
        if (i % 2 == 1 || i == n) {
            gsub(/\\/, "\\\\\\\\", part[i])
            gsub(/</, "\\<", part[i])
            gsub(/#/, "\\#", part[i])
        }
        text = text (i > 1 ? "`" : "") part[i]
    }
    if (match(text, /^[ \t]+@param[ \t]+[a-z_0-9]+[ \t]+/)) {
        name = substr(text, 1, RLENGTH)
        text = substr(text, RLENGTH + 1)
        sub(/^[ \t]+@param[ \t]+/, "", name)
        sub(/[ \t]+$/, "", name)
        text = " @li `" name "`: " text
    }
    # A title and its text on one line, two blanks between them.
    if (match(text, /^[ \t]+@par [^ ]+( [^ ]+)*  +[^ ]/)) {
        name = substr(text, 1, RLENGTH - 1)
        text = substr(text, RLENGTH)
        sub(/^[ \t]+@par /, "", name)
        sub(/ +$/, "", name)
        text = " <p><b>" name ":</b> " text
    }
    return mark text
}

# The text of a line that can open or close a declaration.
function code_of(line) {
    gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
    gsub(/'[{}()]'/, "", line)
    sub(/[ \t]*\/\/.*$/, "", line)
    return line
}

function words_of(comment) {
    sub(/^[ \t]*\/\/\/[ \t]*/, "", comment)
    return comment
}

function count(text, pattern) { return gsub(pattern, "", text) }

# What needs no words in a header: what Asio's readers know by its name, and what every class has.
function known(text,    head) {
    head = without_head(text)
    if (head ~ /^[ \t]*(using other =|struct rebind_executor)/) return "As in Asio."
    if (head ~ /^[ \t]*using (executor|native_handle|next_layer|lowest_layer|protocol|endpoint|socket)_type =/) return "As in Asio."
    if (is_no_function(text)) return ""
    if (head ~ /friend .*operator(==|<=>)[^;]*= default;/) return "Member by member."
    if (head ~ /^[ \t]*(constexpr[ \t]+)?[a-z_0-9]+\([a-z_0-9]+&&( other)?\)/) return "Takes over what the other has."
    if (head ~ /[a-z_0-9]+& operator=\([a-z_0-9]+&&( other)?\)/) return "Takes over what the other has."
    if (head ~ /executor_type get_executor\(\)|bool is_open\(\)/) return "As in Asio."
    return ""
}

# A type, a namespace, or what makes another name for one.
function is_no_function(text) {
    return without_head(text) ~ /^[ \t]*(class|struct|union|enum|using|namespace|typedef|static_assert|extern)[ \t]/
}

# Without the head of a template, whose defaults look like the end of a declaration.
function without_head(text,    i, depth, c) {
    while (text ~ /^[ \t]*template[ \t]*</) {
        depth = 0
        for (i = index(text, "<"); i <= length(text); ++i) {
            c = substr(text, i, 1)
            if (c == "<") ++depth
            if (c == ">" && --depth == 0) break
        }
        text = substr(text, i + 1)
    }
    return text
}

function is_function(text) {
    if (is_no_function(text)) return 0
    text = without_head(text)
    sub(/[;{=].*$/, "", text)
    return text ~ /\(/ || text ~ /operator/
}

# Reads the declaration that begins at line i: sets `last`, its last line, and `text`, all of it in one.
function read_declaration(i,    code, braces, parens) {
    text = ""
    braces = parens = 0
    for (last = i; last <= lines; ++last) {
        code = code_of(line[last])
        text = text " " code
        parens += count(code, "[(]") - count(code, "[)]")
        braces += count(code, "[{]") - count(code, "[}]")
        if (braces < 0) return
        if (parens <= 0 && braces == 0 && code ~ /[;}][ \t]*$/) return
    }
}

function print_lines(from, to) { for (; from <= to; ++from) print line[from] }

{
    sub(/::inline CLOSESIDE_BACKEND/, "")
    sub(/\[\[gnu::[^]]*\]\] /, "")
    if (/^[ \t]*\/\*\*/) in_comment = 1
    if (in_comment) at = 1
    else at = index($0, "///")
    if (at) $0 = substr($0, 1, at - 1) plain_text(substr($0, at))
    if (/\*\//) in_comment = 0
    line[++lines] = $0
}

END {
    brief = ""
    for (i = 1; i <= lines; ++i) {
        now = line[i]
        if (now ~ /^namespace .*detail[^{]*[{]$/) {
            for (; i < lines && line[i] !~ /^} \/\/ namespace .*detail/; ++i) print ""
            print ""
        } else if (now ~ /^[ \t]*$/) {
            brief = ""
            print now
        } else if (now ~ /^[ \t]*\/\/\/[^<]/ && line[i - 1] !~ /^[ \t]*\/\/\/[^<]/) {
            brief = words_of(now)
            print now
            fresh = 1
        } else if (now ~ /^[ \t]*\/\/\/[^<]/) {
            brief = brief " " words_of(now)
            print now
        } else if (now ~ /^[ \t]*\/\*\*/) {
            for (; line[i] !~ /\*\//; ++i) print line[i]
            print line[i]
        } else if (now ~ /^[ \t]*CLOSESIDE_REFUSED\(/) {
            for (; line[i] !~ /;[ \t]*$/; ++i) print ""
            print ""
        } else if (now ~ /^[ \t]*(\/\/|#|(public|private|protected):|})/) {
            print now
        } else {
            read_declaration(i)
            # A trait of the standard library's, for a type that has its own words; who else is let in.
            if (text ~ /struct std::/ || without_head(text) ~ /^[ \t]*friend (class|struct) /) {
                for (; i < last; ++i) print ""
                print ""
                continue
            }
            if (!fresh && brief == "" && (words = known(text)) != "") line[i] = "/** " words " */ " line[i]
            if (is_function(text)) {
                if (brief != "" && !fresh) line[i] = "/** " brief " */ " line[i]
                print_lines(i, last)
                i = last
            } else {
                brief = ""
                print line[i]
                if (now ~ /;[ \t]*(\/\/.*)?$/ || last == i) fresh = 0
                else if (text !~ /[{]/) {
                    print_lines(i + 1, last)
                    i = last
                }
            }
            fresh = 0
        }
    }
}
