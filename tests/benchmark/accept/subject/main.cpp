// SPDX-License-Identifier: BSL-1.0
// Servers that accept, read to the client's FIN and close: ours with inherited options, and plain Asio.
#include "server.hpp"
#include "subject.hpp"

#include <closeside/acceptor.hpp>

#include <asio/ip/tcp.hpp>
#include <asio/socket_base.hpp>

#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace benchmark_accept {

namespace {

using asio::ip::tcp;

constexpr closeside::close_policy with_linger2(closeside::close_policy p) noexcept {
    p.linger2 = std::chrono::seconds(linger2_seconds);
    return p;
}

void set(int fd, int level, int name, int value) {
    if (::setsockopt(fd, level, name, &value, sizeof value) != 0)
        throw std::system_error(errno, std::generic_category(), "setsockopt");
}

/// The policy's options come with the acceptor; the others are inherited just so.
template <closeside::close_policy P>
struct ours {
    using acceptor_type = closeside::acceptor<P>;
    using socket_type = closeside::stream<P>;
    static constexpr bool sets_options = true;

    static acceptor_type make_acceptor(asio::io_context& context) {
        return {context, tcp::endpoint(asio::ip::address_v4::loopback(), 0), asio::socket_base::max_listen_connections,
                asio::socket_base::keep_alive(true), tcp::no_delay(true)};
    }
    static void prepare(socket_type&) {}
    static void close(socket_type&) {} // the destructor does
};

/// Asio with nothing set: accept, read, close.
struct plain {
    using acceptor_type = tcp::acceptor;
    using socket_type = tcp::socket;
    static constexpr bool sets_options = false;

    static acceptor_type make_acceptor(asio::io_context& context) {
        return {context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    }
    static void prepare(socket_type&) {}
    static void close(socket_type& socket) {
        asio::error_code ignored;
        socket.close(ignored);
    }
};

/// Plain, but no program that the server executes inherits its connections; accept4's SOCK_CLOEXEC is not Asio's.
struct plain_close_on_exec : plain {
    static void prepare(socket_type& socket) {
        if (::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), "fcntl");
    }
};

struct set_by_hand : plain {
    static constexpr bool sets_options = true;

    static void prepare(socket_type& socket) {
        socket.set_option(tcp::socket::linger(false, 0));
        set(socket.native_handle(), IPPROTO_TCP, TCP_LINGER2, linger2_seconds); // Asio has no name for it
        socket.set_option(tcp::socket::keep_alive(true));
        socket.set_option(tcp::no_delay(true));
    }
};

template <class Way>
subject_factory by() {
    return [] { return std::make_unique<server<Way>>(); };
}

} // namespace

} // namespace benchmark_accept

int main(int argc, char** argv) {
    using namespace benchmark_accept;
    namespace policies = closeside::policies;
    return run_subject(argc, argv,
                       {{"ours-system", by<ours<with_linger2(policies::system)>>()},
                        {"ours-peer-first", by<ours<with_linger2(policies::peer_first)>>()},
                        {"ours-graceful", by<ours<with_linger2(policies::graceful)>>()},
                        {"by-hand", by<set_by_hand>()},
                        {"plain", by<plain>()},
                        {"plain-cloexec", by<plain_close_on_exec>()}});
}
