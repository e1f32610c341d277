// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_ROUND_HPP
#define CLOSESIDE_BENCHMARK_SERVE_ROUND_HPP

#include "contender.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace benchmark_serve {

/// How one server did under load.
struct measurement {
    double connections_per_second;
    double microseconds; ///< of processor time of the server's thread per connection, user and system
    /// … and of the client's, from when the server begins to when the client has closed.
    /** What the kernel does when a segment of the client's comes in, the client pays for on loopback; a server whose
     *  last act is a FIN is thus spared to enter TIME-WAIT and to free its socket, one that aborts is not. */
    double microseconds_of_both;
    /// … and of what ran beside the servers, which served this server's connections as it served the others'.
    double microseconds_beside;
    /// Of the time that it took, in per cent, how much the server ran or was ready to: 100 is saturation.
    double busy;
};

/// Something that runs beside the servers, in their network namespace, until it is destroyed.
class companion {
public:
    virtual ~companion() = default;
    /// Of processor time, up to now.
    virtual std::chrono::nanoseconds used() const = 0;
};

/// Called in the process that has a network namespace for the round, before it has servers. May return null.
using companion_maker = std::function<std::unique_ptr<companion>()>;

/// Neither root nor user namespaces give the right to a network namespace: nothing can be measured.
bool can_measure();

/// How many connections that is.
double connections_of_round(std::size_t contenders, unsigned bursts);

/// All of them, each with so many bursts of connections, in a network namespace of their own.
/** A burst is 500 connections whose requests arrive while the server is held. Two processors could not saturate it
 *  otherwise, since most of a loopback connection is done by the client's: the handshake, and what it sends up to the
 *  server's receive queue. So the server's time is that of accept, recv, send, the close and everything that these send,
 *  up to the client's receive queue.
 *
 *  The servers take turns burst by burst, so that what slows the machine down for a while slows all of them down.
 *  @throws std::runtime_error if a server does not serve, or one reply is wrong. */
std::vector<measurement> measure_round(const std::vector<contender>& contenders, unsigned bursts,
                                       const companion_maker& beside = {});

} // namespace benchmark_serve

#endif
