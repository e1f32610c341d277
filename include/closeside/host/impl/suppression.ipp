// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_SUPPRESSION_IPP
#define CLOSESIDE_HOST_IMPL_SUPPRESSION_IPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/detail/text_file.hpp>
#include <closeside/host/suppression.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace closeside::host {

namespace detail {

CLOSESIDE_DECL std::chrono::sys_days today_in_utc() noexcept {
    return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
}

CLOSESIDE_DECL const suppression* find_suppression(std::span<const suppression> among, std::string_view code) noexcept {
    const suppression* longest = nullptr;
    for (const suppression& s : among) {
        if (s.code != code) continue;
        if (!longest || !s.until || (longest->until && *s.until > *longest->until)) longest = &s;
        if (!longest->until) break;
    }
    return longest;
}

CLOSESIDE_DECL std::optional<std::chrono::sys_days> parse_date(std::string_view text) noexcept {
    constexpr std::string_view form = "YYYY-MM-DD";
    if (text.size() != form.size() || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto digits = [&](std::size_t from, std::size_t n) -> unsigned {
        unsigned value = 0;
        const char* const end = text.data() + from + n;
        return std::from_chars(text.data() + from, end, value).ptr == end ? value : 0;
    };
    const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(digits(0, 4))),
                                          std::chrono::month(digits(5, 2)), std::chrono::day(digits(8, 2))};
    if (!day.ok() || digits(0, 4) == 0) return std::nullopt;
    return std::chrono::sys_days(day);
}

CLOSESIDE_DECL std::string format_date(std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    const auto padded = [](unsigned n, std::size_t width) {
        std::string digits = std::to_string(n);
        digits.insert(0, width - std::min(width, digits.size()), '0');
        return digits;
    };
    return compose("{}-{}-{}",
                   {padded(static_cast<unsigned>(static_cast<int>(date.year())), 4),
                    padded(static_cast<unsigned>(date.month()), 2), padded(static_cast<unsigned>(date.day()), 2)});
}

/// Far more than a host can have to excuse.
inline constexpr std::size_t suppressions_limit = 64 * 1024;

[[gnu::cold]] inline std::string_view take_field(std::string_view& line) noexcept {
    constexpr std::string_view blank = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blank));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    return word;
}

/// `until=…`, `expires=…`: an assignment, and no word of a reason.
[[gnu::cold]] inline bool looks_assigned(std::string_view word) noexcept {
    const std::size_t equals = word.find('=');
    return equals != 0 && equals != word.npos && std::all_of(word.begin(), word.begin() + equals, [](char c) {
               return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
           });
}

/// Interprets `CODE [until=YYYY-MM-DD] [reason]` into `s`; otherwise gives what is wrong, and with which word.
[[gnu::cold]] inline std::string interpret_suppression(std::string_view line, suppression& s) {
    const auto quoted = [](std::string_view word) {
        return compose("'{}' ", {closeside::detail::printable_excerpt(word)});
    };
    const std::string_view code = take_field(line);
    if (!find_rule(code)) return compose("{}is not the code of a rule; write one as in CS101", {quoted(code)});
    s.code = code;

    constexpr std::string_view until = "until=";
    std::string_view rest = line;
    if (const std::string_view word = take_field(rest); word.starts_with(until)) {
        s.until = parse_date(word.substr(until.size()));
        if (!s.until) return compose("{}names no day; write until=YYYY-MM-DD", {quoted(word)});
        line = rest;
    } else if (looks_assigned(word)) {
        return compose("{}is not understood; behind the code stands until=YYYY-MM-DD or the reason", {quoted(word)});
    }
    // An end that is overlooked would make the suppression hold for good.
    for (rest = line; !rest.empty();)
        if (const std::string_view word = take_field(rest); word.starts_with(until))
            return compose("{}comes too late; write it once, right behind the code", {quoted(word)});
    s.reason = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    return {};
}

CLOSESIDE_DECL suppression_list parse_suppressions(std::string_view content, std::string_view name) {
    suppression_list found;
    for (std::size_t number = 1; !content.empty(); ++number) {
        const std::string_view line = content.substr(0, content.find('\n'));
        content.remove_prefix(std::min(line.size() + 1, content.size()));
        std::string_view rest = line;
        if (const std::string_view first = take_field(rest); first.empty() || first.front() == '#') continue;
        suppression s;
        if (const std::string problem = interpret_suppression(line, s); problem.empty())
            found.entries.push_back(std::move(s));
        else
            found.problems.push_back(compose("{}:{}: {}", {closeside::detail::printable(name), number, problem}));
    }
    return found;
}

} // namespace detail

CLOSESIDE_DECL suppression_list read_suppressions(const std::string& path) {
    const detail::text_file file = detail::read_text_file(path, detail::suppressions_limit);
    if (!file.problem.empty())
        return suppression_list{{},
                                {detail::compose("{}: {}; suppressions stand in a regular file of at most 64 KiB",
                                                 {closeside::detail::printable(path), file.problem})}};
    return detail::parse_suppressions(file.content, path);
}

} // namespace closeside::host

#endif
