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

using closeside::close_policy;
using closeside::fin_wait2;
using closeside::limit_action;
using closeside::lingering;
using closeside::milliseconds;
using closeside::side;
inline constexpr milliseconds second{1000};
inline constexpr milliseconds two_seconds{2000};
inline constexpr milliseconds none{0};

} // namespace detail

/// Every preset, and policies that between them take every branch of the machine.
inline constexpr std::array presets{
    named_policy{"graceful", closeside::policies::graceful, 5000},
    named_policy{"peer_first", closeside::policies::peer_first, 30'000},
    named_policy{"abortive", closeside::policies::abortive, 1000},
    named_policy{"system", closeside::policies::system, 1000},
};

inline constexpr std::array further_policies{
    named_policy{
        "peer first, close on limit",
        {.closes_first = detail::side::peer, .patience = detail::second, .on_limit = detail::limit_action::close},
        1000},
    named_policy{
        "local, abort on limit", {.drain_time = detail::second, .on_limit = detail::limit_action::abort}, 1000},
    named_policy{"local, three bytes of draining", {.drain_time = detail::second, .drain_bytes = 3}, 1000},
    named_policy{"local, three bytes of draining, abort on limit",
                 {.drain_time = detail::second, .drain_bytes = 3, .on_limit = detail::limit_action::abort},
                 1000},
    named_policy{"peer first, three bytes of draining",
                 {.closes_first = detail::side::peer, .patience = detail::second, .drain_bytes = 3},
                 1000},
    named_policy{"local, no time left", {.drain_time = detail::none}, 1000},
    named_policy{
        "peer first, no patience left, close on limit",
        {.closes_first = detail::side::peer, .patience = detail::none, .on_limit = detail::limit_action::close},
        1000},
    named_policy{
        "no draining, until acked",
        {.linger = detail::lingering::until_acked(detail::second), .drain_time = detail::none, .drain_bytes = 0},
        1000},
    named_policy{"no draining, until acked, abort on limit",
                 {.linger = detail::lingering::until_acked(detail::second),
                  .drain_time = detail::none,
                  .drain_bytes = 0,
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
                  .linger = detail::lingering::until_acked(detail::second)},
                 1000},
    named_policy{"peer first, until acked, close on limit",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .linger = detail::lingering::until_acked(detail::second),
                  .on_limit = detail::limit_action::close},
                 1000},
    named_policy{"local, linger2 skipped", {.linger2 = detail::fin_wait2::skip, .drain_time = detail::second}, 1000},
    named_policy{"peer first, close on limit, linger2 skipped",
                 {.closes_first = detail::side::peer,
                  .patience = detail::second,
                  .linger2 = detail::fin_wait2::skip,
                  .on_limit = detail::limit_action::close},
                 1000},
    named_policy{"no draining, linger2 of 2 s",
                 {.linger2 = detail::two_seconds, .drain_time = detail::none, .drain_bytes = 0},
                 1000},
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

} // namespace model

#endif
