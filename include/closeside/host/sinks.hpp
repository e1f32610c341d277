// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SINKS_HPP
#define CLOSESIDE_HOST_SINKS_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/priority_prefix.hpp>
#include <closeside/host/finding.hpp>

#include <ios>
#include <iosfwd>
#include <string_view>

namespace closeside::host {

/// Writes lines to standard error, with a priority if that is the journal.
/** @code closeside::warn_at_startup<front_end>(closeside::host::stderr_sink()); @endcode
 *  Each line is one writev(2), so that lines of several threads do not mix. What cannot be written is lost, as
 *  nobody can be told. Needs no memory, throws nothing. */
class stderr_sink {
public:
    /// Looks whether standard error is the journal.
    CLOSESIDE_DECL stderr_sink() noexcept;

    /// Writes one line.
    CLOSESIDE_DECL void operator()(severity level, std::string_view line) const noexcept;

private:
    bool journal_;
};

/// Writes lines with the prefix into any stream, for one that is known to end in the journal.
/** As standard output does under systemd-cat(1). <ostream> is the caller's to include. */
template <class Traits>
class prefixing_sink {
public:
    /// Into `out`, which must outlive it.
    explicit prefixing_sink(std::basic_ostream<char, Traits>& out) noexcept : out_(&out) {}

    /// Writes one line, and flushes.
    void operator()(severity level, std::string_view line) const {
        for (const std::string_view part : {detail::priority_prefix(level), line})
            out_->write(part.data(), static_cast<std::streamsize>(part.size()));
        out_->put('\n').flush();
    }

private:
    std::basic_ostream<char, Traits>* out_;
};

/// Hands lines to syslog(3), under the name and with the options that the program gave to openlog(3).
struct syslog_sink {
    /// As in LOG_DAEMON; 0: that of openlog(3), or else LOG_USER.
    int facility = 0;

    /// Hands one line over.
    CLOSESIDE_DECL void operator()(severity level, std::string_view line) const noexcept;
};

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/sinks.ipp>
#endif

#endif
