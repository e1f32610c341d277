// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_STOP_REPORT_HPP
#define CLOSESIDE_STOP_REPORT_HPP

#include <closeside/duration.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <string>

namespace closeside {

/// How much time an orderly stop gives.
struct stop_options {
    /// So long every connection is served on, and its session can tell its peer to go.
    /** Without it a request that is on its way as an idle connection is closed is lost. At most `within`. */
    close_duration notice = std::chrono::milliseconds(0);
    /// All of it, the notice included. What is busy then is reset.
    close_duration within = std::chrono::seconds(30);
};

/// What an orderly stop has seen. Each connection is counted once, by what it was when the stop began.
struct stop_report {
    std::size_t idle = 0;      ///< in a read that its session had called idle, or come later
    std::size_t busy = 0;      ///< all other members
    std::size_t closing = 0;   ///< closes that waited, members' or not
    std::size_t cut = 0;       ///< reset at the deadline
    std::size_t left_over = 0; ///< sessions that had not returned when the stop was over
    /// From the call of async_stop.
    std::chrono::microseconds elapsed{};

    friend bool operator==(const stop_report&, const stop_report&) = default;
};

/// One line for a log: `idle=7000 busy=2900 closing=100 cut=12 left_over=0 elapsed_us=1506123`.
inline std::string to_string(const stop_report& r) {
    std::string text = "idle=" + std::to_string(r.idle);
    text += " busy=" + std::to_string(r.busy);
    text += " closing=" + std::to_string(r.closing);
    text += " cut=" + std::to_string(r.cut);
    text += " left_over=" + std::to_string(r.left_over);
    text += " elapsed_us=" + std::to_string(r.elapsed.count());
    return text;
}

/// Writes to_string(report); a template, so that <ostream> is the caller's to include.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const stop_report& r) {
    const std::string text = to_string(r);
    return out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

} // namespace closeside

#endif
