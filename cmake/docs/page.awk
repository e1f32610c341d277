# SPDX-License-Identifier: BSL-1.0
# Doxygen's filter for the repository's Markdown: awk -v root=<top> -v pages=<a.md:b.md> -v sources=<a.cpp:...> -f page.awk
# Headings get the anchors that hosting sites give them; links lead to the page or the source that is here, and what is
# not here is named only. Outside of code `stream<P>` is no tag, and `::` looks for nothing.

function words(id) {
    gsub(/[^a-zA-Z0-9]+/, "_", id)
    return id
}

# The anchor of a heading, as hosting sites make it of its text.
function slug(title) {
    title = tolower(title)
    gsub(/`/, "", title)
    gsub(/[^a-z0-9 _-]/, "", title)
    gsub(/ /, "-", title)
    return title
}

# `path`, as it is written in a file of `directory`, seen from the top.
function from_top(directory, path,    part, n, i, kept, result) {
    n = split((directory == "" ? "" : directory "/") path, part, "/")
    kept = 0
    for (i = 1; i <= n; ++i) {
        if (part[i] == "..") --kept
        else if (part[i] != "." && part[i] != "") stack[++kept] = part[i]
    }
    result = ""
    for (i = 1; i <= kept; ++i) result = result (i > 1 ? "/" : "") stack[i]
    return result
}

function listed(list, path) { return index(":" list ":", ":" path ":") }

# Doxygen's name for the page that shows a file.
function source_page(path) {
    sub(/^.*\//, "", path)
    gsub(/_/, "__", path)
    gsub(/\./, "_8", path)
    return path "_source.html"
}

function link(text, target,    path, anchor) {
    if (target ~ /^[a-z]+:/) return "[" text "](" target ")"
    path = target
    anchor = ""
    if (match(target, /#.*$/)) {
        path = substr(target, 1, RSTART - 1)
        anchor = substr(target, RSTART + 1)
    }
    path = path == "" ? here : from_top(directory, path)
    if (listed(pages, path "/README.md")) path = path "/README.md"
    if (listed(pages, path)) {
        gsub(/`/, "", text)
        return "<a href=\"" (path == "README.md" ? "index" : words(path)) ".html" (anchor == "" ? "" : "#" words(path) "_" words(anchor)) "\">" text "</a>"
    }
    if (listed(sources, path)) {
        gsub(/`/, "", text)
        return "<a href=\"" source_page(path) "\">" text "</a>"
    }
    return text == path || text ~ /`/ ? text : text " (`" path "`)"
}

# What stands between code spans.
function plain(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/</, "\\<", text)
    gsub(/@/, "\\@", text)
    if (!in_title) gsub(/::/, "\\::", text)
    gsub(/#/, "\\#", text)
    return text
}

function without_spans(text,    out, at, close_at) {
    out = ""
    while ((at = index(text, "`")) > 0) {
        close_at = index(substr(text, at + 1), "`")
        if (close_at == 0) break
        out = out plain(substr(text, 1, at - 1)) substr(text, at, close_at + 1)
        text = substr(text, at + close_at + 1)
    }
    return out plain(text)
}

# Links first, then what is left.
function line_of(text,    out, head, label, target) {
    out = ""
    while (match(text, /!?\[[^]]+\]\([^) ]+\)/)) {
        out = out without_spans(substr(text, 1, RSTART - 1))
        head = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (head ~ /^!/) {
            out = out head
            continue
        }
        label = head
        sub(/^\[/, "", label)
        sub(/\]\([^)]*\)$/, "", label)
        target = head
        sub(/^.*\]\(/, "", target)
        sub(/\)$/, "", target)
        out = out link(without_spans(label), target)
    }
    return out without_spans(text)
}

FNR == 1 {
    here = FILENAME
    if (index(here, root "/") == 1) here = substr(here, length(root) + 2)
    directory = here
    if (!sub(/\/[^\/]*$/, "", directory)) directory = ""
    fenced = depth = 0
}

/^```/ {
    fenced = !fenced
    print fenced ? "~~~~~~{" (/cpp/ ? ".cpp" : ".unparsed") "}" : "~~~~~~"
    next
}
fenced {
    print
    next
}
/^#+ / {
    level = $1
    title = substr($0, length(level) + 2)
    if (level == "#") id = words(here)
    else id = words(here) "_" words(slug(title))
    gsub(/`/, "", title)
    if (length(level) > depth + 1) level = substr(level, 1, depth + 1)
    depth = length(level)
    in_title = 1 # which stands in lists of pages too, where nothing is looked up
    print level " " plain(title) " {#" id "}"
    in_title = 0
    if (level == "#") print "\n[TOC]"
    next
}
{ print line_of($0) }
