// SPDX-License-Identifier: BSL-1.0
// error: the stream has another policy than the acceptor
#include <closeside/acceptor.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};
inline constexpr closeside::close_policy other{.closes_first = closeside::side::peer};

void use(net::io_context& io, closeside::acceptor<front_end>& a) {
#ifdef BAD
    closeside::stream<other> s(io);
    a.accept(s);
#else
    closeside::stream<front_end> s(io);
    a.accept(s);
#endif
}
