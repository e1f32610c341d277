// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/render.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace host = closeside::host;

namespace {

const host::finding example{"CS101",
                            host::severity::critical,
                            {"net.ipv4.tcp_rfc1337", "net.ipv4.tcp_timestamps"},
                            {{"net.ipv4.tcp_rfc1337", "1", "/proc/sys/net/ipv4/tcp_rfc1337"},
                             {"net.ipv4.tcp_timestamps", "(hidden)", "/proc/sys/net/ipv4/tcp_timestamps"}},
                            "It is on",
                            "Some cannot connect",
                            "Turn it off",
                            "RFC 1337"};

} // namespace

TEST_CASE("a log line begins with the code and the severity, and says what, effect and fix") {
    CHECK(to_line(example) == "CS101 critical: [net.ipv4.tcp_rfc1337=1, net.ipv4.tcp_timestamps=(hidden)] It is on. "
                              "Effect: Some cannot connect. Fix: Turn it off.");
}

TEST_CASE("a log line of a finding without keys has no brackets") {
    host::finding f = example;
    f.observed.clear();
    CHECK(to_line(f).starts_with("CS101 critical: It is on."));
}

TEST_CASE("neither form lets control characters through") {
    host::finding f = example;
    f.message = "a\nb\x1b[31m\xff";
    CHECK(to_line(f).find("a\\x0ab\\x1b[31m\\xff") != std::string::npos);
    CHECK(to_text(f).find("a\\x0ab\\x1b[31m\\xff") != std::string::npos);
}

TEST_CASE("the text for people names each part") {
    CHECK(to_text(example) == "CS101 critical\n"
                              "  what     It is on\n"
                              "  seen     net.ipv4.tcp_rfc1337 = 1 in /proc/sys/net/ipv4/tcp_rfc1337\n"
                              "  seen     net.ipv4.tcp_timestamps = (hidden) in /proc/sys/net/ipv4/tcp_timestamps\n"
                              "  effect   Some cannot connect\n"
                              "  fix      Turn it off\n"
                              "  source   RFC 1337\n");
}

TEST_CASE("colour is only used when asked for") {
    CHECK(to_text(example).find('\x1b') == std::string::npos);
    CHECK(to_text(example, {.colour = true}).starts_with("\x1b[1;31mCS101 critical\x1b[0m\n"));
}

TEST_CASE("lines are broken between words at the width, and a longer word stands alone") {
    host::finding f = example;
    f.message = "one two three four five six seven eight nine ten " + std::string(60, 'x') + " eleven";
    std::istringstream lines(to_text(f, {.width = 40}));
    std::string line;
    bool long_word = false;
    while (std::getline(lines, line)) {
        if (line == std::string(11, ' ') + std::string(60, 'x'))
            long_word = true;
        else if (line.find("/proc/") == std::string::npos)
            CHECK(line.size() <= 40);
    }
    CHECK(long_word);
}
