// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_WITH_SYSCTL_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_WITH_SYSCTL_HPP

#include "observation/sysctl.hpp"

#include <string>
#include <utility>

namespace packets {

/// One of net.ipv4 in this program's network, for as long as the object lives.
class with_sysctl {
public:
    with_sysctl(const std::string& name, const std::string& value)
        : name_("net.ipv4." + name), before_(observation::read_sysctl(name_)) {
        observation::set_sysctl(name_, value);
    }
    with_sysctl(const with_sysctl&) = delete;
    with_sysctl& operator=(const with_sysctl&) = delete;
    ~with_sysctl() { observation::write_sysctl(name_, before_); }

private:
    std::string name_;
    std::string before_;
};

} // namespace packets

#endif
