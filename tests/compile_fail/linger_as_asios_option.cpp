// SPDX-License-Identifier: BSL-1.0
// refused: write lingering::background, lingering::abort or lingering::until_acked(5s) for linger
#include <closeside/stream.hpp>

namespace net = closeside::asio;
using namespace std::chrono_literals;

#ifdef BAD
inline const closeside::close_policy policy{.linger = net::socket_base::linger(true, 5)};
#else
inline const closeside::close_policy policy{.linger = closeside::lingering::until_acked(5s)};
#endif
