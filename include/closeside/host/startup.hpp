// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_STARTUP_HPP
#define CLOSESIDE_HOST_STARTUP_HPP

#include <closeside/host/audit.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/render.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/policy.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host {

struct startup_options {
    /// The directory that holds proc/, as in snapshot_options.
    std::string root = "/";
    /// How the program's peers reach it.
    host::exposure exposure = host::exposure::nat;
    /// What is less than this is not delivered. Notes state settings without effect and risks that the program does not
    /// run, which nobody wants in the log of every start.
    severity minimum = severity::warning;
    /// Codes that are not delivered, as in {"CS120"}: known and accepted on this host.
    std::vector<std::string> ignore{};
};

/// Takes a severity and one line: a logger.
template <class Sink>
concept line_sink = std::invocable<Sink&, severity, std::string_view>;

namespace detail {

struct startup_report {
    std::vector<std::pair<severity, std::string>> lines;
    std::optional<severity> worst;
};

/// Everything that can run out of memory, so that a server that warns at start-up starts in any case.
inline startup_report inspect(std::span<const close_policy> policies, const startup_options& options) noexcept {
    startup_report report;
    try {
        const snapshot seen = take_snapshot({.root = options.root});
        for (const finding& f : audit(seen, options.exposure, policies)) {
            if (std::ranges::find(options.ignore, f.code) != options.ignore.end()) continue;
            report.worst = std::max(report.worst, std::optional(f.severity));
            if (f.severity >= options.minimum) report.lines.emplace_back(f.severity, to_line(f));
        }
    } catch (...) {
        return report;
    }
    return report;
}

template <close_policy... P>
startup_report inspect_for(const startup_options& options) noexcept {
    // policy_traits refuses a contradictory policy at compile time.
    static_assert(((policy_traits<P>::can_hold_time_wait || true) && ...));
    static constexpr std::array<close_policy, sizeof...(P)> policies{P...};
    return inspect(policies, options);
}

} // namespace detail

/// Checks the host at start-up and logs what bears on the policies P that the program closes connections by.
/** @code
 *  closeside::warn_at_startup<front_end, upstream>(std::clog);
 *  closeside::warn_at_startup<front_end>([&](auto severity, std::string_view line) { log(level(severity), line); });
 *  @endcode
 *  One line per finding, without a line end and of printable ASCII; it begins with the code and says what is set, what
 *  users will see and what to do. Without P the default policy is assumed. Takes about a tenth of a millisecond; waits
 *  for nothing.
 *  @return the worst severity among all findings but the ignored, delivered or not; none without findings. Compare it
 *          to refuse to start: `if (warn_at_startup<P>(log) == severity::critical)`.
 *  @throws what the sink throws, and nothing else. */
template <close_policy... P, line_sink Sink>
std::optional<severity> warn_at_startup(Sink&& sink, const startup_options& options = {}) {
    const detail::startup_report report = detail::inspect_for<P...>(options);
    for (const auto& [level, line] : report.lines) sink(level, std::string_view(line));
    return report.worst;
}

/// The same into a stream, one line each; <ostream> is the caller's to include.
template <close_policy... P, class Traits>
std::optional<severity> warn_at_startup(std::basic_ostream<char, Traits>& out, const startup_options& options = {}) {
    return warn_at_startup<P...>(
        [&out](severity, std::string_view line) {
            out.write(line.data(), static_cast<std::streamsize>(line.size())).put('\n').flush();
        },
        options);
}

} // namespace closeside::host

namespace closeside {

using host::warn_at_startup;

} // namespace closeside

#endif
