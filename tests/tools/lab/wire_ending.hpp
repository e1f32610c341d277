// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_TOOLS_LAB_WIRE_ENDING_HPP
#define CLOSESIDE_TESTS_TOOLS_LAB_WIRE_ENDING_HPP

#include "observation/endpoint.hpp"
#include "observation/segment.hpp"
#include "observation/socket_table.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tests {

/// One end of a connection, its own endpoint first.
using ends = std::pair<observation::endpoint, observation::endpoint>;

/// What one end of one connection saw of SYN, FIN and RST, from its first SYN to the next connection's.
struct wire_life {
    ends between;
    std::vector<observation::segment> segments; ///< `outgoing`: sent by this end

    const observation::segment* first(bool outgoing, bool observation::segment::*flag) const;
    /// Whether this host had a socket for it: a SYN that is refused, or waits for the third segment, has none.
    bool had_socket() const;
};

/// What passed, by connection and in the order in which they began. `segments`: of all of a host's interfaces.
std::vector<wire_life> lives_on_the_wire(const std::vector<observation::segment>& segments);

/// What a host does with segments.
enum class conditions : std::uint8_t {
    ordinary,
    loses,   ///< some are dropped, on their way in after they are recorded, on their way out before
    forwards ///< it passes on what is not its own, so that they say nothing of its sockets: it has none
};

/// Compares every line of `closeside-check follow --format json` with what passed: each difference as a line of text.
/** `left` are the sockets that the host still has: their connections have not ended. */
std::string against_wire(const std::vector<nlohmann::json>& told, const std::vector<observation::segment>& segments,
                         const std::vector<observation::socket_entry>& left, conditions of_host);

} // namespace tests

#endif
