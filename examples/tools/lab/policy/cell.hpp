// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_CELL_HPP
#define CLOSESIDE_LAB_POLICY_CELL_HPP

#include "evidence.hpp"
#include "peers.hpp"
#include "scenario.hpp"
#include "servers.hpp"

#include "observation/segment_capture.hpp"

#include <string>

namespace lab::policy {

/// One server against one peer, run to its end.
struct cell {
    server_kind server{};
    peer_kind peer{};
    server_view said;
    peer_view got;
    evidence kernel;
    std::string failure; ///< why the cell could not be run; empty otherwise
};

/// Runs one cell on this thread and two more; `packets` may be null. Every wait is bounded by lab.bound.
cell run_cell(server_kind server, peer_kind kind, const settings& lab, observation::segment_capture* packets);

} // namespace lab::policy

#endif
