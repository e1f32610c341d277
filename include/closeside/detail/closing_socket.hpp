// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSING_SOCKET_HPP
#define CLOSESIDE_DETAIL_CLOSING_SOCKET_HPP

#include <closeside/detail/close_machine.hpp>
#include <closeside/detail/tcp_socket.hpp>
#include <closeside/error.hpp>

#include <asio/error.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace closeside::detail {

/// A socket whose close has begun: carries out the machine's actions up to the next wait.
/** Dropped before its end, it stops waiting and does what on_limit says, so no way out leaves the connection to Asio's
 *  destructor. Nothing here blocks or throws. */
template <class Socket>
class closing_socket {
public:
    using clock = std::chrono::steady_clock;

    closing_socket(Socket&& socket, const close_policy& policy) noexcept
        : socket_(std::move(socket)), machine_(policy) {}

    closing_socket(closing_socket&&) = default;
    closing_socket& operator=(closing_socket&&) = delete;

    ~closing_socket() {
        if (!socket_.is_open()) return;
        tell_nobody();
        if (!begun_) begin();
        if (socket_.is_open()) advance({close_event::kind::cancelled});
    }

    /// The report is for nobody, so nothing is asked of the kernel for it; error() and report() mean nothing then.
    void tell_nobody() noexcept { told_ = false; }

    /// Both return the next wait, or `done`.
    close_action begin() noexcept {
        begun_ = true;
        started_ = clock::now();
        return perform(machine_.start(), {});
    }
    close_action advance(const close_event& e) noexcept {
        const milliseconds now = since_start(clock::now());
        return perform(machine_.step(noted(e), now), now);
    }

    clock::time_point at(milliseconds since_start) const noexcept {
        const auto room = clock::time_point::max() - started_;
        const std::chrono::milliseconds wanted = since_start;
        return wanted < room ? started_ + wanted : clock::time_point::max();
    }

    milliseconds since_start(clock::time_point t) const noexcept {
        return milliseconds{std::chrono::duration_cast<std::chrono::milliseconds>(t - started_).count()};
    }

    /// To be called before each wait for input: let fewer bytes wake nobody. A FIN or RST always wakes.
    void wake_for(std::uint64_t bytes) noexcept {
        const auto mark = static_cast<int>(bytes); // a quota at most
        if (mark == low_water_) return;
        low_water_ = tcp_socket::set_low_water(socket_.native_handle(), mark) ? mark : 1;
    }

    close_report report() const noexcept {
        close_report r = machine_.report();
        r.elapsed = elapsed_;
        return r;
    }

    asio::error_code error() const noexcept {
        switch (machine_.outcome()) {
        case close_outcome::kept: break;
        case close_outcome::patience_over: return closeside::error::patience_over;
        case close_outcome::drain_time_over: return closeside::error::drain_time_over;
        case close_outcome::drain_bytes_over: return closeside::error::drain_bytes_over;
        case close_outcome::linger_over: return closeside::error::linger_over;
        case close_outcome::cancelled: return closeside::error::cancelled;
        case close_outcome::reset_by_peer: return closeside::error::reset_by_peer;
        case close_outcome::failed: return {errno_, asio::error::get_system_category()};
        }
        return {};
    }

    Socket& socket() noexcept { return socket_; }

private:
    using action = close_action::kind;

    /// From one wait to the next; nothing in between blocks, so that the time is looked up once.
    close_action perform(close_action next, milliseconds now) noexcept {
        while (next.what < action::wait_readable || next.what == action::close || next.what == action::abort)
            next = machine_.step(carry_out(next), now);
        return next;
    }

    close_event carry_out(const close_action& a) noexcept {
        const int fd = socket_.native_handle();
        switch (a.what) {
        case action::half_close: return noted(tcp_socket::half_close(fd, told_ && !no_fin_yet_, told_));
        case action::receive: return noted(tcp_socket::receive(fd, a.bytes));
        case action::peek: return noted(tcp_socket::peek(fd));
        default: return release(fd, a.what == action::abort);
        }
    }

    const close_event& noted(const close_event& e) noexcept {
        no_fin_yet_ = e.what == close_event::kind::would_block;
        if (e.what == close_event::kind::half_closed) our_fin_ = true;
        if (e.what == close_event::kind::end_of_file) at_eof_ = true;
        if (e.what == close_event::kind::failed) errno_ = errno;
        // The look that told of it has taken the error off the socket, which must not pass for an orderly end.
        if (e.what == close_event::kind::reset || e.what == close_event::kind::failed) at_eof_ = false;
        return e;
    }

    close_event release(int fd, bool abort) noexcept {
        const last_sample last = told_ ? tcp_socket::sample(fd, our_fin_, at_eof_, abort) : last_sample{};
        if (last.failure != 0) errno_ = last.failure;
        if (abort) tcp_socket::set_linger(fd, true);
        // close() and not the destructor: Asio's destructor would first take back an SO_LINGER that Asio has seen set.
        asio::error_code ignored;
        socket_.close(ignored);
        if (told_) elapsed_ = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - started_);
        return {.what = close_event::kind::released, .last = last};
    }

    Socket socket_;
    close_machine machine_;
    clock::time_point started_{};
    std::chrono::microseconds elapsed_{};
    int low_water_ = 1;
    int errno_ = 0;
    bool told_ = true;
    bool begun_ = false;
    bool our_fin_ = false;
    bool at_eof_ = false;
    bool no_fin_yet_ = false; ///< as the last look showed
};

} // namespace closeside::detail

#endif
