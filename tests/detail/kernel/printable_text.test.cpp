// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/printable_text.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace closeside::detail;

TEST_CASE("Only printable ASCII is left as it is, whatever the bytes") {
    CHECK(printable("sleep 60 'x' \\ ~") == "sleep 60 'x' \\ ~");
    CHECK(printable("\x1b[31mX\nfake: ok\r\t\x7f") == R"(\x1b[31mX\x0afake: ok\x0d\x09\x7f)");
    CHECK(printable("\xc3\xbc") == R"(\xc3\xbc)");
    CHECK(printable(std::string(1, '\0')) == R"(\x00)");
    for (int byte = 0; byte < 256; ++byte)
        for (const char c : printable(std::string(1, static_cast<char>(byte)))) CHECK(is_printable(c));
}

TEST_CASE("For a person a tab is a blank, and nothing else changes") {
    CHECK(readable("32768\t60999") == "32768 60999");
    CHECK(readable("a\n\x1b") == R"(a\x0a\x1b)");
}

TEST_CASE("A terminal gets UTF-8 as it is, but no character that steers it and no byte that is none") {
    for (const char* text : {"", "a\tb ~", "\xc3\xbc", "\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbf"})
        CHECK(terminal_text(text) == text);
    CHECK(terminal_text("\x1b[31m\n\x7f") == R"(\x1b[31m\x0a\x7f)");
    CHECK(terminal_text("\xc2\x9b"
                        "31m \xc2\x80") == R"(\xc2\x9b31m \xc2\x80)");
    CHECK(terminal_text("\x9b"
                        "31m") == R"(\x9b31m)");
    CHECK(terminal_text("\xc4\xe3") == R"(\xc4\xe3)");                         // GBK
    CHECK(terminal_text("\xc3") == R"(\xc3)");                                 // cut
    CHECK(terminal_text("\xc0\xaf\xe0\x80\xaf") == R"(\xc0\xaf\xe0\x80\xaf)"); // overlong
    CHECK(terminal_text("\xed\xa0\x80") == R"(\xed\xa0\x80)");                 // a surrogate
    CHECK(terminal_text("\xf4\x90\x80\x80\xff") == R"(\xf4\x90\x80\x80\xff)");
    CHECK(terminal_text(std::string(1, '\0')) == R"(\x00)");
    CHECK(terminal_text("\xc3\xbc\xc3") == "\xc3\xbc\\xc3");
}

TEST_CASE("A long text is cut, and says so") {
    CHECK(printable_excerpt(std::string(40, 'a')) == std::string(40, 'a'));
    CHECK(printable_excerpt(std::string(41, 'a')) == std::string(40, 'a') + "...");
}

TEST_CASE("What is quoted can end neither its line nor its quotes") {
    CHECK(quoted("nginx") == "'nginx'");
    CHECK(quoted("") == "''");
    CHECK(quoted("x' (pid 1), 'y") == R"('x\x27 (pid 1), \x27y')");
    CHECK(quoted("\\x27\n") == R"('\x5cx27\x0a')");
}
