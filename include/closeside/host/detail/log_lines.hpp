// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_LOG_LINES_HPP
#define CLOSESIDE_HOST_DETAIL_LOG_LINES_HPP

#include <closeside/host/finding.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

namespace closeside::host::detail {

/// The syslog(3) priority of a severity: LOG_CRIT, LOG_WARNING, LOG_NOTICE.
/** They bear the same names. Whatever looks for errors (`journalctl -p err`) then finds what is critical too, and
 *  nothing is so urgent as to be written to every terminal (journald.conf(5), MaxLevelWall: LOG_EMERG). */
constexpr int syslog_priority(severity s) noexcept {
    switch (s) {
    case severity::critical: return LOG_CRIT;
    case severity::warning: return LOG_WARNING;
    case severity::note: break;
    }
    return LOG_NOTICE;
}
static_assert(LOG_CRIT == 2 && LOG_WARNING == 4 && LOG_NOTICE == 5, "priority_prefix says the same");

/// Whether systemd has connected this descriptor to the journal, which takes a `<4>` off the beginning of a line and
/// files the line by it (unless the unit says SyslogLevelPrefix=no).
/** Told by JOURNAL_STREAM, as systemd.exec(5) has it; false if the descriptor was redirected since. */
inline bool is_journal_stream(int descriptor) noexcept {
    const char* const variable = std::getenv("JOURNAL_STREAM");
    if (!variable) return false;
    const std::string_view text(variable);
    std::uintmax_t device = 0, inode = 0;
    const auto first = std::from_chars(text.data(), text.data() + text.size(), device);
    if (first.ec != std::errc{} || first.ptr == text.data() + text.size() || *first.ptr != ':') return false;
    const auto second = std::from_chars(first.ptr + 1, text.data() + text.size(), inode);
    struct ::stat status {};
    return second.ec == std::errc{} && second.ptr == text.data() + text.size() && ::fstat(descriptor, &status) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

/// Writes the parts as one line with one writev(2), so that lines of several threads do not mix, and goes on if the
/// kernel took less. What cannot be written is lost, as nobody can be told.
inline void write_line(int descriptor, std::string_view prefix, std::string_view line) noexcept {
    const std::string_view parts[] = {prefix, line, "\n"};
    std::size_t sent = 0, size = 0;
    for (const std::string_view part : parts) size += part.size();
    while (sent < size) {
        ::iovec rest[3];
        int count = 0;
        std::size_t skip = sent;
        for (std::string_view part : parts) {
            const std::size_t gone = skip < part.size() ? skip : part.size();
            skip -= gone;
            part.remove_prefix(gone);
            if (!part.empty()) rest[count++] = {const_cast<char*>(part.data()), part.size()};
        }
        const ssize_t n = ::writev(descriptor, rest, count);
        if (n < 0 && errno != EINTR) return;
        if (n > 0) sent += static_cast<std::size_t>(n);
    }
}

inline void write_to_syslog(int facility, severity s, std::string_view line) noexcept {
    ::syslog(facility | syslog_priority(s), "%.*s", static_cast<int>(line.size()), line.data());
}

} // namespace closeside::host::detail

#endif
