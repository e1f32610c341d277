// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_STARTUP_IPP
#define CLOSESIDE_HOST_IMPL_STARTUP_IPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/render.hpp>
#include <closeside/host/snapshot.hpp>
#include <closeside/host/startup.hpp>
#include <closeside/host/suppression.hpp>
#include <closeside/host/take_snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace closeside::host::detail {

/// Is it ignored or suppressed, whatever its severity?
[[gnu::cold]] inline bool is_left_out(const finding& f, const startup_options& options) noexcept {
    if (std::find(options.ignore.begin(), options.ignore.end(), f.code) != options.ignore.end()) return true;
    const suppression* const s = find_suppression(options.suppressions, f.code);
    return s && !s->has_expired(today_in_utc());
}

/// The line of a finding that is not left out. If it once was suppressed, the line says until when and why.
[[gnu::cold]] inline std::string line_of(const finding& f, const startup_options& options) {
    const suppression* const s = find_suppression(options.suppressions, f.code);
    if (!s) return to_line(f);
    return compose("{} It was suppressed until {}{}",
                   {to_line(f), format_date(*s->until),
                    s->reason.empty() ? "." : compose(": {}", {closeside::detail::printable(s->reason)})});
}

/// One line for a host of which nothing is to be told.
[[gnu::cold]] inline std::string all_clear(const snapshot& seen, severity minimum, std::size_t below) {
    const auto read = std::count_if(seen.values.begin(), seen.values.end(),
                                    [](const key_value& v) { return v.status == key_status::present; });
    return compose("The host check has read {} TCP settings of Linux {} and found nothing {}{}",
                   {read, seen.kernel.empty() ? "of unknown release" : seen.kernel,
                    minimum == severity::note ? "to tell" : compose("that is a {} or worse", {to_string(minimum)}),
                    below == 0 ? std::string() : compose("; {} finding{} below that", {below, below == 1 ? "" : "s"})});
}

CLOSESIDE_DECL startup_report inspect(std::span<const close_policy> compiled_in, const startup_options& options,
                                      severity minimum) noexcept {
    startup_report report;
    try {
        program judged = options.program;
        judged.policies.add(compiled_in);
        judged.peers = options.exposure.value_or(judged.peers);

        const snapshot seen = take_snapshot({.root = options.root});
        if (seen.error == ENOMEM) throw std::bad_alloc();
        std::size_t below = 0;
        for (const finding& f : audit(seen, std::move(judged))) {
            if (is_left_out(f, options)) continue;
            if (f.severity < minimum) ++below;
            report.worst = std::max(report.worst, std::optional(f.severity));
            if (f.severity >= minimum) report.lines.emplace_back(f.severity, line_of(f, options));
        }
        if (report.lines.empty() && options.say_if_nothing_found) report.all_clear = all_clear(seen, minimum, below);
    } catch (...) {
        report.out_of_memory = true;
        report.all_clear.clear();
        report.worst = std::max(report.worst, std::optional(severity::warning));
    }
    return report;
}

} // namespace closeside::host::detail

#endif
