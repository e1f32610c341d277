// SPDX-License-Identifier: BSL-1.0
// What a service needs of systemd's protocols, without libsystemd: sd_listen_fds(3) and sd_notify(3).
#ifndef CLOSESIDE_EXAMPLES_SERVICE_MANAGER_HPP
#define CLOSESIDE_EXAMPLES_SERVICE_MANAGER_HPP

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace service_manager {

inline constexpr int first_passed = 3; // SD_LISTEN_FDS_START

/// So many descriptors from 3 on, if they are meant for this process. The second call finds none.
inline int passed_descriptors() {
    const char* const pid = std::getenv("LISTEN_PID");
    const char* const count = std::getenv("LISTEN_FDS");
    if (pid == nullptr || count == nullptr || std::stol(pid) != ::getpid()) return 0;
    const int passed = std::stoi(count);
    for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name); // no child's
    return passed;
}

/// Tells the service manager, if one asks for it: "READY=1", "STOPPING=1", "MAINPID=…", one on a line.
/** False if it could not be told, which is no reason not to serve. */
inline bool notify(std::string_view state) {
    const char* const path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const std::size_t length = path == nullptr ? 0 : std::strlen(path);
    if (length < 2 || length >= sizeof to.sun_path) return false;
    std::memcpy(to.sun_path, path, length);
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0'; // an abstract name, which is as long as it is
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto sent =
        ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
    ::close(fd);
    return sent == static_cast<ssize_t>(state.size());
}

} // namespace service_manager

#endif
