// SPDX-License-Identifier: BSL-1.0
// refused: a stream keeps its policy: write stream<other>(s.release_socket())
#include <closeside/stream.hpp>

namespace net = closeside::asio;
using net::ip::tcp;

constexpr closeside::close_policy front_end{};
inline constexpr closeside::close_policy other{.closes_first = closeside::side::peer};

void session(closeside::stream<front_end> s);

void use(closeside::stream<other>& s) {
#ifdef BAD
    session(std::move(s));
#else
    session(closeside::stream<front_end>(s.release_socket()));
#endif
}
