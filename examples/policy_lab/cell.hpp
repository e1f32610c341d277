// SPDX-License-Identifier: BSL-1.0
#ifndef POLICY_LAB_CELL_HPP
#define POLICY_LAB_CELL_HPP

#include "evidence.hpp"
#include "peers.hpp"
#include "scenario.hpp"
#include "servers.hpp"

#include "shared/segment_capture.hpp"

#include <string>

namespace policy_lab {

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
cell run_cell(server_kind server, peer_kind kind, const settings& lab, examples::segment_capture* packets);

} // namespace policy_lab

#endif
