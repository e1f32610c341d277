// SPDX-License-Identifier: BSL-1.0
#include "lint.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace check {

namespace {

namespace sysctl_d = closeside::host::detail::sysctl_d;

constexpr std::string_view standard_input = "-";

/// A dump of every key comes to 60 KiB.
lint_text read_to_end(int fd, std::string name) {
    lint_text read{{std::move(name), {}, false}, {}};
    char buffer[16384];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {{}, std::generic_category().message(errno)};
        read.settings.bytes.append(buffer, static_cast<std::size_t>(n));
        if (read.settings.bytes.size() > sysctl_d::most_bytes_of_a_file) return {{}, "it is larger than 1 MiB"};
    }
    return read;
}

bool is_script(const sysctl_d::settings_text& text) {
    return text.bytes.starts_with("#!") || text.name.ends_with(".sh");
}

} // namespace

lint_text read_lint_file(const std::string& path) {
    lint_text read;
    if (path == standard_input) {
        read = read_to_end(STDIN_FILENO, "stdin");
    } else {
        // A FIFO or a device could keep a check of a repository waiting.
        struct ::stat status {};
        if (::stat(path.c_str(), &status) != 0) return {{}, std::generic_category().message(errno)};
        if (S_ISDIR(status.st_mode)) return {{}, "it is a directory; name the files in it, in their order"};
        if (!S_ISREG(status.st_mode)) return {{}, "it is no regular file"};
        const closeside::detail::owned_descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!file) return {{}, std::generic_category().message(errno)};
        read = read_to_end(file.get(), path);
    }
    read.settings.is_script = is_script(read.settings);
    return read;
}

std::string release_told_by(const sysctl_d::settings_text& text) {
    sysctl_d::procps_lines lines(text.bytes);
    while (const auto line = lines.next())
        if (line->what == sysctl_d::line::kind::assignment && line->key == "kernel.osrelease" &&
            closeside::host::detail::parse_kernel_version(line->value))
            return closeside::detail::printable_excerpt(line->value);
    return {};
}

} // namespace check
