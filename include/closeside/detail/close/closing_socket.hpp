// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CLOSING_SOCKET_HPP
#define CLOSESIDE_DETAIL_CLOSE_CLOSING_SOCKET_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/loop.hpp>
#include <closeside/error.hpp>
#include <closeside/last_bytes.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

class close_deadlines;

/// A socket whose close has begun: the closing loop with a descriptor and a clock.
/** Dropped before its end, it stops waiting and does what on_limit says, so no way out leaves the connection to Asio's
 *  destructor. Nothing here blocks or throws. */
template <class Socket>
class closing_socket {
public:
    using clock = std::chrono::steady_clock;

    /// `last_bytes`: as many as `manner` says.
    closing_socket(Socket&& socket, const close_policy& policy, const close_manner& manner,
                   last_bytes_memory last_bytes = {}) noexcept;

    closing_socket(closing_socket&&) noexcept;
    closing_socket& operator=(closing_socket&&) = delete;

    ~closing_socket();

    /// Both return the next wait, or `done`.
    close_action begin() noexcept;
    close_action advance(close_event e) noexcept;

    /// `wait`, or what follows if it is over already; for close_action::waits_for_change().
    close_action unless_changed(close_action wait) noexcept;

    clock::time_point at(close_duration since_start) const noexcept;

    close_duration since_start(clock::time_point t) const noexcept;

    /// To be called before each wait for input: let fewer bytes wake nobody. A FIN or RST always wakes.
    void wake_for(std::uint32_t bytes) noexcept;

    /// The first call after the end counts it and tells of it, if anybody has asked; otherwise the destructor does.
    /** `known`: of the socket's context, where the caller has them; else they are looked up. */
    close_report report(close_deadlines* known = nullptr) noexcept;
    /// The same, where nobody waits for the report.
    void count_end(close_deadlines* known = nullptr) noexcept;

    /// `r`: report().
    error_code error(const close_report& r) const noexcept;

    Socket& socket() noexcept { return socket_; }

private:
    /// From one wait to the next; nothing in between blocks, so that the time is looked up once.
    close_action perform(close_action next, close_duration now) noexcept;

    void release(bool aborts, close_duration now) noexcept;

    /// As the destructor does with a connection that is still there.
    void cut() noexcept;

    void count(const close_report& r, close_deadlines* known) noexcept;

    /// What is moved from counts nothing.
    struct pending {
        pending() = default;
        pending(pending&& other) noexcept : is(std::exchange(other.is, false)) {}
        bool is = false;
    };

    Socket socket_;
    last_bytes_memory last_bytes_; ///< until they are sent
    close_loop<> loop_;
    clock::time_point started_{};
    std::chrono::microseconds elapsed_{};
    int option_error_;
    int linger2_;
    int low_water_ = 1;
    bool begun_ = false;
    pending count_; ///< of the end, later, since whoever ends it may hold a mutex
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/closing_socket.hpp>

#endif
