// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_OWN_NETWORK_HPP
#define CLOSESIDE_TESTS_SUPPORT_OWN_NETWORK_HPP

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// For the body of in_own_network, whose namespace begins with every interface down and every sysctl at its default.
namespace tests {

inline void bring_up_loopback() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    const bool up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    const int error = errno;
    ::close(fd);
    if (!up) throw std::system_error(error, std::generic_category(), "loopback up");
}

/// By its full name, as in "net.core.somaxconn"; gives 0 or the errno.
inline int write_sysctl(std::string name, std::string value) {
    std::replace(name.begin(), name.end(), '.', '/');
    const int fd = ::open(("/proc/sys/" + name).c_str(), O_WRONLY | O_CLOEXEC);
    // Nothing at all would be no write to the kernel.
    value += '\n';
    const bool written = fd >= 0 && ::write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
    const int error = written ? 0 : errno;
    if (fd >= 0) ::close(fd);
    return error;
}

/// One of net.ipv4.
inline void set_sysctl(const std::string& name, const std::string& value) {
    if (const int error = write_sysctl("net.ipv4." + name, value))
        throw std::system_error(error, std::generic_category(), name);
}

} // namespace tests

#endif
