// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP
#define CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/brief_mutex.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/listen/accepted.hpp>
#include <closeside/detail/listen/backlog_guess.hpp>
#include <closeside/detail/listen/option_view.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What an acceptor and its pending accepts share: it outlives an acceptor that is destroyed before they complete.
template <class Executor>
class listener_state {
public:
    using acceptor_type = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
    using timer_type =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    /// Closed.
    listener_state(const Executor& executor, const close_policy& p);
    listener_state(const listener_state&) = delete;
    listener_state& operator=(const listener_state&) = delete;
    ~listener_state();

    /// What `other` has, on another executor; the accepts that are pending there are cancelled.
    template <class Other>
    void take_from(listener_state<Other>& other);

    /// Opens a socket with the policy's options, or names the call that has failed.
    const char* open(const asio::ip::tcp& protocol, error_code& ec, std::string* cure = nullptr);

    void listen(const asio::ip::tcp::endpoint& endpoint, int length, std::span<const option_view> options);

    /// What set_options_of_listener has checked. Throws, and the descriptor stays the caller's.
    void adopt(const asio::ip::tcp& protocol, int descriptor);

    /// With an error the descriptor stays the caller's.
    void assign(const asio::ip::tcp& protocol, int descriptor, error_code& ec);

    /// If nobody has called close: a listener of the process that this one was forked from stays as it is.
    void drop() noexcept;

    void close(error_code& ec) noexcept;

    void cancel(error_code& ec) noexcept;

    int release(error_code& ec) noexcept;

    close_deadlines& deadlines() const noexcept { return deadlines_; }

    /// An accepted descriptor, or -1 with the reason in `ec`, as a connection.
    accepted settle(int fd, const error_code& ec) noexcept;

    /// What accept() does.
    accepted accept_now(asio::ip::tcp::endpoint* peer, error_code ec) noexcept;

    /// Asio's enable_connection_aborted, which Asio alone keeps.
    bool tells_aborted() const noexcept;

    /// accept4 blocks unless the listener is non-blocking, and Asio believes it only of what it has made so itself.
    void ensure_non_blocking(error_code& ec);

    /// Changes with every cancel, close and release: what was begun before is aborted.
    std::uint32_t generation() const noexcept { return generation_; }

private:
    // First: Asio looks for the service of the sockets on every accept, and finds what was made last before the others.
    close_deadlines& deadlines_;

public:
    timer_type pause;
    acceptor_type acceptor;
    backlog_guess backlog;
    brief_mutex mutex; ///< several accepts may be under way on several threads

    /// Do handlers without an executor of their own run on the thread where the acceptor's waits end?
    bool runs_where_waits_end() const noexcept { return runs_where_waits_end_; }

private:
    template <class>
    friend class listener_state;

    void now_has(const asio::ip::tcp& protocol, std::uint32_t queued);

    void cancel_pending();

    template <class End>
    void end(End end_acceptor) noexcept;

    /// Has the next connection inherited the options of an adopted listener's former owner?
    bool has_other_options() noexcept;

    const bool runs_where_waits_end_;
    const close_policy policy_; ///< of accepted connections
    asio::ip::tcp protocol_ = asio::ip::tcp::v4();
    std::uint32_t queued_before_ = 0;
    std::uint32_t generation_ = 0;
};

template <class Executor>
std::shared_ptr<listener_state<Executor>> make_listener_state(const Executor& executor, const close_policy& p);

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/listen/impl/listener_state.hpp>

#endif
