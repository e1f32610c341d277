// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_AUDIT_HPP
#define CLOSESIDE_HOST_AUDIT_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/snapshot.hpp>

#include <optional>
#include <span>
#include <vector>

namespace closeside::host {

struct config_view;

namespace detail {

/// The worst severity among the findings; nothing without findings.
CLOSESIDE_DECL std::optional<severity> worst(std::span<const finding> findings) noexcept;

} // namespace detail

/// What an audit may look at besides one snapshot. The caller keeps alive what it points to.
struct audit_options {
    /// Taken from the same network namespace some time before: turns "has happened" into "is happening".
    const snapshot* earlier = nullptr;
    /// What the configuration files set.
    const config_view* config = nullptr;
};

/// Judges what was seen on a host by what a program on it does. A pure function: equal arguments, equal findings.
/** @param seen    from take_snapshot, or filled by hand.
 *  @param program how its peers reach it, what it closes connections by, and what load it states. Without policies the
 *                 default policy is taken, which closes first.
 *  @param more    an earlier look, and the configuration files.
 *  @return the findings: the worst first, among equals what is happening now, then by code.
 *  @throws std::bad_alloc only. */
[[gnu::cold]] CLOSESIDE_DECL std::vector<finding> audit(const snapshot& seen, program program,
                                                        const audit_options& more = {});

/// The same by exposure and policies alone.
[[gnu::cold]] CLOSESIDE_DECL std::vector<finding> audit(const snapshot& seen, exposure peers = exposure::nat,
                                                        policy_list policies = {});

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/audit.ipp>
#endif

#endif
