// SPDX-License-Identifier: BSL-1.0
#include "own_network.hpp"

#include "descriptor.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace observation {

namespace {

/// 0 or the errno.
int raise_loopback() {
    const descriptor any_socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    if (!any_socket || ::ioctl(any_socket.get(), SIOCGIFFLAGS, &request) != 0) return errno;
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    return ::ioctl(any_socket.get(), SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

void write_file(const char* path, const std::string& text) {
    const descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw std::system_error(errno, std::generic_category(), path);
}

/// Some systems let anybody make a user namespace and then grant no capability in it, so a child tries first.
bool user_namespace_gives_capabilities() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && raise_loopback() == 0 ? 0 : 1);
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

network leave_shared_network() {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(CLONE_NEWNET) == 0) return network::own;
    if (!user_namespace_gives_capabilities() || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return network::shared;
    become_root_of_user_namespace(user, group);
    return network::own_in_user_namespace;
}

network enter_own_network() {
    const network entered = leave_shared_network();
    if (entered != network::shared) bring_up_loopback();
    return entered;
}

void bring_up_loopback() {
    if (const int error = raise_loopback())
        throw std::system_error(error, std::generic_category(), "bringing up lo in a new network namespace");
}

} // namespace observation
