// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_STARTUP_HPP
#define CLOSESIDE_HOST_STARTUP_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/error.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/suppression.hpp>
#include <closeside/policy.hpp>

#include <array>
#include <concepts>
#include <iosfwd>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace closeside::host {

/// What a program says of itself to warn_at_startup and check_at_startup, and what it wants to hear.
struct startup_options {
    /// The directory that holds proc/, as in snapshot_options.
    std::string root = "/";
    /// How the program's peers reach it; if not set, as `program.peers` says, which is exposure::nat unless set.
    std::optional<host::exposure> exposure{};
    /// Findings below this severity are not delivered. Notes tell of settings without effect and of risks that the program
    /// does not run: too much for the log of every start.
    severity minimum = severity::warning;
    /// Codes that are not delivered, as in {"CS120"}: known and accepted on this host.
    std::vector<std::string> ignore{};
    /// What the program does, as far as it says so: its rates, backlog and ports. Its `policies` are those known only at
    /// run time; they are judged beside those compiled in.
    host::program program{};
    /// Findings that are not delivered until their day is over, as read_suppressions gives them. Later they are delivered
    /// again, and the line says so.
    std::vector<suppression> suppressions{};
    /// check_at_startup refuses findings of this severity and worse.
    severity refuse_at = severity::critical;
    /// Where no finding is delivered, one line of severity::note says that the host was looked at.
    bool say_if_nothing_found = true;
};

namespace detail {

/// Takes a severity and one line: a logger.
template <class Sink>
concept line_sink = std::invocable<Sink&, severity, std::string_view>;

struct startup_report {
    std::vector<std::pair<severity, std::string>> lines;
    std::optional<severity> worst;
    bool out_of_memory = false;
    /// What to say where there are no lines; empty if nothing.
    std::string all_clear{};
};

/// Everything that can run out of memory, so that a server that looks at its host starts in any case.
[[gnu::cold]] CLOSESIDE_DECL startup_report inspect(std::span<const close_policy> compiled_in,
                                                    const startup_options& options, severity minimum) noexcept;

template <close_policy... P>
startup_report inspect_for(const startup_options& options, severity minimum) noexcept {
    // policy_traits refuses a contradictory policy at compile time.
    static_assert(((policy_traits<P>::can_hold_time_wait || true) && ...));
    static constexpr std::array<close_policy, sizeof...(P)> policies{P...};
    return inspect(policies, options, minimum);
}

template <class Sink>
void deliver(const startup_report& report, Sink& sink) {
    for (const auto& [level, line] : report.lines) sink(level, std::string_view(line));
    if (!report.all_clear.empty()) sink(severity::note, std::string_view(report.all_clear));
    if (!report.out_of_memory) return;
    try {
        sink(severity::warning, std::string_view("The host check ran out of memory: not every TCP setting was judged"));
    } catch (const std::bad_alloc&) {
        // A sink that needs memory does not get it either.
    }
}

/// <ostream> is the caller's to include.
template <class Traits>
auto lines_into(std::basic_ostream<char, Traits>& out) {
    return [&out](severity, std::string_view line) {
        out.write(line.data(), static_cast<std::streamsize>(line.size())).put('\n').flush();
    };
}

} // namespace detail

/// Checks the host at start-up and logs what bears on the policies P that the program closes connections by.
/** @code
 *  closeside::warn_at_startup<front_end, upstream>(std::clog);
 *  closeside::warn_at_startup<front_end>([&](auto severity, std::string_view line) { log(level(severity), line); });
 *  closeside::warn_at_startup<front_end>(closeside::host::stderr_sink(), {.program = {.accepts_per_second = 500}});
 *  @endcode
 *  One line per finding, without a line end and of printable ASCII; it begins with the code and says what is set, what
 *  users will see and what to do. Where there is nothing to deliver, one line says so
 *  (startup_options::say_if_nothing_found). Without any policy the default one is assumed. Takes half a millisecond; waits for
 *  nothing. Call it once, at the start: each call looks anew and repeats what it finds.
 *
 *  If memory runs out, a last line says that not everything was judged, and the program goes on.
 *  @return the worst severity among all findings but the ignored and suppressed, delivered or not; nothing if there are
 *          no such findings.
 *  @throws what the sink throws, and nothing else. */
template <close_policy... P, detail::line_sink Sink>
std::optional<severity> warn_at_startup(Sink&& sink, const startup_options& options = {}) {
    const detail::startup_report report = detail::inspect_for<P...>(options, options.minimum);
    detail::deliver(report, sink);
    return report.worst;
}

/// The same into a stream, one line each; <ostream> is the caller's to include.
template <close_policy... P, class Traits>
std::optional<severity> warn_at_startup(std::basic_ostream<char, Traits>& out, const startup_options& options = {}) {
    return warn_at_startup<P...>(detail::lines_into(out), options);
}

/// The same for a program that would rather not start than lock clients out.
/** @code
 *  if (std::error_code ec = closeside::check_at_startup<front_end>(std::clog)) return give_up(ec.message());
 *  @endcode
 *  Every finding that is a reason to refuse is delivered, also below `minimum`.
 *  @return error::unsafe_host if there is a finding of severity `refuse_at` or worse, neither ignored nor suppressed;
 *          std::errc::not_enough_memory if the check could not be finished. A host that cannot be looked at is a
 *          warning (CS001), so it is refused with `.refuse_at = severity::warning`.
 *  @throws what the sink throws, and nothing else. */
template <close_policy... P, detail::line_sink Sink>
[[nodiscard]] std::error_code check_at_startup(Sink&& sink, const startup_options& options = {}) {
    const detail::startup_report report =
        detail::inspect_for<P...>(options, options.minimum < options.refuse_at ? options.minimum : options.refuse_at);
    detail::deliver(report, sink);
    for (const auto& [level, line] : report.lines)
        if (level >= options.refuse_at) return error::unsafe_host;
    return report.out_of_memory ? make_error_code(std::errc::not_enough_memory) : std::error_code();
}

/// The same into a stream, one line each; <ostream> is the caller's to include.
template <close_policy... P, class Traits>
[[nodiscard]] std::error_code check_at_startup(std::basic_ostream<char, Traits>& out,
                                               const startup_options& options = {}) {
    return check_at_startup<P...>(detail::lines_into(out), options);
}

} // namespace closeside::host

namespace closeside {

using host::check_at_startup;
using host::warn_at_startup;

} // namespace closeside

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/startup.ipp>
#endif

#endif
