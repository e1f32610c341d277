// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_RESULT_HPP
#define CLOSESIDE_LAB_POLICY_RESULT_HPP

#include "cell.hpp"
#include "judgement.hpp"
#include "scenario.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lab::policy {

struct judged_cell {
    cell facts;
    std::vector<std::string> disagreements;
    std::vector<std::string> broken;
    std::vector<loss> losses;
    known_loss known;
};

/// The whole run: one row a server, one column a peer, in the order of `servers` and `peers`.
struct lab_result {
    settings lab;
    std::vector<server_kind> servers;
    std::vector<peer_kind> peers;
    std::vector<std::vector<judged_cell>> rows;
    std::string namespace_kind; ///< to_string(network)
    std::string witness;        ///< "packets" or "states"
    std::string witness_note;   ///< why not packets; empty otherwise
    std::string kernel;         ///< uname -r

    std::size_t reports() const;
    std::size_t disagreeing() const;
    std::size_t broken() const;
    std::size_t failed() const;
    bool good() const { return disagreeing() == 0 && broken() == 0 && failed() == 0; }
};

} // namespace lab::policy

#endif
