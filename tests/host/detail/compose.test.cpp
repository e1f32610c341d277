// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/compose.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using closeside::host::detail::compose;

TEST_CASE("compose puts a piece in the place of each pair of braces") {
    CHECK(compose("nothing to fill in", {}) == "nothing to fill in");
    CHECK(compose("{} of {}{}", {std::string("two"), "three", std::string_view()}) == "two of three");
    CHECK(compose("{}, {}, {}", {std::uint16_t{8080}, INT64_MIN, UINT64_MAX}) ==
          "8080, -9223372036854775808, 18446744073709551615");
}

TEST_CASE("compose takes braces in a piece for text, and leaves a place that has no piece") {
    CHECK(compose("{}{}", {"{}", 1}) == "{}1");
    CHECK(compose("{} and {}", {1}) == "1 and {}");
    CHECK(compose("{}", {1, 2}) == "1");
}
