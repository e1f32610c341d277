// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_EVENT_HPP
#define CLOSESIDE_DETAIL_CLOSE_EVENT_HPP

#include <closeside/detail/kernel/tcp_state.hpp>
#include <closeside/duration.hpp>

#include <cerrno>
#include <cstdint>

namespace closeside::detail {

/// What the closing machine wants done next. Every action is answered with one event.
struct close_action {
    enum class kind : std::uint8_t {
        half_close,          ///< shutdown(SHUT_WR)             -> half_closed, reset, failed, not_connected, gone
        receive,             ///< read and discard up to `bytes` -> received, end_of_file, would_block, reset, failed
        peek,                ///< is there a byte beyond the limit? -> the same; received means there is
        send,                ///< the last `bytes` of the program -> sent, would_block, cannot_send, reset, failed
        look,                ///< at the whole connection; with `bytes` to compare with the last look -> looked()
        look_state,          ///< at its state alone            -> state
        look_unacknowledged, ///< SIOCOUTQ alone                -> unacknowledged
        close,               ///< sample the connection, close(2) -> released()
        abort,               ///< sample, RST, close(2)         -> released()
        // Waits, each until its event or `until`; any may end with timer, cancelled or shed.
        wait_readable, ///< `bytes` are there, or FIN, or RST   -> readable
        wait_writable, ///< there is room                       -> writable
        wait_acked,    ///< the peer has all, and our FIN       -> acked, reset, failed
        wait_fin,      ///< the peer's FIN, if reading has been shut down -> state
        done           ///< nothing: report() and error() are final
    };

    kind what = kind::done;
    std::uint32_t bytes = 0;
    close_duration until{};

    /// To be done at once, and not waited for?
    constexpr bool is_call() const noexcept { return what < kind::wait_readable; }
    constexpr bool releases() const noexcept { return what == kind::close || what == kind::abort; }
    /// By a descriptor of its own, since poll(2) has no event for it?
    constexpr bool waits_for_change() const noexcept { return what == kind::wait_acked || what == kind::wait_fin; }

    friend constexpr bool operator==(const close_action&, const close_action&) noexcept = default;
};

/// What happened. It travels in registers; what a look or the last sample shows has functions of its own.
struct close_event {
    enum class kind : std::uint8_t {
        half_closed,   ///< with the state just before and just after shutdown(SHUT_WR)
        received,      ///< `bytes` were discarded
        end_of_file,   ///< the peer's FIN, or shutdown(SHUT_RD) of our own
        reset,         ///< the peer's RST
        failed,        ///< the connection is gone for another reason
        not_connected, ///< it never was there
        gone,          ///< it is in CLOSE; what is left of it will be sampled
        would_block,
        sent, ///< `bytes` of the last ones are in the send queue
        cannot_send,
        state,          ///< `after`
        unacknowledged, ///< `bytes` of ours, without the FIN
        readable,
        writable,
        timer,
        cancelled, ///< stop waiting, do what on_limit says
        shed,      ///< the same, to make room for others
        acked      ///< the peer has acknowledged every byte and our FIN
    };

    kind what;
    tcp_state before = tcp_state::unknown;
    tcp_state after = tcp_state::unknown;
    bool reading_shut = false; ///< half_closed: by the program, so that end of file stands for no FIN
    int error = 0;             ///< errno, of reset and failed
    std::uint64_t bytes = 0;
};
static_assert(sizeof(close_action) == 16 && sizeof(close_event) == 16);

/// errno of a call on the connection, as an event.
constexpr close_event event_of_error(int error) noexcept {
    using kind = close_event::kind;
    switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
        return {kind::would_block};
    case ECONNRESET:
    case EPIPE: return {.what = kind::reset, .error = error}; // EPIPE: it came in CLOSE-WAIT (tcp_reset)
    case ENOTCONN: return {kind::not_connected};
    default: return {.what = kind::failed, .error = error};
    }
}

} // namespace closeside::detail

#endif
