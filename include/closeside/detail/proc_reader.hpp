// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_PROC_READER_HPP
#define CLOSESIDE_DETAIL_PROC_READER_HPP

#include <closeside/detail/owned_descriptor.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace closeside::detail {

/// The content of a file, or the errno and, where errno says too little, a word why there is none.
struct file_content {
    std::string bytes;
    int error = 0;
    const char* problem = nullptr;
};

/// More than any sysctl prints; ip_local_reserved_ports with every other port comes to 190 KiB.
inline constexpr std::size_t file_limit = 256 * 1024;

/// Opens a directory to look below it; the descriptor is -1, with errno set, when it cannot be.
inline owned_descriptor open_directory(int below, const char* path) noexcept {
    return owned_descriptor(::openat(below, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// Reads a regular file of at most file_limit bytes. Opens nothing else: opening a device can have effects, and opening
/// a FIFO can block. A file that is exchanged in between still cannot block or spin, thanks to O_NONBLOCK and the
/// limit.
inline file_content read_regular_file(int below, const char* path) {
    struct ::stat status {};
    if (::fstatat(below, path, &status, AT_SYMLINK_NOFOLLOW) != 0) return {{}, errno, nullptr};
    if (!S_ISREG(status.st_mode)) return {{}, EINVAL, "not a regular file"};
    const owned_descriptor file(::openat(below, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return {{}, errno, nullptr};

    file_content content;
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n == 0) return content;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {{}, errno, nullptr};
        if (content.bytes.size() + static_cast<std::size_t>(n) > file_limit) {
            content.error = EFBIG;
            content.problem = "longer than any value of a sysctl";
            return content;
        }
        content.bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

/// The inode in a link such as `net:[4026531840]`; reads the link and never follows it.
inline std::optional<std::uint64_t> namespace_inode(int below, const char* path) noexcept {
    char target[64];
    const ssize_t n = ::readlinkat(below, path, target, sizeof target);
    if (n <= 0) return std::nullopt;
    std::string_view text(target, static_cast<std::size_t>(n));
    constexpr std::string_view prefix = "net:[";
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    std::uint64_t inode = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), inode);
    if (error != std::errc{} || end + 1 != text.data() + text.size() || *end != ']') return std::nullopt;
    return inode;
}

inline bool is_read_only(int directory) noexcept {
    struct ::statvfs mount {};
    return ::fstatvfs(directory, &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

} // namespace closeside::detail

#endif
