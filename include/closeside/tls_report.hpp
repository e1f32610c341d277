// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TLS_REPORT_HPP
#define CLOSESIDE_TLS_REPORT_HPP

#include <closeside/report.hpp>

#include <iosfwd>
#include <string>

namespace closeside {

/// What really happened when a TLS connection was closed.
struct tls_close_report : close_report {
    /// Our close_notify is in the send queue, whole, behind every record of ours.
    /** False if the handshake was not done, a write was under way or cut, or took less than it was given with none behind
     *  it (the peer is to see truncation), TLS had failed, there was no room within the limits, or the policy has none: lingering::abort and policies::system. That of the
     *  program's own shutdown counts once its write has completed. */
    bool close_notify_sent = false;
    /// The peer's close_notify had been read when the close began. What comes later is drained unread; a fatal alert, or
    /// one during the handshake, is none.
    bool close_notify_received = false;
    /// Before the close a read of the program met the peer's FIN without its close_notify.
    bool truncated = false;

    friend bool operator==(const tls_close_report&, const tls_close_report&) = default;
};

/// One line for a log: to_string(close_report), and `close_notify_sent=yes close_notify_received=no truncated=no`.
inline std::string to_string(const tls_close_report& r) {
    const auto yes = [](bool b) { return b ? "yes" : "no"; };
    std::string text = to_string(static_cast<const close_report&>(r));
    text += std::string(" close_notify_sent=") + yes(r.close_notify_sent);
    text += std::string(" close_notify_received=") + yes(r.close_notify_received);
    text += std::string(" truncated=") + yes(r.truncated);
    return text;
}

/// Writes to_string(report); a template, so that <ostream> is the caller's to include.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const tls_close_report& r) {
    const std::string text = to_string(r);
    return out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

} // namespace closeside

#endif
