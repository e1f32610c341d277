// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_CLOSING_SOCKET_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_CLOSING_SOCKET_HPP

#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/kernel/multipath.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Of whatever context the socket is.
template <class Socket>
[[gnu::noinline]] end_counters* counters_of(Socket& socket) noexcept {
    return close_deadlines::counters_of(socket.get_executor());
}

constexpr close_policy fin_first(close_policy p) noexcept {
    p.closes_first = side::local;
    return p;
}

template <class Socket>
closing_socket<Socket>::closing_socket(Socket&& socket, const close_policy& policy, const close_manner& manner,
                                       last_bytes_memory last_bytes) noexcept
    : socket_(std::move(socket)), last_bytes_(std::move(last_bytes)), loop_(policy, manner, last_bytes_.get()),
      option_error_(manner.option_error), linger2_(manner.linger2) {
    if (!told_to_go::any()) [[likely]]
        return;
    const bool waits_for_peer = policy.closes_first == side::peer && policy.on_limit == limit_action::close;
    if (told_to_go::take(socket_.native_handle()) && waits_for_peer)
        loop_ = close_loop<>(fin_first(policy), manner, last_bytes_.get());
}

template <class Socket>
closing_socket<Socket>::closing_socket(closing_socket&&) noexcept = default;

template <class Socket>
closing_socket<Socket>::~closing_socket() {
    if (socket_.is_open()) cut();
    if (count_.is) [[unlikely]]
        count_end();
}

template <class Socket>
void closing_socket<Socket>::cut() noexcept {
    if (is_inherited(socket_)) disown(socket_);
    if (!begun_ && socket_.is_open()) begin();
    if (socket_.is_open()) advance({close_event::kind::cancelled});
}

template <class Socket>
close_action closing_socket<Socket>::begin() noexcept {
    begun_ = true;
    started_ = clock::now();
    if (multipath_in_use()) loop_.look_for_multipath();
    return perform(loop_.start(), {});
}

template <class Socket>
close_action closing_socket<Socket>::advance(close_event e) noexcept {
    const close_duration now = since_start(clock::now());
    return perform(loop_.step(e, now), now);
}

template <class Socket>
close_action closing_socket<Socket>::unless_changed(close_action wait) noexcept {
    const close_duration now = since_start(clock::now());
    return perform(loop_.unless_changed(socket_.native_handle(), wait, now), now);
}

template <class Socket>
auto closing_socket<Socket>::at(close_duration since_start) const noexcept -> clock::time_point {
    const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(clock::time_point::max() - started_);
    return since_start.count < room.count() ? started_ + std::chrono::milliseconds(since_start)
                                            : clock::time_point::max();
}

template <class Socket>
close_duration closing_socket<Socket>::since_start(clock::time_point t) const noexcept {
    return close_duration{std::chrono::duration_cast<std::chrono::milliseconds>(t - started_).count()};
}

template <class Socket>
void closing_socket<Socket>::wake_for(std::uint32_t bytes) noexcept {
    const auto mark = static_cast<int>(bytes); // a quota at most
    if (mark == low_water_) return;
    low_water_ = tcp_socket::set_low_water(socket_.native_handle(), mark) ? mark : 1;
}

template <class Socket>
close_report closing_socket<Socket>::report(close_deadlines* known) noexcept {
    close_report r = loop_.report();
    r.elapsed = elapsed_;
    if (count_.is) [[unlikely]]
        count(r, known);
    return r;
}

template <class Socket>
void closing_socket<Socket>::count_end(close_deadlines* known) noexcept {
    if (!count_.is) return;
    close_report r = loop_.wants_report() ? loop_.report() : loop_.report_unseen();
    r.elapsed = elapsed_;
    count(r, known);
}

template <class Socket>
[[gnu::noinline]] void closing_socket<Socket>::count(const close_report& r, close_deadlines* known) noexcept {
    count_.is = false;
    end_counters* const counters = known != nullptr ? known->counters() : counters_of(socket_);
    if (counters != nullptr) counters->see(r);
}

template <class Socket>
error_code closing_socket<Socket>::error(const close_report& r) const noexcept {
    const close_error e = loop_.error(r);
    if (e.ours != closeside::error{}) return e.ours;
    const int system = e.system != 0 ? e.system : option_error_;
    // Asio's category is not the one of an error code that says nothing.
    return system != 0 ? error_code(system, asio::error::get_system_category()) : error_code();
}

template <class Socket>
close_action closing_socket<Socket>::perform(close_action next, close_duration now) noexcept {
    while (next.is_call()) {
        const bool aborts = next.what == close_action::kind::abort;
        next = loop_.call(socket_.native_handle(), next, now, [&] { release(aborts, now); });
    }
    if (last_bytes_ && next.what != close_action::kind::wait_writable) last_bytes_.reset();
    return next;
}

template <class Socket>
void closing_socket<Socket>::release(bool aborts, close_duration now) noexcept {
    if (linger2_ != 0 && !aborts && loop_.can_leave_orphan())
        tcp_socket::set_linger2(socket_.native_handle(), linger2_);
    // close() and not the destructor: Asio's destructor would first take back an SO_LINGER that Asio has seen set.
    error_code ignored;
    socket_.close(ignored);
    if (loop_.wants_report()) elapsed_ = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - started_);
    if (!any_is_counted()) return;
    count_.is = true;
    if (!loop_.wants_report()) elapsed_ = std::chrono::milliseconds(now);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
