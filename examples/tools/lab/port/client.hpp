// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_PORT_CLIENT_HPP
#define CLOSESIDE_LAB_PORT_CLIENT_HPP

#include "observation/segment.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace lab::port {

/// When the loop is to end.
struct plan {
    std::size_t connects = 0;          ///< when so many have succeeded
    std::chrono::milliseconds tries{}; ///< or when no port has been free for so long
};

/// How a loop went.
struct connects {
    std::vector<double> at;            ///< seconds since the beginning, of each that succeeded
    std::size_t at_first = 0;          ///< how many had succeeded when the first found no port
    std::size_t refused = 0;           ///< how many found no port: error::ports_exhausted
    std::size_t closed_wrong = 0;      ///< whose close was not what the policy promises
    std::string message;               ///< what the first error said
    closeside::error_code async_error; ///< of async_connect at that moment; success if a port was always free
};

/// Connects and closes, one connection after the other, from the calling thread's host, by closeside::connect.
/** side::local: under policies::graceful, so that this end closes first; side::peer: under policies::peer_first. Where no port
 *  is left it tries again a millisecond later. Any other failure throws std::system_error. */
connects connect_in_a_loop(observation::endpoint server, closeside::side closes_first, const plan& until);

/// One connection, by closeside::async_connect: what it completed with.
closeside::error_code connect_once(observation::endpoint server);

} // namespace lab::port

#endif
