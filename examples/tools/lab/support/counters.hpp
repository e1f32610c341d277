// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_COUNTERS_HPP
#define CLOSESIDE_LAB_SUPPORT_COUNTERS_HPP

#include "host.hpp"

#include <map>
#include <optional>
#include <string>

namespace lab {

/// The Tcp and TcpExt counters of one host at one moment, by the kernel's names: "PAWSEstab", "RetransSegs".
class counters {
public:
    explicit counters(const host& h);

    /// Nothing if this kernel has no counter of that name.
    std::optional<long long> operator[](const std::string& name) const;

    /// By how much it has moved since; 0 if this kernel does not have it.
    long long moved_since(const counters& earlier, const std::string& name) const;

private:
    std::map<std::string, long long> values_;
};

} // namespace lab

#endif
