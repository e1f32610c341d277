# SPDX-License-Identifier: BSL-1.0
# Doxygen's input filter: says in its words what the headers say to who reads them from top to bottom, line by line.
# - A docstring holds for all functions up to the next blank line: each gets its first lines.
# - Its @param are those of all of them: a list, which Doxygen does not look for in the first one's arguments.
# - What depends on the Asio in use lies in an inline namespace that nobody writes.
# - stream and acceptor have members from a base in detail: they are shown as theirs.
# - What else lies in a namespace detail, and what is declared to be refused (CLOSESIDE_REFUSED), is no part of the interface.

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
    # An item and what it means, two blanks between them; the item may go on on the next line.
    if (text ~ /^[ \t]+@li /) open_item = 1
    if (open_item && text !~ /^[ \t]+@par/ && match(text, /[^ ]   *[^ ]/)) {
        name = substr(text, RSTART + 1)
        sub(/^ +/, "", name)
        text = substr(text, 1, RSTART) ": " name
        open_item = 0
    }
    if (text ~ /^[ \t]*$/) open_item = 0
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

# What is taken from another file stands on one line, so that all else stands on its own.
function emit(text) {
    if (!(i in is_taken)) {
        print text
        return
    }
    if (text ~ /\/\/\/</) text = sub_comment(text, "///<", "/**<")
    else if (text ~ /\/\/\//) text = sub_comment(text, "///", "/**")
    else if (text ~ /^[ \t]*\*[ \t]*$/) text = "<p>"
    else if (!sub(/^[ \t]*\*[ \t]/, "", text)) text = text_before(text, "//")
    printf "%s ", text
}

function text_before(text, mark,    at) {
    at = index(text, mark)
    return at ? substr(text, 1, at - 1) : text
}

function sub_comment(text, mark, other,    at) {
    at = index(text, mark)
    return substr(text, 1, at - 1) other substr(text, at + length(mark)) " */"
}

function emit_lines(to) {
    for (; i <= to; ++i) emit(line[i])
    i = to
}

# Takes one line of a header, with its comment in Doxygen's words.
function take(text,    at) {
    sub(/::inline CLOSESIDE_BACKEND/, "", text)
    sub(/\[\[gnu::[^]]*\]\] /, "", text)
    if (text ~ /^[ \t]*\/\*\*/) in_comment = 1
    at = in_comment ? 1 : index(text, "///")
    if (at) text = substr(text, 1, at - 1) plain_text(substr(text, at))
    if (text ~ /\*\//) in_comment = 0
    line[++lines] = text
}

# What a class has from its base in detail, whose public members are its own to who uses it.
function take_members_of(file, class,    text, inside, shown) {
    while ((getline text < file) > 0) {
        if (text ~ "^class " class " ") inside = 1
        else if (inside && text ~ /^};/) break
        else if (inside && text ~ /^(public|protected|private):/) shown = text ~ /^public/
        else if (inside && shown && text !~ class && text !~ /^    using /) {
            take(text)
            is_taken[lines]
        }
    }
    close(file)
    if (!inside) {
        print FILENAME ": " file " has no class " class > "/dev/stderr"
        take("/// \\" class "_is_not_here")
    }
}

{
    if (/^class basic_/) class = $2
    if (/^};/ && (class == "basic_stream" || class == "basic_acceptor")) {
        directory = FILENAME
        sub(/[^\/]*$/, "", directory)
        take("public:")
        is_taken[lines]
        if (class == "basic_stream") take_members_of(directory "detail/close/policy_socket.hpp", "policy_socket")
        else take_members_of(directory "detail/listen/acceptor_members.hpp", "acceptor_members")
        class = ""
    }
    take($0)
}

END {
    brief = ""
    for (i = 1; i <= lines; ++i) {
        now = line[i]
        if (now ~ /^namespace .*detail[^{]*[{]$/) {
            for (; i < lines && line[i] !~ /^} \/\/ namespace .*detail/; ++i) emit("")
            emit("")
        } else if (now ~ /^[ \t]*$/) {
            brief = ""
            emit(now)
        } else if (now ~ /^[ \t]*\/\/\/[^<]/ && line[i - 1] !~ /^[ \t]*\/\/\/[^<]/) {
            brief = words_of(now)
            emit(now)
            fresh = 1
        } else if (now ~ /^[ \t]*\/\/\/[^<]/) {
            brief = brief " " words_of(now)
            emit(now)
        } else if (now ~ /^[ \t]*\/\*\*/) {
            for (; line[i] !~ /\*\//; ++i) emit(line[i])
            emit(line[i])
        } else if (now ~ /^[ \t]*CLOSESIDE_REFUSED\(/) {
            for (; line[i] !~ /;[ \t]*$/; ++i) emit("")
            emit("")
        } else if (now ~ /^[ \t]*(\/\/|#|(public|private|protected):|})/) {
            emit(now)
        } else {
            read_declaration(i)
            # A trait of the standard library's, for a type that has its own words; who else is let in.
            if (text ~ /struct std::/ || without_head(text) ~ /^[ \t]*friend (class|struct) /) {
                for (; i < last; ++i) emit("")
                emit("")
                continue
            }
            if (!fresh && brief == "" && (words = known(text)) != "") line[i] = "/** " words " */ " line[i]
            if (is_function(text)) {
                if (brief != "" && !fresh) line[i] = "/** " brief " */ " line[i]
                emit_lines(last)
            } else {
                brief = ""
                emit(line[i])
                if (now ~ /;[ \t]*(\/\/.*)?$/ || last == i) fresh = 0
                else if (text !~ /[{]/) {
                    ++i
                    emit_lines(last)
                }
            }
            fresh = 0
        }
    }
}
