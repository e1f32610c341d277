// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSE_POLICY_HPP
#define CLOSESIDE_CLOSE_POLICY_HPP

#include <closeside/duration.hpp>

#include <cstdint>

namespace closeside {

/// An end of a connection, seen from this program.
enum class side : std::uint8_t {
    local, ///< this end: active close, so TIME-WAIT stays on this host
    peer   ///< the other end: passive close here, so TIME-WAIT stays over there
};

/// What follows when patience, drain_time or drain_bytes runs out, or a close is cancelled.
enum class limit_action : std::uint8_t {
    keep_side, ///< whatever keeps TIME-WAIT where closes_first puts it: close for side::local, abort for side::peer
    close,     ///< discard what has arrived, then close(2): FIN if not yet sent; the kernel owns the rest
    abort      ///< RST; queued data is lost and nobody holds TIME-WAIT
};

/// How a connection ends that is dropped without async_close: destructor, move-assignment, unwinding.
/** Under lingering::abort every way out is RST, whatever stands here. */
enum class destroy_action : std::uint8_t {
    finish, ///< the same orderly close goes on in the background, on the connection's executor
    close,  ///< at once, never blocking: FIN, discard what has arrived, close(2)
    abort   ///< RST
};

/// SO_LINGER: what close(2) does about data that the peer has not yet acknowledged.
struct lingering {
    enum class mode : std::uint8_t { background, abort, until_acked };

    /// SO_LINGER off: the kernel goes on sending after the close, for as long as tcp_orphan_retries lets it.
    static const lingering background;
    /// SO_LINGER on with time 0: RST at once, the send queue is discarded, no TIME-WAIT anywhere.
    static const lingering abort;
    /// The close takes up to `time` for the peer to acknowledge every byte and our FIN.
    /** Whole seconds, 1 s and more, since SO_LINGER counts seconds. The asynchronous close never sets a positive
     *  SO_LINGER: with one, close(2) blocks the thread even on a non-blocking socket (inet_release). */
    static constexpr lingering until_acked(milliseconds time) noexcept { return {mode::until_acked, time}; }

    mode how = mode::background;
    milliseconds time{};

    friend constexpr bool operator==(const lingering&, const lingering&) noexcept = default;
};

inline constexpr lingering lingering::background{mode::background, {}};
inline constexpr lingering lingering::abort{mode::abort, {}};

/// TCP_LINGER2: how long an orphan of ours (no descriptor left) may stay in FIN-WAIT-2.
/** It has nothing to do with TIME-WAIT, whose 60 s are a constant of the kernel, nor with a socket that is still open,
 *  which stays in FIN-WAIT-2 without end. Converts from a duration of 1 to 60 whole seconds: above 60 the kernel gives
 *  2·(n−60) s and not n (tcp_keepalive_timer). */
struct fin_wait2 {
    enum class mode : std::uint8_t { system, skip, timed };

    /// The host's tcp_fin_timeout governs.
    static const fin_wait2 system;
    /// TCP_LINGER2 = -1: RST as soon as the peer has acknowledged our FIN; no FIN-WAIT-2, no TIME-WAIT.
    static const fin_wait2 skip;

    constexpr fin_wait2() noexcept = default;
    template <class Rep, class Period>
    constexpr fin_wait2(std::chrono::duration<Rep, Period> d) noexcept : how(mode::timed), time(d) {}
    constexpr fin_wait2(milliseconds d) noexcept : how(mode::timed), time(d) {}

    mode how = mode::system;
    milliseconds time{};

    friend constexpr bool operator==(const fin_wait2&, const fin_wait2&) noexcept = default;

private:
    constexpr explicit fin_wait2(mode m) noexcept : how(m) {}
};

inline constexpr fin_wait2 fin_wait2::system{mode::system};
inline constexpr fin_wait2 fin_wait2::skip{mode::skip};

/// How a connection ends, as one value: a template argument of stream and acceptor, or an argument at run time.
/** State with designated initialisers what differs from the default. A contradiction does not compile when the policy
 *  is a template argument; contradiction() finds it in a value. Thread safety: a plain value. */
struct close_policy {
    /// Who should send the first FIN. side::local half-closes at once; side::peer waits for the peer's FIN.
    side closes_first = side::local;
    /// side::peer only: how long to wait for the peer's FIN; above 0.
    milliseconds patience{30'000};
    lingering linger = lingering::background;
    fin_wait2 linger2 = fin_wait2::system;
    /// SO_REUSEADDR on what binds. A restart needs it on the old *and* on the new listener (inet_bind_conflict).
    bool reuse_address = true;
    /// How long the half-closed side reads and discards until the peer's FIN. 0 together with drain_bytes = 0: no
    /// draining, a plain close(2), which answers unread input with RST.
    milliseconds drain_time{5'000};
    /// How many bytes it discards at most; one more from the peer is over the limit.
    std::uint64_t drain_bytes = 1u << 20;
    limit_action on_limit = limit_action::keep_side;
    destroy_action on_destroy = destroy_action::finish;

    friend constexpr bool operator==(const close_policy&, const close_policy&) noexcept = default;
};

/// What limit_action::keep_side means under this policy; any other on_limit as it stands.
constexpr limit_action resolved_on_limit(const close_policy& p) noexcept {
    if (p.on_limit != limit_action::keep_side) return p.on_limit;
    return p.closes_first == side::local ? limit_action::close : limit_action::abort;
}

/// Some way out under this policy can leave the connection in TIME-WAIT on this host.
constexpr bool can_hold_time_wait(const close_policy& p) noexcept {
    if (p.linger == lingering::abort) return false;
    return p.closes_first == side::local || resolved_on_limit(p) == limit_action::close ||
           p.on_destroy == destroy_action::close;
}

} // namespace closeside

#endif
