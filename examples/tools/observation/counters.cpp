// SPDX-License-Identifier: BSL-1.0
#include "counters.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace observation {

counters::counters() {
    for (const char* const path : {"/proc/thread-self/net/netstat", "/proc/thread-self/net/snmp"}) {
        std::ifstream file(path);
        for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
            std::istringstream name(names), value(values);
            std::string protocol, skipped, n;
            name >> protocol;
            value >> skipped;
            if (protocol != "TcpExt:" && protocol != "Tcp:") continue;
            for (long long v = 0; name >> n && value >> v;) values_[n] = v;
        }
    }
    if (values_.empty()) throw std::runtime_error("no counters in /proc/thread-self/net/netstat");
}

std::optional<long long> counters::operator[](const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
}

long long counters::moved_since(const counters& earlier, const std::string& name) const {
    const std::optional<long long> now = (*this)[name], before = earlier[name];
    return now && before ? *now - *before : 0;
}

std::map<std::string, long long> counters::moved_since(const counters& earlier,
                                                       const std::vector<std::string>& names) const {
    std::map<std::string, long long> moved;
    for (const std::string& name : names)
        if ((*this)[name]) moved[name] = moved_since(earlier, name);
    return moved;
}

} // namespace observation
