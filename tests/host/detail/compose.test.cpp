// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/compose.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using closeside::host::detail::compose;
using closeside::host::detail::whole;

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

TEST_CASE("A number of a sentence has no fraction, and is the nearest there is") {
    CHECK(whole(0.9) == 0);
    CHECK(whole(-1.9) == -1);
    CHECK(whole(4096) == 4096);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const double beyond : {0x1p63, 2e300, std::numeric_limits<double>::infinity()}) {
        CHECK(whole(beyond) == most);
        CHECK(whole(-beyond) == -most);
    }
    CHECK(whole(std::nextafter(0x1p63, 0)) == most - 1023);
    CHECK(whole(std::numeric_limits<double>::quiet_NaN()) == 0);
}
