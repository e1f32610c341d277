// SPDX-License-Identifier: BSL-1.0
#include "own_network.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace examples {

namespace {

bool loopback_comes_up() {
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
    errno = error;
    return up;
}

void write_file(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!written) throw std::system_error(error, std::generic_category(), path);
}

/// Some systems let anybody make a user namespace and then grant no capability in it, so a child tries first.
bool user_namespace_gives_capabilities() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && loopback_comes_up() ? 0 : 1);
    int status = 1;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A user without a name in the new namespace would lose its capabilities in the programs that it executes.
void become_root_of_user_namespace(uid_t user, gid_t group) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
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
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    network entered = network::shared;
    if (::unshare(CLONE_NEWNET) == 0) {
        entered = network::own;
    } else if (user_namespace_gives_capabilities() && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
        entered = network::own_in_user_namespace;
        become_root_of_user_namespace(user, group);
    }
    if (entered != network::shared) bring_up_loopback();
    return entered;
}

void bring_up_loopback() {
    if (!loopback_comes_up())
        throw std::system_error(errno, std::generic_category(), "bringing up lo in a new network namespace");
}

} // namespace examples
