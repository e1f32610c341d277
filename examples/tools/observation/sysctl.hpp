// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_SYSCTL_HPP
#define CLOSESIDE_OBSERVATION_SYSCTL_HPP

#include <string>

// Sysctls of the calling thread's network namespace, by their full names: "net.ipv4.tcp_rfc1337".
namespace observation {

/// Gives 0 or the errno.
int write_sysctl(const std::string& name, const std::string& value);

/// Throws std::system_error that names the sysctl.
void set_sysctl(const std::string& name, const std::string& value);

/// Without the line's end. Throws std::system_error.
std::string read_sysctl(const std::string& name);

} // namespace observation

#endif
