// SPDX-License-Identifier: BSL-1.0
#include "campaign.hpp"

#include "support/own_network.hpp"
#include "support/time_wait_sockets.hpp"

#include <stdexcept>
#include <string>
#include <system_error>

namespace benchmark_states {

namespace {

/// Of the namespaces that are made from this one on.
void give_children_own_tables() {
    try {
        tests::set_sysctl("tcp_child_ehash_entries", "262144");
    } catch (const std::system_error&) {
        // Before Linux 6.1; the sockets of neighbours are then measured with ours.
    }
}

} // namespace

bool enter_own_network() {
    if (observation::leave_shared_network() == observation::network::shared) return false;
    give_children_own_tables();
    return observation::enter_own_network() != observation::network::shared;
}

std::vector<result> measure(const std::vector<contender>& contenders, std::uint32_t sockets, unsigned rounds) {
    tests::make_time_wait_sockets(sockets);

    std::vector<result> results;
    for (const contender& c : contenders) results.push_back({sockets, c.name, c.is_process, {}});
    for (unsigned round = 0; round != rounds; ++round)
        for (std::size_t i = 0; i != contenders.size(); ++i) {
            const std::size_t turn = (i + round) % contenders.size();
            const measurement m = contenders[turn].count();
            if (m.sockets != sockets)
                throw std::runtime_error(contenders[turn].name + " counted " + std::to_string(m.sockets) + " of " +
                                         std::to_string(sockets) +
                                         " sockets in TIME-WAIT; they last 60 s: ask for fewer rounds or sockets");
            results[turn].rounds.push_back(m);
        }
    return results;
}

} // namespace benchmark_states
