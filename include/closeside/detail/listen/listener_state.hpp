// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP
#define CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>
#include <closeside/detail/listen/backlog_guess.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/option_view.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What an acceptor and its pending accepts share: it outlives an acceptor that is destroyed before they complete.
template <class Executor>
class listener_state {
public:
    using socket_type = asio::basic_stream_socket<asio::ip::tcp, Executor>;
    using timer_type =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    /// Not listening.
    listener_state(const Executor& executor, const asio::ip::tcp& p, const close_policy& accepted)
        : acceptor(executor), pause(executor), protocol(p), deadlines_(close_deadlines::of(executor)),
          policy_(accepted) {}
    listener_state(const listener_state&) = delete;
    listener_state& operator=(const listener_state&) = delete;
    ~listener_state() {
        if (acceptor.is_open() && is_inherited(acceptor)) disown(acceptor);
    }

    static std::shared_ptr<listener_state> listen(const Executor& executor, const asio::ip::tcp::endpoint& endpoint,
                                                  const close_policy& accepted, int backlog,
                                                  std::span<const option_view> options) {
        auto state = std::make_shared<listener_state>(executor, endpoint.protocol(), accepted);
        owned_descriptor listener = open_listener(endpoint, accepted, backlog, options);
        state->acceptor.assign(endpoint.protocol(), listener.get());
        listener.release();
        return state;
    }

    static std::shared_ptr<listener_state> adopt(const Executor& executor, int descriptor,
                                                 const close_policy& accepted) {
        const asio::ip::tcp::endpoint local = set_options_of_listener(descriptor, accepted);
        auto state = std::make_shared<listener_state>(executor, local.protocol(), accepted);
        error_code ec;
        state->acceptor.assign(local.protocol(), descriptor, ec);
        if (ec) throw system_error(ec, "adopt descriptor " + std::to_string(descriptor));
        state->queued_before_ = accept_queue_length(descriptor);
        return state;
    }

    /// If nobody has called close: a listener of the process that this one was forked from stays as it is.
    void drop() noexcept {
        if (acceptor.is_open() && is_inherited(acceptor))
            end([this] { disown(acceptor); });
        else
            close();
    }

    void close() noexcept {
        end([this] {
            error_code ignored;
            acceptor.close(ignored);
        });
    }

    int release() {
        const std::lock_guard lock(mutex);
        pause.cancel();
        return acceptor.release();
    }

    close_deadlines& deadlines() const noexcept { return deadlines_; }

    /// An accepted descriptor, or -1 with the reason in `ec`, as a socket.
    socket_type to_socket(int fd, error_code& ec) {
        socket_type socket(acceptor.get_executor());
        owned_descriptor descriptor(fd);
        if (!ec && has_other_options() && !set_inherited_options(fd, policy_))
            ec.assign(errno, asio::error::get_system_category());
        try {
            if (!ec) socket.assign(protocol, fd, ec);
        } catch (const std::bad_alloc&) {
            ec = asio::error::no_memory;
        }
        if (!ec)
            descriptor.release();
        else if (descriptor && policy_.on_limit == limit_action::abort)
            tcp_socket::set_linger(fd, true); // nothing can wait for the peer's FIN
        if (fd >= 0) deadlines_.take_over();
        return socket;
    }

    asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
    timer_type pause;
    const asio::ip::tcp protocol;
    backlog_guess backlog;
    std::mutex mutex; ///< several accepts may be under way on several threads

private:
    template <class End>
    void end(End end_acceptor) noexcept try {
        const std::lock_guard lock(mutex);
        end_acceptor();
        pause.cancel();
    } catch (...) {
        // Neither the lock nor a timer's cancel() fails on Linux.
    }

    /// Has the next connection inherited the options of an adopted listener's former owner?
    bool has_other_options() noexcept {
        if (queued_before_ == 0) return false;
        --queued_before_;
        return true;
    }

    close_deadlines& deadlines_;
    const close_policy policy_; ///< of accepted connections
    std::uint32_t queued_before_ = 0;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
