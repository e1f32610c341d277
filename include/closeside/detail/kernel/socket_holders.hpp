// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SOCKET_HOLDERS_HPP
#define CLOSESIDE_DETAIL_KERNEL_SOCKET_HOLDERS_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace closeside::detail {

/// A process with a descriptor of a socket.
struct socket_holder {
    pid_t pid = 0;
    std::string command; ///< as the process calls itself: any bytes
    bool is_self = false;
    bool same_program = false; ///< its executable is ours, or one that has been replaced since
};

inline std::string link_target(const std::string& path) {
    char target[4096];
    const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
    return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : std::string();
}

/// The path of a process's executable; empty if it may not be seen. An upgrade leaves the old process "(deleted)".
inline std::string program_of(const std::string& process) {
    std::string path = link_target(process + "/exe");
    constexpr std::string_view deleted = " (deleted)";
    if (path.size() > deleted.size() && path.ends_with(deleted)) path.resize(path.size() - deleted.size());
    return path;
}

inline std::string command_of(const std::string& process) {
    const owned_descriptor file(::open((process + "/comm").c_str(), O_RDONLY | O_CLOEXEC));
    char text[64];
    const ssize_t n = file ? ::read(file.get(), text, sizeof text) : 0;
    return n > 1 ? std::string(text, static_cast<std::size_t>(n) - 1) : std::string("?");
}

/// The names in a directory that are numbers; empty if it cannot be read.
inline std::vector<long> numbered_entries(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
    std::vector<long> numbers;
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
        char* end = nullptr;
        const long n = std::strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '\0') numbers.push_back(n);
    }
    return numbers;
}

/// The processes that hold the socket, as far as /proc lets this one see: its own user's, or all as root.
inline std::vector<socket_holder> holders_of(unsigned long inode) {
    const std::string wanted = "socket:[" + std::to_string(inode) + "]";
    const std::string own_program = program_of("/proc/self");
    std::vector<socket_holder> holders;
    for (const long pid : numbered_entries("/proc")) {
        const std::string process = "/proc/" + std::to_string(pid);
        for (const long fd : numbered_entries(process + "/fd")) {
            if (link_target(process + "/fd/" + std::to_string(fd)) != wanted) continue;
            holders.push_back({static_cast<pid_t>(pid), command_of(process), pid == ::getpid(),
                               !own_program.empty() && program_of(process) == own_program});
            break;
        }
    }
    return holders;
}

} // namespace closeside::detail

#endif
