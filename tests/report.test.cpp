// SPDX-License-Identifier: BSL-1.0
#include <closeside/report.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

namespace cs = closeside;
using namespace std::chrono_literals;

static_assert(std::is_trivially_copyable_v<cs::close_report>);
static_assert(std::is_aggregate_v<cs::close_report>);

TEST_CASE("a fresh report claims nothing") {
    const cs::close_report r;
    CHECK(r.first_fin == cs::fin_sender::none);
    CHECK(r.last_bytes == cs::last_bytes_fate::none);
    CHECK(r.ended_by == cs::ending::fin);
    CHECK(r.time_wait == cs::time_wait_holder::nobody);
    CHECK(r.limit == cs::close_limit::none);
    CHECK(r.discarded == 0);
    CHECK(r.unacknowledged == 0);
    CHECK(r.elapsed == 0us);
    CHECK(to_string(r) == "first_fin=none ended_by=fin time_wait=nobody limit=none discarded=0 unacknowledged=0 "
                          "last_bytes=none elapsed_us=0");
}

TEST_CASE("a report prints every member on one log line") {
    const cs::close_report r{.first_fin = cs::fin_sender::peer,
                             .ended_by = cs::ending::reset_by_us,
                             .time_wait = cs::time_wait_holder::left_to_kernel,
                             .limit = cs::close_limit::drain_bytes,
                             .discarded = std::numeric_limits<std::uint64_t>::max(),
                             .unacknowledged = 4'194'304,
                             .last_bytes = cs::last_bytes_fate::not_sent,
                             .elapsed = 1s + 5us};
    const std::string line =
        "first_fin=peer ended_by=reset_by_us time_wait=left_to_kernel limit=drain_bytes "
        "discarded=18446744073709551615 unacknowledged=4194304 last_bytes=not_sent elapsed_us=1000005";
    CHECK(to_string(r) == line);
    CHECK(line.find('\n') == std::string::npos);

    std::ostringstream out;
    out << r << '!';
    CHECK(out.str() == line + '!');
}

TEST_CASE("each enumerator prints as it is spelt") {
    CHECK(to_string(cs::side::local) == std::string("local"));
    CHECK(to_string(cs::side::peer) == std::string("peer"));
    CHECK(to_string(cs::fin_sender::none) == std::string("none"));
    CHECK(to_string(cs::fin_sender::local) == std::string("local"));
    CHECK(to_string(cs::fin_sender::peer) == std::string("peer"));
    CHECK(to_string(cs::fin_sender::unknown) == std::string("unknown"));
    CHECK(to_string(cs::ending::fin) == std::string("fin"));
    CHECK(to_string(cs::ending::reset_by_us) == std::string("reset_by_us"));
    CHECK(to_string(cs::ending::reset_by_peer) == std::string("reset_by_peer"));
    CHECK(to_string(cs::ending::failed) == std::string("failed"));
    CHECK(to_string(cs::ending::unknown) == std::string("unknown"));
    CHECK(to_string(cs::time_wait_holder::nobody) == std::string("nobody"));
    CHECK(to_string(cs::time_wait_holder::local) == std::string("local"));
    CHECK(to_string(cs::time_wait_holder::peer) == std::string("peer"));
    CHECK(to_string(cs::time_wait_holder::both) == std::string("both"));
    CHECK(to_string(cs::time_wait_holder::left_to_kernel) == std::string("left_to_kernel"));
    CHECK(to_string(cs::time_wait_holder::unknown) == std::string("unknown"));
    CHECK(to_string(cs::close_limit::none) == std::string("none"));
    CHECK(to_string(cs::close_limit::patience) == std::string("patience"));
    CHECK(to_string(cs::close_limit::input) == std::string("input"));
    CHECK(to_string(cs::close_limit::drain_idle) == std::string("drain_idle"));
    CHECK(to_string(cs::close_limit::shed) == std::string("shed"));
    CHECK(to_string(cs::last_bytes_fate::none) == std::string("none"));
    CHECK(to_string(cs::last_bytes_fate::sent) == std::string("sent"));
    CHECK(to_string(cs::last_bytes_fate::not_sent) == std::string("not_sent"));
    CHECK(to_string(cs::close_limit::drain_time) == std::string("drain_time"));
    CHECK(to_string(cs::close_limit::drain_bytes) == std::string("drain_bytes"));
    CHECK(to_string(cs::close_limit::linger) == std::string("linger"));
    CHECK(to_string(cs::close_limit::cancelled) == std::string("cancelled"));
}

TEST_CASE("reports are equal when every member is") {
    const cs::close_report one{.first_fin = cs::fin_sender::local, .discarded = 7};
    auto other = one;
    CHECK(one == other);
    other.discarded = 8;
    CHECK(one != other);
    other = one;
    other.first_fin = cs::fin_sender::unknown;
    CHECK(one != other);
}
