// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_OWN_NETWORK_HPP
#define CLOSESIDE_TESTS_SUPPORT_OWN_NETWORK_HPP

#include "observation/own_network.hpp"
#include "observation/sysctl.hpp"

#include <string>

// For the body of in_own_network, whose namespace begins with every interface down and every sysctl at its default.
namespace tests {

using observation::bring_up_loopback;
using observation::write_sysctl;

/// One of net.ipv4.
inline void set_sysctl(const std::string& name, const std::string& value) {
    observation::set_sysctl("net.ipv4." + name, value);
}

} // namespace tests

#endif
