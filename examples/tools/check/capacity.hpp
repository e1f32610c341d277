// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_CAPACITY_HPP
#define CLOSESIDE_CHECK_CAPACITY_HPP

#include "capacity_simulation.hpp"
#include "output.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/host/closing_load.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace check {

/// What `closeside-check capacity` is asked.
struct capacity_question {
    std::string root = "/";
    double closes_per_second = 0;
    std::string assumed = "local";
    std::vector<closeside::close_policy> policies{}; ///< that it stands for
    double peers_in_time = 0.9;
    double open_seconds = 0;
    /// Connections that are accepted: how many addresses they come from, one answer each; `addresses` of `from` is not used.
    std::vector<std::int64_t> addresses{1, 10, 100, 1000, 10000};
    closeside::host::accepted_load from{};
    std::optional<std::int64_t> destinations{}; ///< connections that are opened, instead
    bool to_loopback = false;
    bool simulate = false;
    std::uint64_t seed = 1;
};

/// What a TIME-WAIT of that host takes.
struct time_wait_memory {
    double bytes = closeside::host::time_wait_bytes;
    bool measured = false; ///< in its own /proc/slabinfo, which only root may read
};

struct accepted_answer {
    closeside::host::accepted_load load;
    closeside::host::accepted_forecast foretold;
    std::optional<simulated> seen{};
    std::optional<simulated_load> how{};
};

struct opened_answer {
    closeside::host::opened_load load;
    closeside::host::opened_forecast foretold;
    std::optional<simulated> seen{};
    std::optional<simulated_load> how{};
};

/// The same load under another policy.
struct policy_answer {
    const char* name;
    double share;
    accepted_answer accepted; ///< from the last number of addresses
    opened_answer opened;     ///< the one that is asked about means something
};

struct capacity_answer {
    capacity_question asked;
    std::string kernel;
    closeside::host::time_wait_limits limits;
    time_wait_memory memory;
    double share = 1; ///< of the closes, those that leave TIME-WAIT here
    std::vector<accepted_answer> accepted{};
    std::optional<opened_answer> opened{};
    std::vector<policy_answer> policies{};

    /// With what else the kernel takes for a port that it chose.
    double bytes(const opened_answer& o) const noexcept {
        return o.foretold.time_waits * memory.bytes +
               std::min(o.foretold.time_waits, static_cast<double>(o.load.ports)) * closeside::host::bound_port_bytes;
    }
};

/// Throws std::runtime_error, which says what is missing, where the host's values do not decide it.
capacity_answer answer(const capacity_question& asked, const closeside::host::snapshot& seen);

void print_capacity_text(std::ostream& out, const capacity_answer& a, const terminal& on);
void print_capacity_json(std::ostream& out, const capacity_answer& a);

} // namespace check

#endif
