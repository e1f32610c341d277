// SPDX-License-Identifier: BSL-1.0
#include <closeside/error.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <system_error>
#include <type_traits>

namespace cs = closeside;

static_assert(std::is_error_code_enum_v<cs::error>);
static_assert(!std::is_error_condition_enum_v<cs::error>);
static_assert(std::is_convertible_v<cs::error, std::error_code>);

namespace {

struct row {
    cs::error code;
    std::errc condition;
    const char* message;
};

constexpr row rows[] = {
    {cs::error::patience_over, std::errc::timed_out, "the peer did not close within patience"},
    {cs::error::drain_time_over, std::errc::timed_out,
     "the peer did not close within drain_time of our FIN, or sent nothing for drain_idle"},
    {cs::error::drain_bytes_over, std::errc::message_size,
     "the peer sent more than drain_bytes while the close was draining"},
    {cs::error::reset_by_peer, std::errc::connection_reset, "the peer reset the connection"},
    {cs::error::cancelled, std::errc::operation_canceled, "the close was cancelled"},
    {cs::error::linger_over, std::errc::timed_out,
     "the peer did not acknowledge everything within lingering::until_acked"},
    {cs::error::ports_exhausted, std::errc::address_not_available, "no local port is left towards that destination"},
};

} // namespace

TEST_CASE("every error has its message and equals its portable condition and no other") {
    for (const auto& r : rows) {
        const std::error_code ec = r.code;
        CAPTURE(r.message);
        CHECK(ec);
        CHECK(ec == r.code);
        CHECK(ec.message() == r.message);
        CHECK(ec == r.condition);
        for (const auto& other : rows) CHECK((ec == other.condition) == (r.condition == other.condition));
    }
}

TEST_CASE("the errors are distinct, none of them zero") {
    std::set<int> values;
    for (const auto& r : rows) values.insert(static_cast<int>(r.code));
    CHECK(values.size() == std::size(rows));
    CHECK(values.count(0) == 0);
}

TEST_CASE("a value outside the enumeration is named by its number and equals no portable condition") {
    const std::error_code ec{99, cs::error_category()};
    CHECK(ec.message() == "unknown closeside error 99");
    CHECK(ec.default_error_condition() == std::error_condition(99, cs::error_category()));
    for (const auto& r : rows) CHECK(ec != r.condition);
}

TEST_CASE("a peer that sends on has a message, and equals no portable condition") {
    const std::error_code ec = cs::error::peer_still_sends;
    CHECK(ec.message() == "the peer sent more when its FIN was due");
    for (const auto& r : rows) CHECK(ec != r.condition);
}

TEST_CASE("an unsafe host has a message that points to the log, and equals no portable condition") {
    const std::error_code ec = cs::error::unsafe_host;
    CHECK(ec.message() ==
          "this host's TCP settings endanger the program's connections: the log lines of the host check "
          "say which, and what to do");
    CHECK(ec.default_error_condition() ==
          std::error_condition(static_cast<int>(cs::error::unsafe_host), ec.category()));
    for (const auto& r : rows) CHECK(ec != r.condition);
}

TEST_CASE("the category is one object with the name of the library") {
    CHECK(&cs::error_category() == &cs::error_category());
    CHECK(std::string(cs::error_category().name()) == "closeside");
    CHECK(cs::make_error_code(cs::error::cancelled).category() == cs::error_category());
    CHECK(std::error_code(1, std::generic_category()) != cs::error::patience_over);
}

TEST_CASE("a code equals its error whichever copy of the category made it, and under no other category") {
    // A plug-in may have a copy (tests/shared_objects).
    const cs::detail::error_category copy;
    const std::error_code copied{static_cast<int>(cs::error::patience_over), copy};
    CHECK(copied == cs::error::patience_over);
    CHECK(cs::error::patience_over == copied);
    CHECK(copied != cs::error::drain_time_over);
    CHECK(std::error_code(static_cast<int>(cs::error::patience_over), std::generic_category()) !=
          cs::error::patience_over);
    CHECK(std::error_code() != cs::error::patience_over);
}
