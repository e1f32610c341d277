// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_SINKS_IPP
#define CLOSESIDE_HOST_IMPL_SINKS_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/log_lines.hpp>
#include <closeside/host/detail/priority_prefix.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/sinks.hpp>

#include <string_view>

#include <unistd.h>

namespace closeside::host {

CLOSESIDE_DECL stderr_sink::stderr_sink() noexcept : journal_(detail::is_journal_stream(STDERR_FILENO)) {}

CLOSESIDE_DECL void stderr_sink::operator()(severity level, std::string_view line) const noexcept {
    detail::write_line(STDERR_FILENO, journal_ ? detail::priority_prefix(level) : std::string_view(), line);
}

CLOSESIDE_DECL void syslog_sink::operator()(severity level, std::string_view line) const noexcept {
    detail::write_to_syslog(facility, level, line);
}

} // namespace closeside::host

#endif
