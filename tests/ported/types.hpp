// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_TYPES_HPP
#define CLOSESIDE_TESTS_PORTED_TYPES_HPP

#include <closeside/closeside.hpp>

#include <asio/ip/tcp.hpp>

// The programs of this folder are written in the style of well-known ones. Each is a template over the types that a port
// to closeside changes; all the rest of its text is the same for both.
namespace ported {

using asio::ip::tcp;
using closeside::error_code;

struct asio_types {
    using socket = tcp::socket;
    using acceptor = tcp::acceptor;
};

template <closeside::close_policy P>
struct closeside_types {
    using socket = closeside::stream<P>;
    using acceptor = closeside::acceptor<P>;
};

} // namespace ported

#endif
