// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PROC_READER_HPP
#define CLOSESIDE_DETAIL_KERNEL_PROC_READER_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#if defined SYS_openat2 && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#define CLOSESIDE_HAS_OPENAT2
#endif

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

/// Reads an open file from its beginning in as few pieces as it comes in.
inline file_content read_long_file(int file) {
    file_content content;
    content.bytes.resize(file_limit + 1);
    for (std::size_t size = 0; size <= file_limit;) {
        const ssize_t n = ::pread(file, &content.bytes[size], content.bytes.size() - size, static_cast<off_t>(size));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {{}, errno, nullptr};
        size += static_cast<std::size_t>(n);
        if (n != 0) continue;
        content.bytes.resize(size);
        return content;
    }
    content.error = EFBIG;
    content.problem = "longer than any value of a sysctl";
    return content;
}

/// Reads what has just been opened. `is_sysctl`: a file under /proc/sys.
/** Such a file has been read with one read: what did not fit into the buffer is not to be had with the next one
 *  (proc_do_large_bitmap), so it is read again, into a buffer that is large enough. It costs as much as the buffer is
 *  large, whatever the value (proc_sys_call_handler clears memory for it). */
inline file_content read_opened_file(int file, bool is_sysctl) {
    char buffer[8192]; // room for /proc/net/netstat
    const std::size_t room = is_sysctl ? 255 : sizeof buffer;
    for (std::size_t size = 0; size != room;) {
        const ssize_t n = ::read(file, buffer + size, room - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {{}, errno, nullptr};
        size += static_cast<std::size_t>(n);
        if (n == 0 || (is_sysctl && size != room)) return {std::string(buffer, size), 0, nullptr};
    }
    return read_long_file(file);
}

inline constexpr int how_to_open = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

/// A descriptor, or the errno and, where errno says too little, a word why there is none.
struct opened_file {
    owned_descriptor descriptor;
    int error = 0;
    const char* problem = nullptr;
};

/// Opens a regular file. Opens nothing else: opening a device can have effects, and opening a FIFO can block. A file
/// that is exchanged in between still cannot block, thanks to O_NONBLOCK.
inline opened_file open_regular_file(int below, const char* path) noexcept {
    struct ::stat status {};
    if (::fstatat(below, path, &status, AT_SYMLINK_NOFOLLOW) != 0) return {owned_descriptor(), errno};
    if (!S_ISREG(status.st_mode)) return {owned_descriptor(), EINVAL, "not a regular file"};
    owned_descriptor file(::openat(below, path, how_to_open));
    const int error = file ? 0 : errno;
    return {std::move(file), error};
}

/// Reads a regular file of at most file_limit bytes.
inline file_content read_regular_file(int below, const char* path) {
    const opened_file file = open_regular_file(below, path);
    if (!file.descriptor) return {{}, file.error, file.problem};
    return read_opened_file(file.descriptor.get(), false);
}

/// A directory that regular files are read from.
/** What opens on the kernel's own procfs needs no look at it before, as long as the way to it leads over no mount point
 *  (openat2(2), Linux 5.6): that saves every third system call. Elsewhere, and whenever that fails, read_regular_file
 *  says what there is. */
class file_source {
public:
    file_source(int below, const char* path) noexcept
        : directory_(open_directory(below, path)), error_(directory_ ? 0 : errno), on_procfs_(is_on_procfs()) {}

    /// 0, or the errno for which there is no such directory.
    int error() const noexcept { return error_; }
    int get() const noexcept { return directory_.get(); }

    file_content read(const char* path) const { return read(path, false); }
    /// A file under /proc/sys.
    file_content read_sysctl(const char* path) const { return read(path, on_procfs_); }

private:
    bool is_on_procfs() const noexcept {
        struct ::statfs system {};
        return directory_ && ::fstatfs(directory_.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
    }

    owned_descriptor open_without_a_look([[maybe_unused]] const char* path) const noexcept {
#ifdef CLOSESIDE_HAS_OPENAT2
        ::open_how how{};
        how.flags = static_cast<__u64>(how_to_open);
        how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
        return owned_descriptor(static_cast<int>(::syscall(SYS_openat2, directory_.get(), path, &how, sizeof how)));
#else
        errno = ENOSYS;
        return owned_descriptor();
#endif
    }

    file_content read(const char* path, bool is_sysctl) const {
        if (error_ != 0) return {{}, error_, nullptr};
        if (on_procfs_) {
            const owned_descriptor file = open_without_a_look(path);
            if (!file && errno == ENOENT) return {{}, ENOENT, nullptr};
            if (file)
                if (file_content content = read_opened_file(file.get(), is_sysctl); content.error == 0) return content;
        }
        return read_regular_file(directory_.get(), path);
    }

    owned_descriptor directory_;
    int error_;
    bool on_procfs_;
};

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

#undef CLOSESIDE_HAS_OPENAT2

#endif
