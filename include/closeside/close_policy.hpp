// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSE_POLICY_HPP
#define CLOSESIDE_CLOSE_POLICY_HPP

#include <closeside/detail/refusal.hpp>
#include <closeside/duration.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>

namespace closeside {

namespace detail {

template <class T>
concept number = std::is_arithmetic_v<T>;

/// What a first attempt gives to linger: a duration, a number, a bool, or Asio's option.
template <class T>
concept no_linger = number<T> || std::is_convertible_v<T, close_duration> || requires(const T& asios) {
    asios.enabled();
    asios.timeout();
};

} // namespace detail

/// For drain_bytes: however much the peer sends.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// An end of a connection, seen from this program.
enum class side : std::uint8_t {
    local, ///< this end: active close, so TIME-WAIT stays on this host
    peer   ///< the other end: passive close here, so TIME-WAIT stays over there
};

/// What follows when a limit runs out, a close is cancelled, or its context is destroyed.
enum class limit_action : std::uint8_t {
    /// After patience our FIN, then the drain. After the drain, and when nobody waits any more: what has arrived is
    /// discarded, then close(2), so that the kernel goes on sending what is queued and linger2 governs.
    close,
    /// RST; queued data is lost and nobody holds TIME-WAIT.
    abort
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
    /// Which of the three it is.
    enum class mode : std::uint8_t { background, abort, until_acked };

    /// SO_LINGER off: the kernel goes on sending after the close, for as long as tcp_orphan_retries lets it.
    static const lingering background;
    /// SO_LINGER on with time 0: RST at once, the send queue is discarded, no TIME-WAIT anywhere.
    static const lingering abort;
    /// The close takes up to `time` for the peer to acknowledge every byte and our FIN.
    /** Whole seconds, 1 s and more, since SO_LINGER counts seconds. The asynchronous close never sets a positive
     *  SO_LINGER: with one, close(2) blocks the thread even on a non-blocking socket (inet_release). Progress does not
     *  extend it. */
    static constexpr lingering until_acked(close_duration time) noexcept { return {mode::until_acked, time}; }

    constexpr lingering() noexcept = default;
    /// As `how` and `time` say.
    constexpr lingering(mode m, close_duration t = {}) noexcept : how(m), time(t) {}
    // clang-format off
    CLOSESIDE_REFUSED("write lingering::background, lingering::abort or lingering::until_acked(5s) for linger; a time for "
                      "FIN-WAIT-2 is linger2, one for the drain is drain_time", detail::no_linger T)
    constexpr lingering(const T&) noexcept CLOSESIDE_REFUSED_CONSTANT;
    CLOSESIDE_REFUSED("write lingering::until_acked(5s) for the linger {true, 5}, lingering::abort for {true, 0}, "
                      "lingering::background for {false, 0}", detail::number OnOff, class T)
    constexpr lingering(OnOff, const T&) noexcept CLOSESIDE_REFUSED_CONSTANT;
    // clang-format on

    /// Which of the three it is.
    mode how = mode::background;
    close_duration time{}; ///< until_acked alone

    friend constexpr bool operator==(const lingering&, const lingering&) noexcept = default;
};

inline constexpr lingering lingering::background{mode::background, {}};
inline constexpr lingering lingering::abort{mode::abort, {}};

/// TCP_LINGER2: how long an orphan of ours (no descriptor left) may stay in FIN-WAIT-2.
/** It has nothing to do with TIME-WAIT, whose 60 s are a constant of the kernel, nor with a socket that is still open,
 *  which stays in FIN-WAIT-2 without end. Converts from a duration of 1 to 60 whole seconds: above 60 the kernel gives
 *  2·(n−60) s and not n (tcp_keepalive_timer). */
struct fin_wait2 {
    /// Which of the three it is.
    enum class mode : std::uint8_t { system, skip, timed };

    /// Left alone, so that the host's tcp_fin_timeout governs. For one close under another policy than the type's it
    /// takes back what the type has set.
    static const fin_wait2 system;
    /// TCP_LINGER2 = -1: RST as soon as the peer has acknowledged our FIN; no FIN-WAIT-2, no TIME-WAIT.
    static const fin_wait2 skip;

    constexpr fin_wait2() noexcept = default;
    /// The orphan leaves FIN-WAIT-2 after this time: 1 to 60 whole seconds.
    template <class Rep, class Period>
    constexpr fin_wait2(std::chrono::duration<Rep, Period> d) noexcept : how(mode::timed), time(d) {}
    constexpr fin_wait2(close_duration d) noexcept : how(mode::timed), time(d) {}
    // clang-format off
    CLOSESIDE_REFUSED("write linger2 with its unit, as 10s; fin_wait2::skip is TCP_LINGER2 = -1, fin_wait2::system its 0",
                      detail::number T)
    constexpr fin_wait2(T) noexcept CLOSESIDE_REFUSED_CONSTANT;
    // clang-format on

    /// Which of the three it is.
    mode how = mode::system;
    close_duration time{}; ///< timed alone

    friend constexpr bool operator==(const fin_wait2&, const fin_wait2&) noexcept = default;

private:
    constexpr explicit fin_wait2(mode m) noexcept : how(m) {}
};

inline constexpr fin_wait2 fin_wait2::system{mode::system};
inline constexpr fin_wait2 fin_wait2::skip{mode::skip};

/// How a connection ends, as one value: a template argument of stream and acceptor, or an argument at run time.
/** State with designated initialisers, in the order of declaration, what differs from the default. A contradiction does
 *  not compile if the policy is a template argument; contradiction() finds it in a value.
 *
 *  Patience and drain_time bound the time without progress, not the time that a slow reader takes: they run from the
 *  peer's last acknowledgement of more bytes, or from the start of their phase if that is later. When one is over, one
 *  look at the connection decides whether to wait anew; so a silent peer costs the limit, any other at most twice the
 *  limit after its last progress. Durations saturate: std::chrono::milliseconds::max() waits for ever. Thread safety: a
 *  plain value.
 */
struct close_policy {
    /// Who should send the first FIN. side::local half-closes at once; side::peer waits for the peer's FIN.
    side closes_first = side::local;
    /// side::peer only: how long to wait for the peer's FIN; above 0. For peers that the protocol has told of the end.
    /** A peer that sends on, with every byte of ours acknowledged, has not been told, or does not mind: it has 200 ms
     *  from then to send its FIN. */
    close_duration patience{2'000};
    /// SO_LINGER: what the close does about data that the peer has not acknowledged.
    lingering linger = lingering::background;
    /// TCP_LINGER2: how long an orphan of ours may stay in FIN-WAIT-2.
    fin_wait2 linger2 = fin_wait2::system;
    /// SO_REUSEADDR on what binds. A restart needs it on the old *and* on the new listener (inet_bind_conflict).
    bool reuse_address = true;
    /// How long the half-closed side reads and discards until the peer's FIN. 0: no draining, a plain close(2), which
    /// answers unread input with RST.
    close_duration drain_time{30'000};
    /// How long of it may pass without a byte from the peer, once all of ours is acknowledged; above 0. At or above
    /// drain_time it never acts.
    close_duration drain_idle{5'000};
    /// How many bytes it discards at most; one more from the peer is over the limit.
    std::uint64_t drain_bytes = unlimited;
    /// What follows when a limit runs out, a close is cancelled, or its context is destroyed.
    limit_action on_limit = limit_action::close;
    /// How a connection ends that is dropped without async_close.
    destroy_action on_destroy = destroy_action::finish;

    friend constexpr bool operator==(const close_policy&, const close_policy&) noexcept = default;
};

/// Some way out under this policy can leave the connection in TIME-WAIT on this host.
constexpr bool can_hold_time_wait(const close_policy& p) noexcept {
    if (p.linger == lingering::abort) return false;
    return p.closes_first == side::local || p.on_limit == limit_action::close || p.on_destroy == destroy_action::close;
}

} // namespace closeside

#endif
