// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_COUNTERS_HPP
#define CLOSESIDE_OBSERVATION_COUNTERS_HPP

#include "host.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace observation {

/// The Tcp and TcpExt counters of one network namespace at one moment, by the kernel's names: "PAWSEstab", "RetransSegs".
class counters {
public:
    /// Of the calling thread's namespace.
    counters();
    explicit counters(const host& h) : counters(h.run([] { return counters(); })) {}

    /// Nothing if this kernel has no counter of that name.
    std::optional<long long> operator[](const std::string& name) const;

    /// By how much it has moved since `earlier`; 0 if this kernel does not have it.
    long long moved_since(const counters& earlier, const std::string& name) const;

    /// The same of each of these that this kernel has.
    std::map<std::string, long long> moved_since(const counters& earlier, const std::vector<std::string>& names) const;

private:
    std::map<std::string, long long> values_;
};

} // namespace observation

#endif
