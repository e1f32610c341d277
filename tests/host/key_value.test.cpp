// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/key_value.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace host = closeside::host;
using host::key_status;
using host::detail::interpret;
using host::detail::key_shape;

TEST_CASE("a number is read by the kernel's rules") {
    const struct {
        const char* content;
        std::int64_t number;
    } cases[] = {{"1\n", 1},
                 {"1", 1},
                 {"0\n", 0},
                 {"-1\n", -1},
                 {" 1", 1},
                 {"\t7 \n", 7},
                 {"0x1f\n", 31},
                 {"0X1F", 31},
                 {"030\n", 24},
                 {"1 # on\n", 1},
                 {"60 000", 60},
                 {"1 0", 1},
                 {"2147483647\n", 2147483647},
                 {"-262144\n", -262144},
                 {"9223372036854775807", 9223372036854775807}};
    for (const auto& c : cases) {
        CAPTURE(c.content);
        const auto value = interpret(key_shape::number, c.content);
        CHECK(value.status == key_status::present);
        CHECK(value.number == c.number);
        CHECK(value.problem.empty());
    }
}

TEST_CASE("what the kernel would not take for a number is malformed") {
    using namespace std::string_view_literals;
    for (const std::string_view content : {""sv,
                                           "\n"sv,
                                           "yes\n"sv,
                                           "1;"sv,
                                           "1,0"sv,
                                           "+1"sv,
                                           "\"1\""sv,
                                           "--1"sv,
                                           "-"sv,
                                           "0x"sv,
                                           "08"sv,
                                           "1.5"sv,
                                           "1e3"sv,
                                           "1\0"sv,
                                           "\0"sv,
                                           "1\r\n"sv,
                                           "1\n0\n"sv,
                                           "\xef\xbb\xbf"
                                           "1"sv,
                                           "\x1b[31m1"sv,
                                           "9223372036854775808"sv,
                                           "18446744073709551616"sv,
                                           "000000000000000000001"sv}) {
        CAPTURE(std::string(content));
        const auto value = interpret(key_shape::number, content);
        CHECK(value.status == key_status::malformed);
        CHECK_FALSE(value.number);
        CHECK_FALSE(value.problem.empty());
    }
}

TEST_CASE("a present value keeps its text without the line end") {
    CHECK(interpret(key_shape::number, "60\n").text == "60");
    CHECK(interpret(key_shape::range, "32768\t60999\n").text == "32768\t60999");
}

TEST_CASE("a malformed value shows where it begins, in printable ASCII") {
    CHECK(interpret(key_shape::number, "a\nb\x1b\xff").text == "a\\x0ab\\x1b\\xff");
    const auto endless = interpret(key_shape::number, std::string(5000, 'x'));
    CHECK(endless.text == std::string(40, 'x') + "...");
}

TEST_CASE("a range is two numbers") {
    const auto range = interpret(key_shape::range, "32768\t60999\n");
    CHECK(range.status == key_status::present);
    CHECK(range.number == 32768);
    CHECK(range.high == 60999);
    for (const char* content : {"", "1024", "1024-65535", "1024:65535", "1024,65535", "a b"}) {
        CAPTURE(content);
        CHECK(interpret(key_shape::range, content).status == key_status::malformed);
    }
}

TEST_CASE("a list of ports may be empty") {
    for (const char* content : {"", "\n", "8080\n", "8080,9000-9010\n", "0-65535"}) {
        CAPTURE(content);
        CHECK(interpret(key_shape::ports, content).status == key_status::present);
    }
    CHECK(interpret(key_shape::ports, "http").status == key_status::malformed);
    CHECK(interpret(key_shape::ports, "8080 9090").status == key_status::malformed);
}
