// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_POLICY_RULES_HPP
#define CLOSESIDE_DETAIL_POLICY_RULES_HPP

#include <closeside/close_policy.hpp>

#include <cstdint>
#include <limits>

// The one list of what a policy must not say. Each entry is a name for the rule, a condition on `p` that must be false
// and the sentence that the compiler prints, or contradiction() returns, where it is true. static_assert takes nothing
// but a literal in C++20, hence a macro: it keeps the two checks from drifting apart.
// clang-format off
#define CLOSESIDE_POLICY_RULES(RULE)                                                                                   \
    RULE(durations_are_not_negative,                                                                                   \
         p.patience.count < 0 || p.drain_time.count < 0 || p.drain_idle.count < 0 || p.linger.time.count < 0 ||        \
         p.linger2.time.count < 0,                                                                                     \
         "patience, drain_time, drain_idle, linger and linger2 cannot be negative durations: give a duration of "      \
         "zero or more, or fin_wait2::skip for TCP_LINGER2 = -1")                                                      \
    RULE(abort_waits_for_nobody,                                                                                       \
         p.linger == lingering::abort && p.closes_first == side::peer,                                                 \
         "linger = lingering::abort contradicts closes_first = side::peer: an abort resets at once and waits for "     \
         "nobody; remove one of the two")                                                                              \
    RULE(abort_leaves_no_fin_wait2,                                                                                    \
         p.linger == lingering::abort && p.linger2 != fin_wait2::system,                                               \
         "linger = lingering::abort leaves no FIN-WAIT-2 for linger2 to act on: remove linger2, or set linger = "      \
         "lingering::background")                                                                                      \
    RULE(until_acked_has_time,                                                                                         \
         p.linger.how == lingering::mode::until_acked && p.linger.time.count == 0,                                     \
         "lingering::until_acked needs time: with zero, SO_LINGER would reset the connection; give at least 1 s, "     \
         "or say lingering::abort if RST is meant")                                                                    \
    RULE(until_acked_is_in_seconds,                                                                                    \
         p.linger.how == lingering::mode::until_acked && has_part_of_a_second(p.linger.time),                          \
         "lingering::until_acked counts whole seconds, as SO_LINGER does: round its duration up to a second")          \
    RULE(linger2_is_in_seconds,                                                                                        \
         p.linger2.how == fin_wait2::mode::timed && has_part_of_a_second(p.linger2.time),                              \
         "linger2 counts whole seconds, as TCP_LINGER2 does: round its duration to a second")                          \
    RULE(linger2_is_1_to_60_s,                                                                                         \
         p.linger2.how == fin_wait2::mode::timed && (p.linger2.time.count == 0 || p.linger2.time.count > 60'000),      \
         "linger2 must lie within 1 s and 60 s: zero means fin_wait2::system, and above 60 the kernel gives "          \
         "2*(n-60) seconds instead of n; use fin_wait2::skip to reset as soon as our FIN is acknowledged")             \
    RULE(linger2_has_an_effect,                                                                                        \
         p.linger2 != fin_wait2::system && p.linger != lingering::abort && never_orphan_in_fin_wait2(p),               \
         "linger2 has no effect here: it acts on an orphan in FIN-WAIT-2, and with on_limit = limit_action::abort "    \
         "this side never leaves one; set on_limit = limit_action::close, or remove linger2")                          \
    RULE(peer_first_has_patience,                                                                                      \
         p.closes_first == side::peer && p.patience.count == 0,                                                        \
         "closes_first = side::peer needs patience: with zero the peer never gets to close first; give patience a "    \
         "duration, or set closes_first = side::local")                                                                \
    RULE(drain_idle_is_not_zero,                                                                                       \
         p.drain_idle.count == 0,                                                                                      \
         "drain_idle = 0 would end every drain before the peer can answer: give drain_idle a duration, or set "        \
         "drain_time = 0 for no draining")                                                                             \
    RULE(drain_bytes_has_time,                                                                                         \
         p.drain_time.count == 0 && p.drain_bytes != 0 && p.drain_bytes != unlimited,                                  \
         "drain_time = 0 contradicts drain_bytes, which asks for draining: give drain_time a duration, or remove "     \
         "drain_bytes for a plain close(2)")
// clang-format on

namespace closeside::detail {

/// Every way out either sees the peer's FIN before the descriptor goes, or resets.
constexpr bool never_orphan_in_fin_wait2(const close_policy& p) noexcept {
    const bool waits_for_fin = p.closes_first == side::peer || p.drain_time.count != 0;
    return waits_for_fin && p.on_limit == limit_action::abort && p.on_destroy != destroy_action::close;
}

/// What has saturated stands for "for ever", which has no parts.
constexpr bool has_part_of_a_second(close_duration d) noexcept {
    return d.count % 1000 != 0 && d.count != std::numeric_limits<std::int64_t>::max();
}

constexpr const char* first_broken_rule(const close_policy& p) noexcept {
#define CLOSESIDE_RULE(NAME, CONDITION, SENTENCE)                                                                      \
    if (CONDITION) return SENTENCE;
    CLOSESIDE_POLICY_RULES(CLOSESIDE_RULE)
#undef CLOSESIDE_RULE
    return nullptr;
}

/// Instantiating this is the compile-time check; each broken rule is an error of its own.
/** clang repeats the condition before the sentence, with the whole policy in it; of a constant it gives the name. */
template <close_policy p>
struct checked_policy {
#define CLOSESIDE_RULE(NAME, CONDITION, SENTENCE)                                                                      \
    static constexpr bool NAME = !(CONDITION);                                                                         \
    static_assert(NAME, SENTENCE);
    CLOSESIDE_POLICY_RULES(CLOSESIDE_RULE)
#undef CLOSESIDE_RULE
};

} // namespace closeside::detail

#undef CLOSESIDE_POLICY_RULES

#endif
