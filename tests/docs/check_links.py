#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""check_links.py DIRECTORY...: every relative link in the Markdown and HTML files below leads to a file, and its #anchor to
a heading or an id there. Other hosts are not asked."""
import html.parser
import os
import re
import sys
import urllib.parse

LEFT_OUT = {"build", ".git", "wrong_links"}


def slug(title):
    """The anchor of a heading, as hosting sites make it."""
    title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def read_markdown(text):
    """The anchors of a page, and its links with the numbers of their lines."""
    anchors, links, fenced = set(), [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            fenced = None if fenced == fence[1][0] else fenced or fence[1][0]
            continue
        if fenced:
            continue
        heading = re.match(r"#+\s+(.*?)\s*#*$", line)
        if heading:
            name = slug(heading[1])
            twin = 0
            while (name if twin == 0 else f"{name}-{twin}") in anchors:
                twin += 1
            anchors.add(name if twin == 0 else f"{name}-{twin}")
        anchors.update(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", line))
        plain = re.sub(r"`[^`]*`", lambda span: "x" * len(span[0]), line)
        targets = re.findall(r"\]\(\s*<?([^()\s>]+(?:\([^()\s]*\))?)>?(?:\s+\"[^\"]*\")?\s*\)", plain)
        targets += re.findall(r"(?:href|src)=\"([^\"]+)\"", plain)
        targets += re.findall(r"^\[[^\]]+\]:\s+(\S+)", plain)
        links += [(number, target) for target in targets]
    return anchors, links


class html_page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.anchors, self.links = set(), []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if value and (name == "id" or (name == "name" and tag == "a")):
                self.anchors.add(value)
            if value and name in ("href", "src"):
                self.links.append((self.getpos()[0], value))


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".md"):
        return read_markdown(text)
    page = html_page()
    page.feed(text)
    return page.anchors, page.links


def main(directories):
    pages = {}
    for top in directories:
        for directory, below, names in os.walk(top):
            below[:] = [name for name in below if name not in LEFT_OUT]
            for name in names:
                if name.endswith((".md", ".html")):
                    path = os.path.realpath(os.path.join(directory, name))
                    pages[path] = read(path)
    wrong = checked = 0
    for path, (_, links) in sorted(pages.items()):
        for number, link in links:
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", link):
                continue
            checked += 1
            target, _, anchor = link.partition("#")
            there = os.path.realpath(os.path.join(os.path.dirname(path), urllib.parse.unquote(target))) if target else path
            problem = None
            if not os.path.exists(there):
                problem = "there is no such file"
            elif anchor and there not in pages:
                problem = "an anchor in what is no page"
            elif anchor and urllib.parse.unquote(anchor) not in pages[there][0]:
                problem = "there is no such heading or id"
            if problem:
                wrong += 1
                print(f"{os.path.relpath(path)}:{number}: {link}: {problem}", file=sys.stderr)
    if not checked:
        print(f"check_links.py: no link below {', '.join(directories)}", file=sys.stderr)
        return 1
    print(f"{checked} links in {len(pages)} pages, {wrong} of them wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
