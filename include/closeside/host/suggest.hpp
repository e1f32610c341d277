// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SUGGEST_HPP
#define CLOSESIDE_HOST_SUGGEST_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace closeside::host {

/// What can be set to resolve findings, and what cannot be resolved so. Refers to the findings it was made from.
struct suggestion {
    /// Where a key can be set.
    enum class settable : std::uint8_t {
        here, ///< where the snapshot was taken
        host, ///< on the host alone: this network namespace does not have the key, or only to read
        none  ///< the kernel has no such key now: it lacks it, or the module that brings it
    };

    /// A value that findings ask for.
    struct change {
        finding::setting setting; ///< the key, and the value that it should have
        /// What was seen: the value, or in brackets why there is no value, as in "(hidden)".
        std::string was;
        settable where = settable::here; ///< where it can be set
        /// Those that ask for this value, the worst first.
        std::vector<const finding*> reasons;
        /// Those that ask for another one, and for which; no worse than the first of the reasons.
        std::vector<std::pair<const finding*, std::string>> overruled;
    };

    std::vector<change> settings;           ///< each key once
    std::vector<const finding*> unresolved; ///< what no sysctl resolves

    /// What would be seen with these settings made: to judge a suggestion before anybody follows it.
    [[gnu::cold]] CLOSESIDE_DECL snapshot applied_to(snapshot seen) const;
};

/// Gathers what the findings ask to be set: each key once, with the value that the worst of them asks for. Sets nothing.
/** @param findings as audit gives them, the worst first; they must outlive the result.
 *  @param seen     what they were found in. */
[[gnu::cold]] CLOSESIDE_DECL suggestion suggest(std::span<const finding> findings, const snapshot& seen);

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/suggest.ipp>
#endif

#endif
