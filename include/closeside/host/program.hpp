// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_PROGRAM_HPP
#define CLOSESIDE_HOST_PROGRAM_HPP

#include <closeside/close_policy.hpp>
#include <closeside/duration.hpp>
#include <closeside/host/finding.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace closeside::host {

/// What the program on this host does, as far as it says so. What it does not say is not judged.
struct program {
    /// How its peers reach it.
    exposure peers = exposure::nat;
    /// Every policy that it closes connections by; if empty, the default policy, which closes first. Refers to an array
    /// that lives as long as this does.
    std::span<const close_policy> policies{};
    /// Connections that it accepts and closes in a second, at peak.
    std::optional<double> accepts_per_second{};
    /// Connections that it opens in a second to its busiest destination (one address and port), at peak.
    std::optional<double> connects_per_second{};
    /// What it gives to listen(2).
    std::optional<int> backlog{};
    /// Ports that it listens on.
    std::vector<std::uint16_t> listening_ports{};
    /// The longest time for which a connection of it may be silent and still be wanted.
    std::optional<close_duration> idle_time{};
};

} // namespace closeside::host

#endif
