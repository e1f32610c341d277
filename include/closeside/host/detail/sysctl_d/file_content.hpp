// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_CONTENT_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_CONTENT_HPP

#include <closeside/host/detail/sysctl_d/path_in_root.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace closeside::host::detail::sysctl_d {

/// What a configuration file turned out to be.
enum class file_state : std::uint8_t {
    read,      ///< a regular file, read to its end
    too_large, ///< a regular file, of which only the beginning was read
    null,      ///< /dev/null: sets nothing, which is how an administrator masks a file of the same name
    missing,   ///< not there
    dangling,  ///< a link to nothing: masks as /dev/null does, by accident perhaps
    looping,   ///< a link that leads back to itself
    directory, ///< sets nothing
    fifo,      ///< both loaders wait for ever for somebody to write to it
    device,    ///< another device: may never end
    denied,    ///< this process may not read it; the loaders run as root and may
    failed     ///< reading fails
};

struct file_content {
    file_state state = file_state::missing;
    /// The errno behind denied and failed.
    int error = 0;
    std::string bytes;
    /// It was written to while it was read, every time that it was tried.
    bool changed = false;
};

/// systemd-sysctl takes no line above this either (LONG_LINE_MAX), and no file of settings comes near.
inline constexpr std::size_t most_bytes_of_a_file = 1024 * 1024;

inline file_state state_of_error(const located& where) noexcept {
    switch (where.error) {
    case ENOENT:
    case ENOTDIR:
        if (where.path == "/dev/null") return file_state::null;
        return where.through_link ? file_state::dangling : file_state::missing;
    case ELOOP: return file_state::looping;
    case EACCES:
    case EPERM: return file_state::denied;
    default: return file_state::failed;
    }
}

inline file_state state_of_kind(const struct ::stat& status) noexcept {
    if (S_ISREG(status.st_mode)) return file_state::read;
    if (S_ISDIR(status.st_mode)) return file_state::directory;
    if (S_ISFIFO(status.st_mode)) return file_state::fifo;
    if (S_ISCHR(status.st_mode) && major(status.st_rdev) == 1 && minor(status.st_rdev) == 3) return file_state::null;
    return file_state::device;
}

inline bool is_same_version(const struct ::stat& a, const struct ::stat& b) noexcept {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/// As read(2) does.
struct read_of_system {
    ssize_t operator()(int file, void* into, std::size_t size) const noexcept { return ::read(file, into, size); }
};

/// `read`: what takes the place of read(2).
template <class Read = read_of_system>
file_content read_once(const located& where, std::size_t limit = most_bytes_of_a_file, Read read = {}) {
    file_content content{file_state::read, 0, {}, false};
    const auto failed = [&](int error) {
        const file_state state = error == EACCES || error == EPERM ? file_state::denied : file_state::failed;
        return file_content{state, error, {}, false};
    };
    // If it has been exchanged for something else since it was looked at, O_NONBLOCK keeps a FIFO from blocking.
    const owned_descriptor file(
        ::openat(where.directory.get(), where.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return failed(errno);
    struct ::stat before {};
    if (::fstat(file.get(), &before) != 0) return failed(errno);
    if (const file_state state = state_of_kind(before); state != file_state::read) return {state, 0, {}, false};

    char buffer[16384];
    for (;;) {
        const ssize_t n = read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(errno);
        if (n == 0) break;
        content.bytes.append(buffer, static_cast<std::size_t>(n));
        if (content.bytes.size() <= limit) continue;
        content.bytes.resize(limit);
        content.bytes.resize(content.bytes.rfind('\n') + 1); // npos + 1 is 0
        content.state = file_state::too_large;
        return content;
    }
    struct ::stat after {};
    content.changed = ::fstat(file.get(), &after) != 0 || !is_same_version(before, after);
    return content;
}

/// Reads the configuration file `path` below `root`. Opens nothing but a regular file, reads a bounded part of it, and
/// so can neither block nor spin.
template <class Read = read_of_system>
file_content read_file(int root, std::string_view path, std::size_t limit = most_bytes_of_a_file, Read read = {}) {
    const located where = locate(root, path);
    if (where.error != 0) return {state_of_error(where), where.error, {}, false};
    if (where.path == "/dev/null") return {file_state::null, 0, {}, false};
    if (const file_state state = state_of_kind(where.status); state != file_state::read) return {state, 0, {}, false};
    constexpr int tries = 3;
    file_content content;
    for (int i = 0; i != tries; ++i) {
        content = read_once(where, limit, read);
        if (!content.changed) break;
    }
    return content;
}

} // namespace closeside::host::detail::sysctl_d

#endif
