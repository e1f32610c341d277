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
