// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_CELL_HPP
#define CLOSESIDE_LAB_TLS_CELL_HPP

#include "peer.hpp"
#include "server.hpp"
#include "variant.hpp"

#include "../support/observed.hpp"

#include "observation/segment_capture.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace lab::tls {

/// One server against one peer, run to its end.
struct result {
    variant what;
    server_view said;
    peer_view got;
    // Of the connection, when nothing moves any more.
    tcp_state at_server = tcp_state::unknown;
    tcp_state at_client = tcp_state::unknown;
    // What the client's host sent, as the server's saw it arrive.
    bool client_fin = false;
    bool client_rst = false;

    /// Why it came to nothing; empty otherwise.
    std::string failure() const { return said.failure.empty() ? got.failure : said.failure; }
};

/// Where the cells are run, all at the same time.
class surroundings_of_cells {
public:
    surroundings_of_cells();

    /// Runs one cell on this thread and one more. No two have the same port.
    result run(const variant& what, std::uint16_t port) const;

private:
    void settle(result& r, std::uint16_t port, const peer& client) const;
    void look_at_segments(result& r, std::uint16_t port) const;

    host server_{"server"};
    host client_{"client"};
    std::unique_ptr<segment_capture> segments_;
};

} // namespace lab::tls

#endif
