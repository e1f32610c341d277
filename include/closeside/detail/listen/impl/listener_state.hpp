// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_IMPL_LISTENER_STATE_HPP
#define CLOSESIDE_DETAIL_LISTEN_IMPL_LISTENER_STATE_HPP

#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/listen/listener_state.hpp>
#include <closeside/detail/listen/listening_socket.hpp>

#include <cerrno>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class Executor>
template <class End>
void listener_state<Executor>::end(End end_acceptor) noexcept try {
    const std::lock_guard lock(mutex);
    ++generation_;
    end_acceptor();
    pause.cancel();
} catch (...) {
    // Neither the lock nor a timer's cancel() fails on Linux.
}

template <class Executor>
listener_state<Executor>::listener_state(const Executor& executor, const close_policy& p)
    : deadlines_(close_deadlines::of(executor)), pause(executor), acceptor(executor),
      runs_where_waits_end_(detail::runs_where_waits_end(executor)), policy_(p) {}

template <class Executor>
listener_state<Executor>::~listener_state() {
    if (acceptor.is_open() && is_inherited(acceptor)) disown(acceptor);
}

template <class Executor>
const char* listener_state<Executor>::open(const asio::ip::tcp& protocol, error_code& ec, std::string* cure) {
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

template <class Executor>
void listener_state<Executor>::listen(const asio::ip::tcp::endpoint& endpoint, int length,
                                      std::span<const option_view> options) {
    owned_descriptor listener = open_listener(endpoint, policy_, length, options);
    acceptor.assign(endpoint.protocol(), listener.get());
    listener.release();
    now_has(endpoint.protocol(), 0);
}

template <class Executor>
void listener_state<Executor>::adopt(const asio::ip::tcp& protocol, int descriptor) {
    error_code ec;
    acceptor.assign(protocol, descriptor, ec);
    if (ec) throw system_error(ec, "adopt descriptor " + std::to_string(descriptor));
    now_has(protocol, accept_queue_length(descriptor));
}

template <class Executor>
void listener_state<Executor>::assign(const asio::ip::tcp& protocol, int descriptor, error_code& ec) {
    const std::lock_guard lock(mutex);
    if (acceptor.is_open())
        ec = asio::error::already_open;
    else if (const int error = set_options_of_future_listener(descriptor, policy_))
        ec.assign(error, asio::error::get_system_category());
    else
        acceptor.assign(protocol, descriptor, ec);
    if (!ec) now_has(protocol, accept_queue_length(descriptor));
}

template <class Executor>
void listener_state<Executor>::drop() noexcept {
    if (acceptor.is_open() && is_inherited(acceptor))
        end([this] { disown(acceptor); });
    else
        end([this] {
            error_code ignored;
            acceptor.close(ignored);
        });
}

template <class Executor>
void listener_state<Executor>::close(error_code& ec) noexcept {
    end([&] { acceptor.close(ec); });
}

template <class Executor>
void listener_state<Executor>::cancel(error_code& ec) noexcept {
    end([&] { acceptor.cancel(ec); });
}

template <class Executor>
int listener_state<Executor>::release(error_code& ec) noexcept {
    int descriptor = -1;
    end([&] { descriptor = acceptor.release(ec); });
    return descriptor;
}

template <class Executor>
accepted listener_state<Executor>::settle(int fd, const error_code& ec) noexcept {
    accepted connection{owned_descriptor(fd), ec, protocol_, &deadlines_, policy_.on_limit == limit_action::abort};
    if (fd < 0) return connection;
    deadlines_.take_over();
    told_to_go::forget(fd);
    if (has_other_options() && !set_inherited_options(fd, policy_))
        connection.ec.assign(errno, asio::error::get_system_category());
    return connection;
}

template <class Executor>
accepted listener_state<Executor>::accept_now(asio::ip::tcp::endpoint* peer, error_code ec) noexcept {
    if (ec) return settle(-1, ec);
    const int listener = acceptor.is_open() ? acceptor.native_handle() : -1;
    const int fd =
        accept_blocking(listener, ec, peer, {.waits = !acceptor.non_blocking(), .tells_aborted = tells_aborted()});
    return settle(fd, ec);
}

template <class Executor>
bool listener_state<Executor>::tells_aborted() const noexcept {
    asio::socket_base::enable_connection_aborted option;
    error_code ec;
    acceptor.get_option(option, ec);
    return !ec && option.value();
}

template <class Executor>
void listener_state<Executor>::ensure_non_blocking(error_code& ec) {
    if (!acceptor.native_non_blocking()) acceptor.native_non_blocking(true, ec);
}

template <class Executor>
void listener_state<Executor>::now_has(const asio::ip::tcp& protocol, std::uint32_t queued) {
    protocol_ = protocol;
    queued_before_ = queued;
    error_code ignored; // accepts try again
    ensure_non_blocking(ignored);
}

template <class Executor>
void listener_state<Executor>::cancel_pending() {
    ++generation_;
    pause.cancel();
    error_code ignored;
    acceptor.cancel(ignored);
}

template <class Executor>
bool listener_state<Executor>::has_other_options() noexcept {
    if (queued_before_ == 0) return false;
    --queued_before_;
    return true;
}

template <class Executor>
template <class Other>
void listener_state<Executor>::take_from(listener_state<Other>& other) {
    const std::scoped_lock lock(mutex, other.mutex);
    other.cancel_pending();
    acceptor = std::move(other.acceptor);
    protocol_ = other.protocol_;
    queued_before_ = std::exchange(other.queued_before_, 0);
}

template <class Executor>
std::shared_ptr<listener_state<Executor>> make_listener_state(const Executor& executor, const close_policy& p) {
    return std::make_shared<listener_state<Executor>>(executor, p);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
