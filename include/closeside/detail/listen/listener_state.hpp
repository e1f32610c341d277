// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP
#define CLOSESIDE_DETAIL_LISTEN_LISTENER_STATE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/listen/accepted.hpp>
#include <closeside/detail/listen/backlog_guess.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/option_view.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What an acceptor and its pending accepts share: it outlives an acceptor that is destroyed before they complete.
template <class Executor>
class listener_state {
public:
    using acceptor_type = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
    using timer_type =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    /// Closed.
    listener_state(const Executor& executor, const close_policy& p)
        : acceptor(executor), pause(executor), deadlines_(close_deadlines::of(executor)), policy_(p) {}
    listener_state(const listener_state&) = delete;
    listener_state& operator=(const listener_state&) = delete;
    ~listener_state() {
        if (acceptor.is_open() && is_inherited(acceptor)) disown(acceptor);
    }

    /// What `other` has, on another executor; the accepts that are pending there are cancelled.
    template <class Other>
    void take_from(listener_state<Other>& other) {
        const std::scoped_lock lock(mutex, other.mutex);
        other.cancel_pending();
        acceptor = std::move(other.acceptor);
        protocol_ = other.protocol_;
        queued_before_ = std::exchange(other.queued_before_, 0);
    }

    /// Opens a socket with the policy's options, or names the call that has failed.
    const char* open(const asio::ip::tcp& protocol, error_code& ec, std::string* cure = nullptr) {
        const std::lock_guard lock(mutex);
        if (acceptor.is_open()) {
            ec = asio::error::already_open;
            return "open";
        }
        new_listener listener = open_socket(protocol, policy_);
        if (listener.failed != nullptr) {
            ec.assign(listener.error, asio::error::get_system_category());
            if (cure != nullptr) *cure = cure_of_options(listener.fd.get(), policy_);
            return listener.failed;
        }
        acceptor.assign(protocol, listener.fd.get(), ec);
        if (ec) return "assign";
        listener.fd.release();
        now_has(protocol, 0);
        return nullptr;
    }

    void listen(const asio::ip::tcp::endpoint& endpoint, int length, std::span<const option_view> options) {
        owned_descriptor listener = open_listener(endpoint, policy_, length, options);
        acceptor.assign(endpoint.protocol(), listener.get());
        listener.release();
        now_has(endpoint.protocol(), 0);
    }

    /// What set_options_of_listener has checked. Throws, and the descriptor stays the caller's.
    void adopt(const asio::ip::tcp& protocol, int descriptor) {
        error_code ec;
        acceptor.assign(protocol, descriptor, ec);
        if (ec) throw system_error(ec, "adopt descriptor " + std::to_string(descriptor));
        now_has(protocol, accept_queue_length(descriptor));
    }

    /// With an error the descriptor stays the caller's.
    void assign(const asio::ip::tcp& protocol, int descriptor, error_code& ec) {
        const std::lock_guard lock(mutex);
        if (acceptor.is_open())
            ec = asio::error::already_open;
        else if (const int error = set_options_of_future_listener(descriptor, policy_))
            ec.assign(error, asio::error::get_system_category());
        else
            acceptor.assign(protocol, descriptor, ec);
        if (!ec) now_has(protocol, accept_queue_length(descriptor));
    }

    /// If nobody has called close: a listener of the process that this one was forked from stays as it is.
    void drop() noexcept {
        if (acceptor.is_open() && is_inherited(acceptor))
            end([this] { disown(acceptor); });
        else
            end([this] {
                error_code ignored;
                acceptor.close(ignored);
            });
    }

    void close(error_code& ec) noexcept {
        end([&] { acceptor.close(ec); });
    }

    void cancel(error_code& ec) noexcept {
        end([&] { acceptor.cancel(ec); });
    }

    int release(error_code& ec) noexcept {
        int descriptor = -1;
        end([&] { descriptor = acceptor.release(ec); });
        return descriptor;
    }

    close_deadlines& deadlines() const noexcept { return deadlines_; }

    /// An accepted descriptor, or -1 with the reason in `ec`, as a connection.
    accepted settle(int fd, const error_code& ec) noexcept {
        accepted connection{owned_descriptor(fd), ec, protocol_, &deadlines_, policy_.on_limit == limit_action::abort};
        if (fd < 0) return connection;
        deadlines_.take_over();
        if (has_other_options() && !set_inherited_options(fd, policy_))
            connection.ec.assign(errno, asio::error::get_system_category());
        return connection;
    }

    /// What accept() does.
    accepted accept_now(asio::ip::tcp::endpoint* peer, error_code ec) noexcept {
        if (ec) return settle(-1, ec);
        const int listener = acceptor.is_open() ? acceptor.native_handle() : -1;
        const int fd =
            accept_blocking(listener, ec, peer, {.waits = !acceptor.non_blocking(), .tells_aborted = tells_aborted()});
        return settle(fd, ec);
    }

    /// Asio's enable_connection_aborted, which Asio alone keeps.
    bool tells_aborted() const noexcept {
        asio::socket_base::enable_connection_aborted option;
        error_code ec;
        acceptor.get_option(option, ec);
        return !ec && option.value();
    }

    /// accept4 blocks unless the listener is non-blocking, and Asio believes it only of what it has made so itself.
    void ensure_non_blocking(error_code& ec) {
        if (!acceptor.native_non_blocking()) acceptor.native_non_blocking(true, ec);
    }

    /// Changes with every cancel, close and release: what was begun before is aborted.
    std::uint32_t generation() const noexcept { return generation_; }

    acceptor_type acceptor;
    timer_type pause;
    backlog_guess backlog;
    std::mutex mutex; ///< several accepts may be under way on several threads

private:
    template <class>
    friend class listener_state;

    void now_has(const asio::ip::tcp& protocol, std::uint32_t queued) {
        protocol_ = protocol;
        queued_before_ = queued;
        error_code ignored; // accepts try again
        ensure_non_blocking(ignored);
    }

    void cancel_pending() {
        ++generation_;
        pause.cancel();
        error_code ignored;
        acceptor.cancel(ignored);
    }

    template <class End>
    void end(End end_acceptor) noexcept try {
        const std::lock_guard lock(mutex);
        ++generation_;
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
    asio::ip::tcp protocol_ = asio::ip::tcp::v4();
    std::uint32_t queued_before_ = 0;
    std::uint32_t generation_ = 0;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
