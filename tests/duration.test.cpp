// SPDX-License-Identifier: BSL-1.0
#include <closeside/duration.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

using closeside::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

template <milliseconds D>
constexpr std::int64_t as_template_argument = D.count;

static_assert(as_template_argument<milliseconds{30s}> == 30'000);
static_assert(std::is_same_v<std::integral_constant<bool, milliseconds{1s} == milliseconds{1000ms}>, std::true_type>);
static_assert(std::is_trivially_copyable_v<milliseconds> && sizeof(milliseconds) == sizeof(std::int64_t));
// A bare number says nothing about its unit.
static_assert(!std::is_convertible_v<int, milliseconds> && std::is_constructible_v<milliseconds, int>);
static_assert(std::is_convertible_v<std::chrono::hours, milliseconds>);
static_assert(std::is_convertible_v<std::chrono::duration<double>, milliseconds>);
static_assert(milliseconds{}.count == 0);

} // namespace

TEST_CASE("whole milliseconds convert exactly from any unit") {
    struct row {
        milliseconds given;
        std::int64_t count;
    };
    constexpr row rows[] = {
        {0s, 0},
        {1ms, 1},
        {5s, 5'000},
        {2min, 120'000},
        {1h, 3'600'000},
        {-3s, -3'000},
        {4'000us, 4},
        {7'000'000ns, 7},
        {1.5s, 1'500},
        {0.25min, 15'000},
        {std::chrono::days{1}, 86'400'000},
    };
    for (const auto& r : rows) CHECK(r.given.count == r.count);
}

TEST_CASE("a fraction of a millisecond is rounded away from zero") {
    CHECK(milliseconds(1ns).count == 1);
    CHECK(milliseconds(-1ns).count == -1);
    CHECK(milliseconds(1s + 1us).count == 1'001);
    CHECK(milliseconds(-1s - 1us).count == -1'001);
    CHECK(milliseconds(999'999ns).count == 1);
    CHECK(milliseconds(std::chrono::duration<double, std::milli>(0.001)).count == 1);
    CHECK(milliseconds(std::chrono::duration<double, std::milli>(-0.001)).count == -1);
}

TEST_CASE("a duration beyond the range saturates") {
    CHECK(milliseconds(std::chrono::hours::max()).count == largest);
    CHECK(milliseconds(std::chrono::hours::min()).count == smallest);
    CHECK(milliseconds(std::chrono::duration<double>(1e300)).count == largest);
    CHECK(milliseconds(std::chrono::duration<double>(-1e300)).count == smallest);
    CHECK(milliseconds(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).count == largest);
    CHECK(milliseconds(std::chrono::milliseconds::max()).count == largest);
    CHECK(milliseconds(std::chrono::milliseconds::min()).count == smallest);
    CHECK(milliseconds(std::chrono::milliseconds(largest - 1)).count == largest - 1);
}

TEST_CASE("not-a-number becomes the smallest value, which every policy refuses as negative") {
    CHECK(milliseconds(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).count == smallest);
}

TEST_CASE("a duration converts back to std::chrono and compares by length") {
    const std::chrono::milliseconds back = milliseconds{2s};
    CHECK(back == 2s);
    CHECK((milliseconds{1s} < milliseconds{1001ms}));
    CHECK((milliseconds{-1ms} < milliseconds{}));
    CHECK((milliseconds{1s} == milliseconds{1000}));
}
