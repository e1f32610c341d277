// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CLOSING_SOCKET_HPP
#define CLOSESIDE_DETAIL_CLOSE_CLOSING_SOCKET_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/loop.hpp>
#include <closeside/detail/kernel/multipath.hpp>
#include <closeside/error.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A socket whose close has begun: the closing loop with a descriptor and a clock.
/** Dropped before its end, it stops waiting and does what on_limit says, so no way out leaves the connection to Asio's
 *  destructor. Nothing here blocks or throws. */
template <class Socket>
class closing_socket {
public:
    using clock = std::chrono::steady_clock;

    closing_socket(Socket&& socket, const close_policy& policy, const close_manner& manner) noexcept
        : socket_(std::move(socket)), loop_(policy, manner), option_error_(manner.option_error),
          linger2_(manner.linger2) {}

    closing_socket(closing_socket&&) = default;
    closing_socket& operator=(closing_socket&&) = delete;

    ~closing_socket() {
        if (!socket_.is_open()) return;
        if (is_inherited(socket_)) disown(socket_);
        if (!begun_ && socket_.is_open()) begin();
        if (socket_.is_open()) advance({close_event::kind::cancelled});
    }

    /// Both return the next wait, or `done`.
    close_action begin() noexcept {
        begun_ = true;
        started_ = clock::now();
        if (multipath_in_use()) loop_.look_for_multipath();
        return perform(loop_.start(), {});
    }
    close_action advance(close_event e) noexcept {
        const close_duration now = since_start(clock::now());
        return perform(loop_.step(e, now), now);
    }

    /// `wait`, or what follows if it is over already; for close_action::waits_for_change().
    close_action unless_changed(close_action wait) noexcept {
        const close_duration now = since_start(clock::now());
        return perform(loop_.unless_changed(socket_.native_handle(), wait, now), now);
    }

    clock::time_point at(close_duration since_start) const noexcept {
        const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(clock::time_point::max() - started_);
        return since_start.count < room.count() ? started_ + std::chrono::milliseconds(since_start)
                                                : clock::time_point::max();
    }

    close_duration since_start(clock::time_point t) const noexcept {
        return close_duration{std::chrono::duration_cast<std::chrono::milliseconds>(t - started_).count()};
    }

    /// To be called before each wait for input: let fewer bytes wake nobody. A FIN or RST always wakes.
    void wake_for(std::uint32_t bytes) noexcept {
        const auto mark = static_cast<int>(bytes); // a quota at most
        if (mark == low_water_) return;
        low_water_ = tcp_socket::set_low_water(socket_.native_handle(), mark) ? mark : 1;
    }

    close_report report() const noexcept {
        close_report r = loop_.report();
        r.elapsed = elapsed_;
        return r;
    }

    /// `r`: report().
    error_code error(const close_report& r) const noexcept {
        const close_error e = loop_.error(r);
        if (e.ours != closeside::error{}) return e.ours;
        const int system = e.system != 0 ? e.system : option_error_;
        // Asio's category is not the one of an error code that says nothing.
        return system != 0 ? error_code(system, asio::error::get_system_category()) : error_code();
    }

    Socket& socket() noexcept { return socket_; }

private:
    /// From one wait to the next; nothing in between blocks, so that the time is looked up once.
    close_action perform(close_action next, close_duration now) noexcept {
        while (next.is_call()) {
            const bool aborts = next.what == close_action::kind::abort;
            next = loop_.call(socket_.native_handle(), next, now, [this, aborts] { release(aborts); });
        }
        return next;
    }

    void release(bool aborts) noexcept {
        if (linger2_ != 0 && !aborts && loop_.can_leave_orphan())
            tcp_socket::set_linger2(socket_.native_handle(), linger2_);
        // close() and not the destructor: Asio's destructor would first take back an SO_LINGER that Asio has seen set.
        error_code ignored;
        socket_.close(ignored);
        if (loop_.wants_report())
            elapsed_ = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - started_);
    }

    Socket socket_;
    close_loop<> loop_;
    clock::time_point started_{};
    std::chrono::microseconds elapsed_{};
    int option_error_;
    int linger2_;
    int low_water_ = 1;
    bool begun_ = false;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
