// SPDX-License-Identifier: BSL-1.0
#include <closeside/policy.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

namespace cs = closeside;
using namespace std::chrono_literals;

namespace {

static_assert(std::is_aggregate_v<cs::close_policy>);
static_assert(std::is_trivially_copyable_v<cs::close_policy>);

// What a sentence refuses is not taken for possible.
static_assert(!std::is_convertible_v<std::chrono::seconds, cs::lingering> &&
              !std::is_convertible_v<int, cs::lingering>);
static_assert(!std::is_constructible_v<cs::lingering, bool> && !std::is_constructible_v<cs::lingering, bool, int>);
static_assert(!std::is_convertible_v<int, cs::fin_wait2> && !std::is_constructible_v<cs::fin_wait2, bool>);
static_assert(std::is_convertible_v<std::chrono::seconds, cs::fin_wait2>);
static_assert(std::is_trivially_copyable_v<cs::lingering> && std::is_nothrow_default_constructible_v<cs::lingering>);

// The defaults of the contract, member by member.
constexpr cs::close_policy defaults{};
static_assert(defaults.closes_first == cs::side::local);
static_assert(defaults.patience == 2s);
static_assert(defaults.linger == cs::lingering::background);
static_assert(defaults.linger2 == cs::fin_wait2::system);
static_assert(defaults.reuse_address);
static_assert(defaults.drain_time == 30s);
static_assert(defaults.drain_idle == 5s);
static_assert(defaults.drain_bytes == cs::unlimited);
static_assert(defaults.on_limit == cs::limit_action::close);
static_assert(defaults.on_destroy == cs::destroy_action::finish);

// Designated initialisers compile only in the order of declaration, so this pins the order.
constexpr cs::close_policy every_member{
    .closes_first = cs::side::peer,
    .patience = 20s,
    .linger = cs::lingering::until_acked(3s),
    .linger2 = 10s,
    .reuse_address = false,
    .drain_time = 1500ms,
    .drain_idle = 500ms,
    .drain_bytes = 4096,
    .on_limit = cs::limit_action::close,
    .on_destroy = cs::destroy_action::close,
};
static_assert(cs::contradiction(every_member) == nullptr);

template <cs::close_policy P>
struct tagged {
    static constexpr cs::close_policy policy = P;
};

// Two spellings of one value are one type, and each member tells types apart.
static_assert(std::is_same_v<tagged<cs::close_policy{}>, tagged<cs::policies::graceful>>);
static_assert(
    std::is_same_v<tagged<cs::close_policy{.drain_time = 1s}>, tagged<cs::close_policy{.drain_time = 1000ms}>>);
static_assert(!std::is_same_v<tagged<cs::policies::graceful>, tagged<cs::policies::peer_first>>);
static_assert(!std::is_same_v<tagged<cs::close_policy{.linger2 = 1s}>, tagged<cs::close_policy{.linger2 = 2s}>>);
static_assert(tagged<every_member>::policy == every_member);

static_assert(cs::policies::graceful == cs::close_policy{});
static_assert(cs::policies::peer_first == cs::close_policy{.closes_first = cs::side::peer});
static_assert(cs::policies::abortive == cs::close_policy{.linger = cs::lingering::abort});
static_assert(cs::policies::peer_first_or_reset ==
              cs::close_policy{.closes_first = cs::side::peer, .on_limit = cs::limit_action::abort});
static_assert(cs::policies::system ==
              cs::close_policy{.drain_time = cs::close_duration{0}, .on_destroy = cs::destroy_action::close});

// SO_LINGER on with zero seconds resets: waiting for zero seconds must not turn into that.
static_assert(cs::lingering::until_acked(0s) != cs::lingering::abort);
static_assert(cs::fin_wait2{} == cs::fin_wait2::system && cs::fin_wait2{0s} != cs::fin_wait2::system);
static_assert(cs::fin_wait2{-1s} != cs::fin_wait2::skip);

template <cs::close_policy P>
constexpr bool follows(bool can_hold_time_wait, bool can_reset, bool needs_timer) {
    using traits = cs::policy_traits<P>;
    return traits::can_hold_time_wait == can_hold_time_wait && traits::can_reset == can_reset &&
           traits::needs_timer == needs_timer;
}

static_assert(follows<cs::policies::graceful>(true, false, true));
static_assert(follows<cs::policies::peer_first>(true, false, true));
static_assert(follows<cs::policies::peer_first_or_reset>(false, true, true));
static_assert(follows<cs::policies::abortive>(false, true, false));
static_assert(follows<cs::policies::system>(true, true, false));
static_assert(follows<cs::close_policy{.on_limit = cs::limit_action::abort}>(true, true, true));
static_assert(follows<cs::close_policy{.linger2 = cs::fin_wait2::skip}>(true, true, true));
static_assert(follows<cs::close_policy{.on_destroy = cs::destroy_action::abort}>(true, true, true));
static_assert(follows<cs::close_policy{.closes_first = cs::side::peer,
                                       .on_limit = cs::limit_action::abort,
                                       .on_destroy = cs::destroy_action::close}>(true, true, true));
static_assert(follows<cs::close_policy{.linger = cs::lingering::until_acked(1s), .drain_time = 0s, .drain_bytes = 0}>(
    true, true, true));

struct refused {
    const char* title;
    cs::close_policy policy;
    std::string_view sentence; // how it begins
    std::string_view cure;     // what it ends with
    cs::close_policy corrected;
};

constexpr std::string_view negative =
    "patience, drain_time, drain_idle, linger and linger2 cannot be negative durations";
constexpr std::string_view negative_cure = "or fin_wait2::skip for TCP_LINGER2 = -1";
constexpr std::string_view linger2_range = "linger2 must lie within 1 s and 60 s";
constexpr std::string_view linger2_range_cure = "use fin_wait2::skip to reset as soon as our FIN is acknowledged";
constexpr std::string_view linger2_whole = "linger2 counts whole seconds, as TCP_LINGER2 does";
constexpr std::string_view linger2_whole_cure = "round its duration to a second";
constexpr std::string_view linger2_inert = "linger2 has no effect here";
constexpr std::string_view linger2_inert_cure = "set on_limit = limit_action::close, or remove linger2";
constexpr std::string_view acked_whole = "lingering::until_acked counts whole seconds, as SO_LINGER does";
constexpr std::string_view acked_whole_cure = "round its duration up to a second";

constexpr refused table[] = {
    {"negative patience", {.patience = -1ms}, negative, negative_cure, {.patience = 1ms}},
    {"negative drain_time", {.drain_time = -5s}, negative, negative_cure, {.drain_time = 5s}},
    {"negative drain_idle", {.drain_idle = -5s}, negative, negative_cure, {.drain_idle = 5s}},
    {"negative linger",
     {.linger = cs::lingering::until_acked(-2s)},
     negative,
     negative_cure,
     {.linger = cs::lingering::until_acked(2s)}},
    {"negative linger2", {.linger2 = -1s}, negative, negative_cure, {.linger2 = cs::fin_wait2::skip}},
    {"abort while the peer goes first",
     {.closes_first = cs::side::peer, .linger = cs::lingering::abort},
     "linger = lingering::abort contradicts closes_first = side::peer",
     "remove one of the two",
     {.linger = cs::lingering::abort}},
    {"abort with a time in FIN-WAIT-2",
     {.linger = cs::lingering::abort, .linger2 = 10s},
     "linger = lingering::abort leaves no FIN-WAIT-2 for linger2 to act on",
     "remove linger2, or set linger = lingering::background",
     {.linger = cs::lingering::background, .linger2 = 10s}},
    {"abort with FIN-WAIT-2 skipped",
     {.linger = cs::lingering::abort, .linger2 = cs::fin_wait2::skip},
     "linger = lingering::abort leaves no FIN-WAIT-2 for linger2 to act on",
     "remove linger2, or set linger = lingering::background",
     {.linger2 = cs::fin_wait2::skip}},
    {"until_acked of nothing",
     {.linger = cs::lingering::until_acked(0s)},
     "lingering::until_acked needs time",
     "or say lingering::abort if RST is meant",
     {.linger = cs::lingering::until_acked(1s)}},
    {"until_acked of part of a second",
     {.linger = cs::lingering::until_acked(1500ms)},
     acked_whole,
     acked_whole_cure,
     {.linger = cs::lingering::until_acked(2s)}},
    {"until_acked of a microsecond too much",
     {.linger = cs::lingering::until_acked(1s + 1us)},
     acked_whole,
     acked_whole_cure,
     {.linger = cs::lingering::until_acked(1s)}},
    {"linger2 of part of a second", {.linger2 = 2500ms}, linger2_whole, linger2_whole_cure, {.linger2 = 3s}},
    {"linger2 of zero", {.linger2 = 0s}, linger2_range, linger2_range_cure, {.linger2 = 1s}},
    {"linger2 of 61 s", {.linger2 = 61s}, linger2_range, linger2_range_cure, {.linger2 = 60s}},
    {"linger2 for ever",
     {.linger2 = cs::close_duration{std::numeric_limits<std::int64_t>::max() / 1000 * 1000}},
     linger2_range,
     linger2_range_cure,
     {.linger2 = cs::fin_wait2::system}},
    {"linger2 where the peer goes first or is reset",
     {.closes_first = cs::side::peer, .linger2 = 10s, .on_limit = cs::limit_action::abort},
     linger2_inert,
     linger2_inert_cure,
     {.closes_first = cs::side::peer, .linger2 = 10s}},
    {"linger2 skipped where the peer goes first or is reset",
     {.closes_first = cs::side::peer, .linger2 = cs::fin_wait2::skip, .on_limit = cs::limit_action::abort},
     linger2_inert,
     linger2_inert_cure,
     {.closes_first = cs::side::peer, .on_limit = cs::limit_action::abort}},
    {"linger2 where the limit of draining aborts",
     {.linger2 = 10s, .on_limit = cs::limit_action::abort},
     linger2_inert,
     linger2_inert_cure,
     {.linger2 = 10s, .on_limit = cs::limit_action::close}},
    {"the peer first, without patience",
     {.closes_first = cs::side::peer, .patience = 0s},
     "closes_first = side::peer needs patience",
     "or set closes_first = side::local",
     {.closes_first = cs::side::peer, .patience = 1ms}},
    {"no time between the peer's bytes",
     {.drain_idle = 0s},
     "drain_idle = 0 would end every drain",
     "or set drain_time = 0 for no draining",
     {.drain_time = 0s}},
    {"bytes to drain in no time",
     {.drain_time = 0s, .drain_bytes = 1 << 20},
     "drain_time = 0 contradicts drain_bytes",
     "or remove drain_bytes for a plain close(2)",
     {.drain_time = 0s}},
};

// The check works where the compiler evaluates it, too.
static_assert(cs::contradiction(table[0].policy) != nullptr && cs::contradiction(table[0].corrected) == nullptr);

} // namespace

TEST_CASE("a contradictory policy is refused with the sentence of its rule, its corrected twin is not") {
    for (const auto& row : table) {
        CAPTURE(row.title);
        const char* found = cs::contradiction(row.policy);
        REQUIRE(found != nullptr);
        const std::string_view sentence = found;
        CAPTURE(sentence);
        CHECK(sentence.starts_with(row.sentence));
        CHECK(sentence.ends_with(row.cure));
        CHECK(cs::contradiction(row.corrected) == nullptr);
    }
}

TEST_CASE("the limits of what is allowed are allowed") {
    const cs::close_policy allowed[] = {
        cs::policies::graceful,
        cs::policies::peer_first,
        cs::policies::abortive,
        cs::policies::system,
        {.linger2 = 1s},
        {.linger2 = 60s},
        {.linger2 = cs::fin_wait2::skip},
        {.patience = 0s},                      // without effect while this side goes first
        {.drain_time = 1ms, .drain_bytes = 0}, // waits for the FIN, accepts no data
        cs::policies::peer_first_or_reset,
        {.patience = 1h, .drain_time = 1s, .drain_idle = 1h}, // drain_idle never acts
        {.drain_time = 0s, .drain_bytes = 0},
        {.closes_first = cs::side::peer, .patience = std::chrono::milliseconds::max(), .drain_time = 1000000h},
        {.linger = cs::lingering::until_acked(std::chrono::hours::max())}, // saturated, and so a whole second
        {.closes_first = cs::side::peer,
         .linger2 = 10s,
         .on_limit = cs::limit_action::abort,
         .on_destroy = cs::destroy_action::close},
        {.linger2 = 10s, .drain_time = 0s, .drain_bytes = 0, .on_limit = cs::limit_action::abort},
        {.linger = cs::lingering::abort, .on_limit = cs::limit_action::abort},
    };
    for (const auto& policy : allowed) {
        CAPTURE(to_string(policy));
        const bool is_allowed = cs::contradiction(policy) == nullptr;
        CHECK(is_allowed);
    }
}

TEST_CASE("a policy is written to a stream as to_string has it") {
    std::ostringstream out;
    out << cs::policies::peer_first << '!';
    CHECK(out.str() == to_string(cs::policies::peer_first) + '!');
}

TEST_CASE("a policy prints every member on one line, in the order of declaration") {
    CHECK(to_string(cs::policies::graceful) ==
          "closes_first=local patience=2s linger=background linger2=system reuse_address=on drain_time=30s "
          "drain_idle=5s drain_bytes=unlimited on_limit=close on_destroy=finish");
    CHECK(to_string(cs::policies::peer_first) ==
          "closes_first=peer patience=2s linger=background linger2=system reuse_address=on drain_time=30s "
          "drain_idle=5s drain_bytes=unlimited on_limit=close on_destroy=finish");
    CHECK(to_string(cs::policies::abortive) ==
          "closes_first=local patience=2s linger=abort linger2=system reuse_address=on drain_time=30s "
          "drain_idle=5s drain_bytes=unlimited on_limit=close on_destroy=finish");
    CHECK(to_string(cs::policies::system) ==
          "closes_first=local patience=2s linger=background linger2=system reuse_address=on drain_time=0s "
          "drain_idle=5s drain_bytes=unlimited on_limit=close on_destroy=close");
    CHECK(to_string(cs::close_policy{.patience = std::chrono::hours::max()}).find("patience=for_ever ") !=
          std::string::npos);
    CHECK(to_string(every_member) ==
          "closes_first=peer patience=20s linger=until_acked(3s) linger2=10s reuse_address=off drain_time=1500ms "
          "drain_idle=500ms drain_bytes=4096 on_limit=close on_destroy=close");
    CHECK(to_string(cs::close_policy{.linger2 = cs::fin_wait2::skip,
                                     .on_limit = cs::limit_action::abort,
                                     .on_destroy = cs::destroy_action::abort}) ==
          "closes_first=local patience=2s linger=background linger2=skip reuse_address=on drain_time=30s "
          "drain_idle=5s drain_bytes=unlimited on_limit=abort on_destroy=abort");
}

TEST_CASE("policies are equal when every member is") {
    CHECK((every_member == cs::close_policy(every_member)));
    auto other = every_member;
    other.reuse_address = true;
    CHECK((other != every_member));
    other = every_member;
    other.linger.time = 4s;
    CHECK((other != every_member));
}
