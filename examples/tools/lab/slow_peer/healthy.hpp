// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_HEALTHY_HPP
#define CLOSESIDE_LAB_SLOW_PEER_HEALTHY_HPP

#include "../support/observed.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lab::slow_peer {

/// A client that sends a byte and waits for the echo, again and again, from the host that it was made in.
class healthy_client {
public:
    healthy_client(const std::string& server, std::uint16_t port);

    /// One round trip. Throws std::system_error if there is no echo for 20 s.
    /** A ping is due every two milliseconds; those that fall due while one is unanswered are counted from then on, so
     *  that a stop of the server weighs as much as it would among many clients. */
    void ping();

    /// In milliseconds, rising; and begins anew.
    std::vector<double> take();

private:
    descriptor socket_;
    std::vector<double> latencies_;
};

/// Of rising values; 0 of none.
double quantile(const std::vector<double>& rising, double share);

} // namespace lab::slow_peer

#endif
