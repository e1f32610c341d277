// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_SCENARIOS_HPP
#define CLOSESIDE_TESTS_MODEL_SCENARIOS_HPP

#include "world.hpp"

#include <closeside/policy.hpp>

#include <array>

namespace model {

struct named_policy {
    const char* name;
    closeside::close_policy value;
    std::int64_t tick; ///< milliseconds, dividing the limits that can come into play
};

namespace detail {

using closeside::close_duration;
using closeside::close_policy;
using closeside::fin_wait2;
using closeside::limit_action;
using closeside::lingering;
using closeside::side;
inline constexpr close_duration second{1000};
inline constexpr close_duration two_seconds{2000};
inline constexpr close_duration none{0};
constexpr close_duration ms(std::int64_t n) { return close_duration{n}; }

} // namespace detail

/// Every preset, and policies that between them take every branch of the machine.
inline constexpr std::array presets{
    named_policy{"graceful", closeside::policies::graceful, 30'000},
    named_policy{"peer_first", closeside::policies::peer_first, 30'000},
    named_policy{"peer_first_or_reset", closeside::policies::peer_first_or_reset, 30'000},
    named_policy{"abortive", closeside::policies::abortive, 1000},
    named_policy{"system", closeside::policies::system, 1000},
};

inline constexpr std::array further_policies{
    named_policy{"peer first, then drains",
                 {.closes_first = detail::side::peer, .patience = detail::second, .drain_time = detail::second},
                 1000},
    named_policy{"peer first, does not drain",
                 {.closes_first = detail::side::peer, .patience = detail::second, .drain_time = detail::none},
                 1000},
    named_policy{
        "local, abort on limit", {.drain_time = detail::second, .on_limit = detail::limit_action::abort}, 1000},
    named_policy{"local, three bytes of draining", {.drain_time = detail::second, .drain_bytes = 3}, 1000},
    named_policy{"local, three bytes of draining, abort on limit",
                 {.drain_time = detail::second, .drain_bytes = 3, .on_limit = detail::limit_action::abort},
                 1000},
    named_policy{"peer first, three bytes of draining",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .drain_time = detail::second,
                  .drain_bytes = 3},
                 1000},
    named_policy{"no draining, until acked",
                 {.linger = detail::lingering::until_acked(detail::second), .drain_time = detail::none},
                 1000},
    named_policy{"no draining, until acked, abort on limit",
                 {.linger = detail::lingering::until_acked(detail::second),
                  .drain_time = detail::none,
                  .on_limit = detail::limit_action::abort},
                 1000},
    named_policy{"local, until acked for longer than draining",
                 {.linger = detail::lingering::until_acked(detail::two_seconds), .drain_time = detail::second},
                 1000},
    named_policy{"local, until acked for less than draining, abort on limit",
                 {.linger = detail::lingering::until_acked(detail::second),
                  .drain_time = detail::two_seconds,
                  .on_limit = detail::limit_action::abort},
                 1000},
    named_policy{"peer first, until acked",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .linger = detail::lingering::until_acked(detail::second),
                  .drain_time = detail::second},
                 1000},
    named_policy{"peer first, until acked, abort on limit",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .linger = detail::lingering::until_acked(detail::second),
                  .on_limit = detail::limit_action::abort},
                 1000},
    named_policy{"local, linger2 skipped", {.linger2 = detail::fin_wait2::skip, .drain_time = detail::second}, 1000},
    named_policy{"peer first, linger2 skipped",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .linger2 = detail::fin_wait2::skip,
                  .drain_time = detail::second},
                 1000},
    named_policy{"no draining, linger2 of 2 s", {.linger2 = detail::two_seconds, .drain_time = detail::none}, 1000},
};

/// Chunks are of two bytes, against limits of three, where a script does not say otherwise.
inline constexpr std::array peers{
    peer_script{.name = "closes on EOF", .chunks = 1, .chunk_bytes = 2},
    peer_script{
        .name = "closes when it has the reply", .chunks = 1, .chunk_bytes = 2, .closes = peer_closes::after_the_reply},
    peer_script{.name = "closes at any moment", .chunks = 1, .chunk_bytes = 2, .closes = peer_closes::at_any_moment},
    peer_script{.name = "half-closes first", .chunks = 1, .chunk_bytes = 2, .half_closes = true},
    peer_script{.name = "keeps sending", .chunks = 2, .chunk_bytes = 768 * 1024},
    peer_script{.name = "trickles and never closes", .chunks = 2, .chunk_bytes = 1, .closes = peer_closes::never},
    peer_script{.name = "is silent", .closes = peer_closes::never, .reads = false},
    peer_script{.name = "resets at once", .chunks = 1, .chunk_bytes = 2, .resets_from_start = true},
    peer_script{.name = "half-closes, then resets", .half_closes = true, .resets_from_start = true},
    peer_script{.name = "resets while we drain",
                .chunks = 1,
                .chunk_bytes = 2,
                .closes = peer_closes::never,
                .reads = false,
                .resets_after_a_chunk = true},
    peer_script{.name = "is lost with the path",
                .chunks = 1,
                .chunk_bytes = 2,
                .closes = peer_closes::after_the_reply,
                .path_dies = true},
};

/// Policies whose limits are a few ticks each, for what takes its time.
inline constexpr std::array patient_policies{
    named_policy{"local, in ticks", {.drain_time = detail::ms(3000), .drain_idle = detail::ms(2000)}, 1000},
    named_policy{
        "local, in ticks, abort on limit",
        {.drain_time = detail::ms(3000), .drain_idle = detail::ms(1000), .on_limit = detail::limit_action::abort},
        1000},
    named_policy{"peer first, in ticks",
                 {.closes_first = detail::side::peer,
                  .patience = detail::ms(600),
                  .drain_time = detail::ms(400),
                  .drain_idle = detail::ms(200)},
                 200},
    named_policy{
        "peer first, in ticks, abort on limit",
        {.closes_first = detail::side::peer, .patience = detail::ms(600), .on_limit = detail::limit_action::abort},
        200},
    named_policy{"local, until acked, in ticks",
                 {.linger = detail::lingering::until_acked(detail::ms(2000)),
                  .drain_time = detail::ms(2000),
                  .drain_idle = detail::ms(1000)},
                 1000},
};

/// Peers that take their time: to read, and to go on when they have the reply.
inline constexpr std::array patient_peers{
    peer_script{.name = "reads at its own pace"},
    peer_script{.name = "reads at its own pace and closes when it has the reply",
                .closes = peer_closes::after_the_reply},
    peer_script{.name = "sends while it reads", .chunks = 2},
    peer_script{.name = "says goodbye", .chunks = 1, .closes = peer_closes::after_a_chunk, .sends_after_reply = true},
    peer_script{.name = "asks again", .chunks = 1, .sends_after_reply = true},
    peer_script{.name = "never ends", .chunks = 1, .closes = peer_closes::never},
};

/// Slow readers have a receive queue of one segment, and a network that does not reorder.
inline void slow(setting& s, std::uint8_t reply) {
    s.in_order = true;
    s.window = 1;
    s.reply = reply;
}

} // namespace model

#endif
