// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_CONNECT_OP_HPP
#define CLOSESIDE_DETAIL_CONNECT_CONNECT_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/connect/connect_socket.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The composed operation behind async_connect: one endpoint after the other, until one answers.
template <class Stream>
class connect_op {
public:
    using socket_type = typename Stream::socket_type;
    using endpoints = std::vector<asio::ip::tcp::endpoint>;

    connect_op(const typename Stream::executor_type& executor, endpoints to, const local_endpoint& local)
        : attempt_(std::make_unique<attempt>(executor, std::move(to), local)) {}

    template <class Self>
    void operator()(Self& self, error_code ec = {}) {
        attempt& a = *attempt_;
        const bool first_call = std::exchange(a.first_call, false);
        if (first_call) self.reset_cancellation_state(asio::enable_total_cancellation());
        if (std::exchange(a.posted, false)) return complete(self, a.result);

        if (a.connecting && !ec) return complete(self, {});
        if (std::exchange(a.connecting, false)) {
            a.result = connect_error(ec, a.to[a.next - 1], a.local);
            a.socket.close(ec);
        }
        if (self.get_cancellation_state().cancelled() != asio::cancellation_type::none)
            a.result = asio::error::operation_aborted;
        else if (a.open_next())
            return connect(self, a);
        if (!first_call) return complete(self, a.result);
        a.posted = true;
        asio::post(std::move(self));
    }

private:
    /// At one address while an operation is under way: Asio's cancellation of a socket that moves away goes nowhere.
    struct attempt {
        attempt(const typename Stream::executor_type& executor, endpoints e, const local_endpoint& l)
            : socket(executor), to(std::move(e)), local(l) {}

        /// Opens a socket for the next endpoint that allows one; `result` says why the last did not.
        bool open_next() {
            while (next < to.size()) {
                const asio::ip::tcp::endpoint& remote = to[next++];
                connector c = open_connector(remote, local, Stream::policy);
                if (!c.fd) {
                    result.assign(c.error, asio::error::get_system_category());
                    result = connect_error(result, remote, local);
                    continue;
                }
                socket.assign(remote.protocol(), c.fd.get(), result);
                if (result) continue;
                c.fd.release();
                return true;
            }
            return false;
        }

        socket_type socket;
        endpoints to;
        local_endpoint local;
        std::size_t next = 0;
        error_code result = asio::error::not_found; // where there is no endpoint at all
        bool first_call = true;
        bool connecting = false;
        bool posted = false;
    };

    template <class Self>
    void connect(Self& self, attempt& a) {
        a.connecting = true;
        a.socket.async_connect(a.to[a.next - 1], std::move(self)); // moves this operation too, not the attempt
    }

    template <class Self>
    void complete(Self& self, const error_code& ec) {
        const std::unique_ptr<attempt> done = std::move(attempt_);
        const error_code result = ec;
        close_deadlines::of(done->socket.get_executor()).take_over();
        Stream stream(typename Stream::inherits_options{}, std::move(done->socket));
        self.complete(result, std::move(stream));
    }

    std::unique_ptr<attempt> attempt_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
