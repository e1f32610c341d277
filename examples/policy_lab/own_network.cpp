// SPDX-License-Identifier: BSL-1.0
#include "own_network.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace policy_lab {

namespace {

void bring_up_loopback() {
    const int any_socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    bool up = any_socket >= 0 && ::ioctl(any_socket, SIOCGIFFLAGS, &request) == 0;
    if (up) {
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
        up = ::ioctl(any_socket, SIOCSIFFLAGS, &request) == 0;
    }
    const int error = errno;
    if (any_socket >= 0) ::close(any_socket);
    if (!up) throw std::system_error(error, std::generic_category(), "bringing up lo in a new network namespace");
}

} // namespace

const char* to_string(network n) noexcept {
    switch (n) {
    case network::own: return "own";
    case network::own_in_user_namespace: return "own_in_user_namespace";
    case network::shared: return "shared";
    }
    return "?";
}

network enter_own_network() {
    network entered = network::shared;
    if (::unshare(CLONE_NEWNET) == 0)
        entered = network::own;
    else if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
        entered = network::own_in_user_namespace;
    if (entered != network::shared) bring_up_loopback();
    return entered;
}

} // namespace policy_lab
