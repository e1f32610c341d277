// SPDX-License-Identifier: BSL-1.0
#include "check/fill.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using check::columns_of;
using check::refilled;

namespace {

std::string filled(std::string_view first, std::size_t indent, std::string_view text, std::size_t width) {
    std::string out;
    check::fill(out, first, indent, text, width);
    return out;
}

} // namespace

TEST_CASE("a text is broken between words, and goes on behind the indent") {
    CHECK(filled("", 2, "", 20) == "\n");
    CHECK(filled("> ", 2, "one two", 20) == "> one two\n");
    CHECK(filled("> ", 4, "one two three", 9) == "> one two\n    three\n");
    CHECK(filled("> ", 4, "one two three", 8) == "> one\n    two\n    three\n");
}

TEST_CASE("blanks between columns stay, but at neither end of a line") {
    CHECK(filled("", 2, "a  b   c ", 20) == "a  b   c\n");
    CHECK(filled("", 2, "  aaa   bbb", 5) == "aaa\n  bbb\n");
}

TEST_CASE("a word that is wider than the line stands alone, whole") {
    CHECK(filled("", 2, "a /proc/sys/net b", 8) == "a\n  /proc/sys/net\n  b\n");
    CHECK(filled("", 2, "/proc/sys/net", 8) == "/proc/sys/net\n");
}

TEST_CASE("a command in backquotes is not broken where it fits into a line") {
    CHECK(filled("", 0, "first run `ss -ltn` there", 16) == "first run\n`ss -ltn` there\n");
    CHECK(filled("", 0, "run (`ss -ltn`, twice) now", 12) == "run\n(`ss -ltn`,\ntwice) now\n");
    CHECK(filled("", 0, "run `ss -ltn state listening` now", 12) == "run `ss -ltn\nstate\nlistening`\nnow\n");
    CHECK(filled("", 0, "an open ` quote", 8) == "an open\n` quote\n");
}

TEST_CASE("a colour takes no column") {
    CHECK(columns_of("\x1b[1;31mCS101\x1b[0m") == 5);
    CHECK(columns_of("\x1b[") == 0);
    CHECK(filled("\x1b[36mnote\x1b[0m ", 5, "a b c", 8) == "\x1b[36mnote\x1b[0m a b\n     c\n");
}

TEST_CASE("what is laid out already is broken below its second column") {
    CHECK(refilled("  --port N  counts only these sockets\n", 26) ==
          "  --port N  counts only\n            these sockets\n");
    CHECK(refilled("a sentence without columns\n", 15) == "a sentence\n  without\n  columns\n");
    CHECK(refilled("short\n\nlines", 15) == "short\n\nlines\n");
    CHECK(refilled("", 15).empty());
}
