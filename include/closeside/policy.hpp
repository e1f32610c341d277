// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_POLICY_HPP
#define CLOSESIDE_POLICY_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/policy/rules.hpp>
#include <closeside/detail/policy/text.hpp>

#include <string>

namespace closeside {

namespace policies {

/// Our FIN at once, then drain until the peer's. Nothing is lost within the limits; this host holds TIME-WAIT.
inline constexpr close_policy graceful{};

/// The peer's FIN first, for up to 2 s without progress; then ours, and the drain. For peers that the protocol has told.
inline constexpr close_policy peer_first{.closes_first = side::peer};

/// The same, but a peer that does not close is reset, so TIME-WAIT never lands here.
inline constexpr close_policy peer_first_or_reset{.closes_first = side::peer, .on_limit = limit_action::abort};

/// RST at once. Whatever is queued or in flight is lost; nobody holds TIME-WAIT.
inline constexpr close_policy abortive{.linger = lingering::abort};

/// Exactly what close(2) does: FIN, or RST if input is unread. For comparison, and for opting out.
inline constexpr close_policy system{.drain_time = close_duration{0}, .on_destroy = destroy_action::close};

} // namespace policies

/// The first rule that the policy breaks, as a sentence that names the members and the cure; nullptr if it breaks none.
constexpr const char* contradiction(const close_policy& p) noexcept { return detail::first_broken_rule(p); }

/// What follows from a policy. Naming it for a contradictory one does not compile, and the compiler says why.
template <close_policy P>
struct policy_traits : private detail::checked_policy<P> {
    /// This host can be left with the connection's TIME-WAIT.
    static constexpr bool can_hold_time_wait = closeside::can_hold_time_wait(P);
    /// The policy itself ends connections with RST on some way out, or as a matter of course over unread input.
    /** If this is false the kernel may still reset: input that arrives after the descriptor is gone is answered so;
     *  close_report::ended_by tells when it was. */
    static constexpr bool can_reset = P.linger == lingering::abort || P.on_limit == limit_action::abort ||
                                      P.on_destroy == destroy_action::abort || P.linger2 == fin_wait2::skip ||
                                      (P.closes_first == side::local && P.drain_time.count == 0);
    /// Closing may have to wait, so the orderly close uses a timer.
    static constexpr bool needs_timer =
        P.linger != lingering::abort &&
        (P.closes_first == side::peer || P.drain_time.count != 0 || P.linger.how == lingering::mode::until_acked);
};

/// One line with every member, in the order of declaration: `closes_first=peer patience=2s linger=background …`.
inline std::string to_string(const close_policy& p) { return detail::policy_text(p); }

/// Writes to_string(policy); a template, so that <ostream> is the caller's to include.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const close_policy& p) {
    const std::string text = to_string(p);
    return out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

} // namespace closeside

#endif
