// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_TEXT_FILE_HPP
#define CLOSESIDE_HOST_DETAIL_TEXT_FILE_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace closeside::host::detail {

struct text_file {
    std::string content;
    /// Why there is no content; empty if there is.
    std::string problem{};
};

/// Reads a regular file, or what a link to one names, of at most `limit` bytes.
inline text_file read_text_file(const std::string& path, std::size_t limit) {
    const auto refused = [](int error) { return text_file{{}, std::generic_category().message(error)}; };

    // Asked before it is opened: opening a device can have effects.
    struct ::stat status {};
    if (::stat(path.c_str(), &status) != 0) return refused(errno);
    if (!S_ISREG(status.st_mode)) return {{}, "not a regular file"};
    const closeside::detail::owned_descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return refused(errno);

    text_file read;
    char buffer[4096];
    for (ssize_t n; (n = ::read(file.get(), buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refused(errno);
        read.content.append(buffer, static_cast<std::size_t>(n));
        if (read.content.size() > limit) return {{}, "too long"};
    }
    return read;
}

} // namespace closeside::host::detail

#endif
