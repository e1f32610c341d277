// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_EVIDENCE_HPP
#define CLOSESIDE_HOST_DETAIL_EVIDENCE_HPP

#include <closeside/host/counter.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/counter_list.hpp>
#include <closeside/host/detail/worth_telling.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host::detail {

/// What the kernel's counters say of a risk: whether it has come true, and how often.
struct evidence {
    host::occurrence occurrence = occurrence::uncounted;
    /// "PAWSTimewait 8 (+8 in 12.0 s), TCPACKSkippedTimeWait 0"; empty if nothing is counted.
    std::string text;
    /// It rests on nothing but a counter that counts other things too.
    bool shared = false;
};

/// Events of one kind in a second; nothing also if no time lies between the looks.
[[gnu::cold]] inline std::optional<double> rate(const snapshot& before, const snapshot& after, counter c) noexcept {
    const auto events = rise(before, after, c);
    const double seconds = std::chrono::duration<double>(after.taken - before.taken).count();
    if (!events || !(seconds > 0)) return std::nullopt;
    return static_cast<double>(*events) / seconds;
}

/// With one decimal place; without the locale that to_string takes from the program.
[[gnu::cold]] inline std::string one_decimal(double number) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, 1);
    return error == std::errc{} ? std::string(digits, end) : std::string("?");
}

/// As a person writes it: "5000", "16.6", "0.002".
[[gnu::cold]] inline std::string plain_number(double number) {
    char digits[32];
    const int places = number < 1 ? 3 : 1;
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, places);
    if (error != std::errc{}) return "very many";
    std::string text(digits, end);
    if (text.find('.') == text.npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// What counts a SYN that TIME-WAIT refused: PAWSTimewait since Linux 6.16 , before it PAWSEstab.
[[gnu::cold]] inline counter counted_by(counter c, const snapshot& seen) noexcept {
    const bool shared = c == counter::paws_timewait && !seen.count(c) && seen.count(counter::paws_estab);
    return shared ? counter::paws_estab : c;
}

/// Reads counters as evidence: by a single look, or by two when there is an earlier one of the same namespace.
[[gnu::cold]] inline evidence gather_evidence(const counter_list& counters, const snapshot& seen,
                                              const snapshot* earlier) {
    evidence found;
    for (const counter wanted : counters) {
        const counter c = counted_by(wanted, seen);
        const auto total = seen.count(c);
        if (!total) continue;
        if (!found.text.empty()) found.text += ", ";
        found.text += compose("{} {}", {to_string(c), *total});
        occurrence level = *total != 0 ? occurrence::seen : occurrence::unseen;
        if (const auto events = earlier ? rise(*earlier, seen, c) : std::nullopt) {
            const double seconds = std::chrono::duration<double>(seen.taken - earlier->taken).count();
            const bool matters = is_worth_telling(*earlier, seen, c, *events);
            const auto connections = connections_between(*earlier, seen, rate_worth_telling(c).among);
            found.text += compose(" (+{} in {} s", {*events, one_decimal(seconds)});
            if (*events != 0 && !matters && connections)
                found.text += compose(", few among {} connections", {*connections});
            found.text += ")";
            if (matters) level = occurrence::happening;
        }
        if (c != wanted) found.text += ", which counts late segments of established connections too";
        if (level > found.occurrence) found.shared = c != wanted;
        found.occurrence = std::max(found.occurrence, level);
    }
    return found;
}

} // namespace closeside::host::detail

#endif
