// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_CAPACITY_SIMULATION_HPP
#define CLOSESIDE_CHECK_CAPACITY_SIMULATION_HPP

#include <closeside/host/closing_load.hpp>

#include <cstdint>
#include <optional>

namespace check {

/// Connections one by one, at random times, each on a port of a random space: that of an address that connects to this
/// host, or of a destination that this host connects to.
struct simulated_load {
    double per_second = 0; ///< of all spaces
    std::uint32_t spaces = 1;
    std::uint32_t ports = 28232; ///< of each; 1 to 65535
    double open_seconds = 0;
    double patience_seconds = 0; ///< for which those that are to leave a TIME-WAIT are open in addition
    double time_wait_share = 1;
    double hold_with = 0;    ///< seconds for which a port stays taken after a close that leaves TIME-WAIT here
    double hold_without = 0; ///< … that leaves none
    /// A SYN that meets a TIME-WAIT and is older is never accepted, for tcp_rfc1337 is set.
    bool locks_out = false;
    /// After a challenge its RST makes a NAT forget the connection, and its next SYN gets another port: Linux's does so
    /// where it does not keep the client's port.
    bool retries_elsewhere = false;
    closeside::host::port_choice choice = closeside::host::port_choice::random;
    std::optional<double> max_time_waits{};
    double scale = 1;           ///< of the load that was asked about; found numbers are to be divided by it
    double held_at_start = 0;   ///< of the ports of each space; and their TIME-WAITs. 0: nothing has been before
    double warm_up_seconds = 0; ///< that are not counted
    double measured_seconds = 0;
    std::uint64_t seed = 1;
};

/// What came of it in the time that is measured.
struct simulated {
    std::uint64_t connects = 0;
    std::uint64_t refused = 0;           ///< found no port
    std::uint64_t met = 0;               ///< of the others: the port was in TIME-WAIT
    std::uint64_t challenged = 0;        ///< … and theirs was the older timestamp
    std::uint64_t timed_out = 0;         ///< … and tcp_rfc1337 kept them out
    std::uint64_t closed_first = 0;      ///< closes that were to leave a TIME-WAIT
    std::uint64_t without_time_wait = 0; ///< … and found max_time_waits of them
    double time_waits = 0;               ///< on average

    double made() const noexcept { return static_cast<double>(connects - refused); }
    double refused_share() const noexcept { return share(refused, static_cast<double>(connects)); }
    double met_share() const noexcept { return share(met, made()); }
    double challenged_share() const noexcept { return share(challenged, made()); }
    double timed_out_share() const noexcept { return share(timed_out, made()); }
    double without_share() const noexcept { return share(without_time_wait, static_cast<double>(closed_first)); }

    static double share(std::uint64_t part, double whole) noexcept {
        return whole > 0 ? static_cast<double>(part) / whole : 0;
    }
};

/// The same load and seed give the same result everywhere. 10^7 connects take seconds.
simulated simulate(const simulated_load& load);

/// How much is simulated at most.
struct simulation_size {
    double connects = 1e6;         ///< that are measured, and in all no more than a few times as many
    std::uint32_t ports = 1 << 22; ///< of all spaces together; one takes 12 bytes
};

/// A load in the long run, as the formulas have it: what comes before the steady state is left out. What is larger than
/// `size` is simulated at a smaller scale: some of the addresses, at their rate, and their part of all limits.
simulated_load simulation_of(const closeside::host::accepted_load& load,
                             const closeside::host::time_wait_limits& limits, const simulation_size& size,
                             std::uint64_t seed);
simulated_load simulation_of(const closeside::host::opened_load& load, const closeside::host::time_wait_limits& limits,
                             const simulation_size& size, std::uint64_t seed);

} // namespace check

#endif
