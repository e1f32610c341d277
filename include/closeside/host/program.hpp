// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_PROGRAM_HPP
#define CLOSESIDE_HOST_PROGRAM_HPP

#include <closeside/close_policy.hpp>
#include <closeside/duration.hpp>
#include <closeside/host/finding.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

namespace closeside::host {

/// Policies, copied from what they are given in: `{front_end, metrics}`, an array, a vector, a span.
class policy_list {
public:
    policy_list() = default;
    /// Copies them.
    policy_list(std::initializer_list<close_policy> policies) : policies_(policies) {}
    template <class Policies>
    requires(!std::same_as<Policies, policy_list>) &&
        std::convertible_to<const Policies&, std::span<const close_policy>> policy_list(const Policies& policies) {
        add(policies);
    }

    /// As those of a vector.
    auto begin() const noexcept { return policies_.begin(); }
    auto end() const noexcept { return policies_.end(); }
    bool empty() const noexcept { return policies_.empty(); }
    std::size_t size() const noexcept { return policies_.size(); }
    const close_policy& operator[](std::size_t i) const noexcept { return policies_[i]; }

    /// Puts more behind those that are there.
    void add(std::span<const close_policy> more) { policies_.insert(policies_.end(), more.begin(), more.end()); }

    /// For audit, which takes a span.
    operator std::span<const close_policy>() const noexcept { return policies_; }

    friend bool operator==(const policy_list&, const policy_list&) = default;

private:
    std::vector<close_policy> policies_;
};

/// What the program on this host does, as far as it says so. What it does not say is not judged. Owns what it is given.
struct program {
    /// How its peers reach it.
    exposure peers = exposure::nat;
    /// Every policy that it closes connections by; if empty, the default policy, which closes first.
    policy_list policies{};
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
