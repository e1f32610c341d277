// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPTOR_MEMBERS_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPTOR_MEMBERS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/sync_result.hpp>
#include <closeside/detail/listen/bind_options.hpp>
#include <closeside/detail/listen/listener_state.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/option_view.hpp>
#include <closeside/detail/listen/policy_option.hpp>
#include <closeside/detail/listen/socket_option.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class basic_acceptor;
} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// For what ends a listener in its acceptor's place.
struct acceptor_access {
    template <class Acceptor>
    static const auto& state(Acceptor& a) {
        a.state();
        return a.state_;
    }
};

/// Base of basic_acceptor: everything of asio::basic_socket_acceptor but its constructors and what accepts.
/** Each function with an `ec` says by it what the one without throws as system_error. */
template <close_policy P, class Executor>
class acceptor_members : public asio::socket_base {
protected:
    using state_type = listener_state<Executor>;

public:
    using executor_type = Executor;
    using protocol_type = asio::ip::tcp;
    using endpoint_type = asio::ip::tcp::endpoint;
    using native_handle_type = int;

    static constexpr close_policy policy = P; ///< of the type

    executor_type get_executor() const noexcept { return executor_; }
    bool is_open() const noexcept { return state_ && state_->acceptor.is_open(); }

    /// The descriptor, -1 on a closed acceptor. It stays the acceptor's.
    native_handle_type native_handle() noexcept { return is_open() ? state_->acceptor.native_handle() : -1; }

    /// socket(2), close-on-exec and non-blocking, with the policy's options: SO_REUSEADDR, SO_LINGER, TCP_LINGER2.
    /** What else connections are to inherit is set between this and listen().
     *  @par Errors  already_open; those of socket(2); ENOPROTOOPT where something has made it Multipath TCP and the
     *  policy states linger2, for which the exception has the cure. */
    void open(const protocol_type& protocol = protocol_type::v4()) {
        error_code ec;
        std::string cure;
        const char* const failed = state().open(protocol, ec, &cure);
        if (ec) throw system_error(ec, failed + cure);
    }
    sync_result open(const protocol_type& protocol, error_code& ec) {
        ec.clear();
        state().open(protocol, ec);
        return to_sync_result(ec);
    }

    /// Takes over a TCP socket from outside that listens, or is to. For a listener, adopt() says in words what is wrong.
    /** Sets what adopt() sets. On an error the descriptor stays the caller's, and open.
     *  @par Errors  already_open; that of getsockopt(2) or fcntl(2) for what is no TCP socket; invalid_argument for a
     *  connection. */
    void assign(const protocol_type& protocol, const native_handle_type& descriptor) {
        or_throw("assign", [&](error_code& ec) { assign(protocol, descriptor, ec); });
    }
    sync_result assign(const protocol_type& protocol, const native_handle_type& descriptor, error_code& ec) {
        ec.clear();
        state().assign(protocol, descriptor, ec);
        return to_sync_result(ec);
    }

    /// bind(2). Port 0: the kernel chooses; see local_endpoint().
    /** The exception has what explain_bind() says. */
    void bind(const endpoint_type& endpoint) {
        error_code ec;
        bind(endpoint, ec);
        if (ec) throw system_error(ec, failure_text("bind", endpoint, ec));
    }
    sync_result bind(const endpoint_type& endpoint, error_code& ec) { return state().acceptor.bind(endpoint, ec); }

    /// listen(2): from here on the kernel accepts connections, with the options that are set now.
    /** `backlog` as of the constructor. EADDRINUSE: another socket that is bound here has begun to listen. The exception
     *  has what explain_bind() says. */
    void listen(int backlog = max_listen_connections) {
        error_code ec;
        listen(backlog, ec);
        if (!ec) return;
        error_code unknown;
        throw system_error(ec, failure_text("listen", local_endpoint(unknown), ec));
    }
    sync_result listen(int backlog, error_code& ec) { return state().acceptor.listen(backlog, ec); }

    /// Why bind(endpoint, ec) or listen(backlog, ec) has failed with `ec`, and what to do, as the throwing forms say it.
    /** One line of printable ASCII, `[::1]:80: ports below ...`: what has the port, which process that is, which option
     *  would let both have it. It looks now, and says so if the port has become free since. Reads /proc and binds
     *  sockets of its own that never listen. Of any other error: the endpoint alone.
     *  @throws std::bad_alloc only. */
    std::string explain_bind(const endpoint_type& endpoint, const error_code& ec) const {
        return failure_text("", endpoint, ec).substr(1);
    }

    /// setsockopt(2). Connections inherit what is set before listen(); the constructor's docs say which.
    /** SO_LINGER, SO_REUSEADDR and TCP_LINGER2 are the policy's: its own value is accepted and does nothing, any other is
     *  invalid_argument, and the exception says which member of the policy to set. */
    template <socket_option Option>
    void set_option(const Option& option) {
        error_code ec;
        const char* const refusal = try_set_option(option, ec);
        if (ec) throw system_error(ec, refusal != nullptr ? refusal : "set_option");
    }
    template <socket_option Option>
    sync_result set_option(const Option& option, error_code& ec) {
        try_set_option(option, ec);
        return to_sync_result(ec);
    }

    /// getsockopt(2).
    template <class Option>
    void get_option(Option& option) const {
        or_throw("get_option", [&](error_code& ec) { get_option(option, ec); });
    }
    template <class Option>
    sync_result get_option(Option& option, error_code& ec) const {
        if (state_) return state_->acceptor.get_option(option, ec);
        return to_sync_result(ec = asio::error::bad_descriptor);
    }

    /// ioctl(2).
    template <class Command>
    void io_control(Command& command) {
        or_throw("io_control", [&](error_code& ec) { io_control(command, ec); });
    }
    template <class Command>
    sync_result io_control(Command& command, error_code& ec) {
        return alone([&](auto& acceptor) { return acceptor.io_control(command, ec); });
    }

    /// Does accept() fail with would_block where no connection waits? Off from birth.
    bool non_blocking() const { return state_ && state_->acceptor.non_blocking(); }
    void non_blocking(bool mode) {
        or_throw("non_blocking", [&](error_code& ec) { non_blocking(mode, ec); });
    }
    sync_result non_blocking(bool mode, error_code& ec) {
        return alone([&](auto& acceptor) { return acceptor.non_blocking(mode, ec); });
    }

    /// O_NONBLOCK, which is on from birth; async_accept turns it on again.
    bool native_non_blocking() const { return state_ && state_->acceptor.native_non_blocking(); }
    void native_non_blocking(bool mode) {
        or_throw("native_non_blocking", [&](error_code& ec) { native_non_blocking(mode, ec); });
    }
    sync_result native_non_blocking(bool mode, error_code& ec) {
        return alone([&](auto& acceptor) { return acceptor.native_non_blocking(mode, ec); });
    }

    /// getsockname(2).
    endpoint_type local_endpoint() const {
        return or_throw("local_endpoint", [&](error_code& ec) { return local_endpoint(ec); });
    }
    endpoint_type local_endpoint(error_code& ec) const {
        if (state_) return state_->acceptor.local_endpoint(ec);
        ec = asio::error::bad_descriptor;
        return {};
    }

    /// Pending accepts and waits complete with operation_aborted; the connections that wait stay in the backlog.
    void cancel() {
        or_throw("cancel", [&](error_code& ec) { cancel(ec); });
    }
    sync_result cancel(error_code& ec) {
        ec.clear();
        state().cancel(ec);
        return to_sync_result(ec);
    }

    /// Stops listening. Pending accepts and waits complete with operation_aborted; the kernel resets what is in the
    /// backlog. The acceptor can be opened anew. On a closed acceptor: nothing.
    void close() noexcept {
        error_code ignored;
        close(ignored);
    }
    sync_result close(error_code& ec) noexcept {
        ec.clear();
        if (state_) state_->close(ec);
        return to_sync_result(ec);
    }

    /// Gives the descriptor away, open and listening; pending accepts and waits complete with operation_aborted.
    /** @par Errors  bad_descriptor on a closed acceptor; with `ec` the result is then -1. */
    native_handle_type release() {
        return or_throw("release", [&](error_code& ec) { return release(ec); });
    }
    native_handle_type release(error_code& ec) {
        ec.clear();
        return state().release(ec);
    }

    /// Blocks until a connection can be accepted (wait_read), and takes none.
    void wait(wait_type w) {
        or_throw("wait", [&](error_code& ec) { wait(w, ec); });
    }
    sync_result wait(wait_type w, error_code& ec) { return state().acceptor.wait(w, ec); }

    /// Completes when a connection can be accepted (wait_read), and takes none.
    /** @par Completion signature  void(error_code)
     *  @par Completes with  operation_aborted when the acceptor is closed or cancelled; bad_descriptor if it is closed.
     *  @par Per-operation cancellation  terminal, partial, total. */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_wait(wait_type w, Token&& token = {}) {
        return state().acceptor.async_wait(w, std::forward<Token>(token));
    }

protected:
    template <close_policy, class>
    friend class closeside::basic_acceptor;
    friend struct acceptor_access;

    explicit acceptor_members(const executor_type& executor)
        : executor_(executor), state_(make_listener_state(executor, policy)) {}
    // The executor is copied: what was moved from keeps it.
    // NOLINTNEXTLINE(performance-move-constructor-init)
    acceptor_members(acceptor_members&& other) noexcept : executor_(other.executor_), state_(std::move(other.state_)) {}
    ~acceptor_members() { drop(); }

    /// Closes what is overwritten.
    acceptor_members& operator=(acceptor_members&& other) noexcept {
        if (this == &other) return *this;
        drop();
        executor_ = other.executor_;
        state_ = std::move(other.state_);
        return *this;
    }

    state_type& state() {
        if (!state_) state_ = make_listener_state(executor_, policy); // moved from
        return *state_;
    }

    void drop() noexcept {
        if (state_) state_->drop();
    }

    executor_type executor_;
    std::shared_ptr<state_type> state_; ///< null when moved from

private:
    /// The sentence for an option that the policy refuses.
    template <class Option>
    const char* try_set_option(const Option& option, error_code& ec) {
        ec.clear();
        const policy_option o = judge_view(views_of(protocol_type::v4(), option).front(), policy);
        if (!is_open())
            ec = asio::error::bad_descriptor;
        else if (o.objection != nullptr)
            ec = asio::error::invalid_argument;
        else if (!o.is_policys)
            alone([&](auto& acceptor) { acceptor.set_option(option, ec); });
        return is_open() ? o.objection : nullptr;
    }

    std::string failure_text(const char* call, const endpoint_type& endpoint, const error_code& ec) const {
        const bind_options options = is_open() ? bind_options_of(state_->acceptor.native_handle())
                                               : bind_options{.reuse_address = policy.reuse_address};
        return not_bound_text(call, ec.value(), endpoint, options);
    }

    /// Asio's acceptor, which an accept on another thread must not look at meanwhile.
    template <class Call>
    auto alone(Call call) {
        const std::lock_guard lock(state().mutex);
        return call(state_->acceptor);
    }
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
