// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_PEERS_HPP
#define CLOSESIDE_LAB_SLOW_PEER_PEERS_HPP

#include <cstddef>
#include <string>

namespace lab::slow_peer {

struct scoreboard;

/// Connects this many peers, of every kind in turn or of the last one only, and lets them behave; never returns.
int keep_waiting(const std::string& server, std::size_t count, bool only_last_kind, scoreboard& board);

} // namespace lab::slow_peer

#endif
