// SPDX-License-Identifier: BSL-1.0
#include <closeside/duration.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

using closeside::close_duration;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

template <close_duration D>
constexpr std::int64_t as_template_argument = D.count;

static_assert(as_template_argument<close_duration{30s}> == 30'000);
static_assert(
    std::is_same_v<std::integral_constant<bool, close_duration{1s} == close_duration{1000ms}>, std::true_type>);
static_assert(std::is_trivially_copyable_v<close_duration> && sizeof(close_duration) == sizeof(std::int64_t));
// A bare number says nothing about its unit.
static_assert(!std::is_convertible_v<int, close_duration> && std::is_constructible_v<close_duration, int>);
static_assert(std::is_convertible_v<std::chrono::hours, close_duration>);
static_assert(std::is_convertible_v<std::chrono::duration<double>, close_duration>);
static_assert(close_duration{}.count == 0);

} // namespace

namespace both {

using namespace closeside;
using namespace std::chrono;
static_assert(milliseconds(close_duration{2s}) == 2s, "the two namespaces can be used side by side");

} // namespace both

TEST_CASE("whole milliseconds convert exactly from any unit") {
    struct row {
        close_duration given;
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
    CHECK(close_duration(1ns).count == 1);
    CHECK(close_duration(-1ns).count == -1);
    CHECK(close_duration(1s + 1us).count == 1'001);
    CHECK(close_duration(-1s - 1us).count == -1'001);
    CHECK(close_duration(999'999ns).count == 1);
    CHECK(close_duration(std::chrono::duration<double, std::milli>(0.001)).count == 1);
    CHECK(close_duration(std::chrono::duration<double, std::milli>(-0.001)).count == -1);
}

TEST_CASE("a duration beyond the range saturates") {
    CHECK(close_duration(std::chrono::hours::max()).count == largest);
    CHECK(close_duration(std::chrono::hours::min()).count == smallest);
    CHECK(close_duration(std::chrono::duration<double>(1e300)).count == largest);
    CHECK(close_duration(std::chrono::duration<double>(-1e300)).count == smallest);
    CHECK(close_duration(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).count == largest);
    CHECK(close_duration(std::chrono::milliseconds::max()).count == largest);
    // Not a number is no time to wait for; a policy with it is refused as one with a negative duration is.
    CHECK(close_duration(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).count == smallest);
    CHECK(close_duration(std::chrono::milliseconds::min()).count == smallest);
    CHECK(close_duration(std::chrono::milliseconds(largest - 1)).count == largest - 1);
}

TEST_CASE("not-a-number becomes the smallest value, which every policy refuses as negative") {
    CHECK(close_duration(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).count == smallest);
}

TEST_CASE("a duration converts back to std::chrono and compares by length") {
    const std::chrono::milliseconds back = close_duration{2s};
    CHECK(back == 2s);
    CHECK((close_duration{1s} < close_duration{1001ms}));
    CHECK((close_duration{-1ms} < close_duration{}));
    CHECK((close_duration{1s} == close_duration{1000}));
}
