// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KERNEL_VALUE_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KERNEL_VALUE_HPP

#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/sysctl_d/value_rules.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// What the kernel shows after a write, or why it refuses it (EINVAL).
struct write_result {
    bool accepted = false;
    /// After a refusal empty, or what is shown now that the numbers before the one that it objects to are in force.
    std::string shown;
    std::string reason;
};

/// The state of the namespace that a write meets.
struct write_context {
    /// What the key shows before; empty: not known.
    std::string before;
    /// net.ipv4.ip_unprivileged_port_start, which no low end of the port range may be below.
    std::int64_t first_unprivileged_port = 1024;
    /// Not known: taken for a recent one.
    std::optional<kernel_version> kernel{};
};

inline constexpr std::string_view blanks_of_kernel = " \t\n\v\f\r";

inline write_result refused(std::string reason) { return {false, {}, std::move(reason)}; }

/// Why there is no number at the beginning of a text that has one for people.
inline std::string no_number(std::string_view text) {
    const std::size_t first = std::min(text.find_first_not_of(blanks_of_kernel), text.size());
    if (first == text.size()) return "it is empty";
    switch (text[first]) {
    case '"':
    case '\'': return "it is in quotes, which are for a shell: no loader takes them off";
    case '+': return "it has a sign in front";
    default: return "it is not a number to the kernel";
    }
}

inline std::string bounds(std::int64_t lowest, std::int64_t highest) {
    return "the kernel takes " + std::to_string(lowest) + " to " + std::to_string(highest);
}

inline write_result write_number(const value_rule& rule, std::string_view text, const write_context& context) {
    const auto number = closeside::detail::parse_number(text);
    if (!number) return refused(no_number(text));
    const bool bounded = !context.kernel || *context.kernel >= rule.bounded_since;
    const auto lowest = bounded ? rule.lowest : int_min;
    auto highest = bounded ? rule.highest : int_max;
    // The length of a queue has 16 bits there (becb74f0acca); from 3.12 on, and on RHEL 7, more is refused.
    if (rule.path == "net/core/somaxconn" && context.kernel && *context.kernel < kernel_version{4, 1}) highest = 65535;
    if (*number < lowest || *number > highest) return refused(bounds(lowest, highest));
    return {true, std::to_string(*number), {}};
}

/// The numbers of a vector, as many as there are at its beginning.
inline std::vector<std::int64_t> take_numbers(std::string_view text, std::size_t at_most) {
    std::vector<std::int64_t> numbers;
    while (numbers.size() != at_most) {
        const auto number = closeside::detail::take_number(text);
        if (!number) break;
        numbers.push_back(*number);
    }
    return numbers;
}

inline std::string with_tabs(const std::vector<std::int64_t>& numbers) {
    std::string text;
    for (const std::int64_t number : numbers) text += (text.empty() ? "" : "\t") + std::to_string(number);
    return text;
}

/// Into a vector that has `size` numbers (do_proc_dointvec, do_proc_doulongvec_minmax): each number is in force as soon as
/// it is read, also if one after it is refused; what follows the last is ignored.
inline write_result write_vector(std::string_view text, const write_context& context, std::size_t size,
                                 std::int64_t lowest, std::int64_t highest) {
    std::vector<std::int64_t> numbers = take_numbers(context.before, size);
    for (std::size_t i = 0; i != size; ++i) {
        if (text.find_first_not_of(blanks_of_kernel) == text.npos && i != 0) break;
        const auto number = closeside::detail::take_number(text);
        if (!number || *number < lowest || *number > highest) {
            std::string reason = number ? bounds(lowest, highest) : no_number(text);
            if (i == 0) return refused(std::move(reason));
            return {false, with_tabs(numbers),
                    "of number " + std::to_string(i + 1) + ": " + reason + "; what is before it is in force"};
        }
        if (i < numbers.size())
            numbers[i] = *number;
        else
            numbers.push_back(*number);
    }
    return {true, with_tabs(numbers), {}};
}

inline write_result write_port_range(const value_rule& rule, std::string_view text, const write_context& context) {
    // Of what a namespace begins with (inet_init_net), if the range before is not known.
    const auto before = closeside::detail::parse_number_pair(context.before);
    std::array<std::int64_t, 2> ends{before ? before->first : 32768, before ? before->second : 60999};
    for (std::size_t i = 0; i != ends.size(); ++i) {
        if (i != 0 && text.find_first_not_of(blanks_of_kernel) == text.npos) break;
        const auto end = closeside::detail::take_number(text);
        if (!end) return refused("it is not two numbers with a blank between");
        if (*end < rule.lowest || *end > rule.highest) return refused("ports go from 1 to 65535");
        ends[i] = *end;
    }
    if (ends[1] < ends[0]) return refused("its low end is above its high end");
    if (ends[0] < context.first_unprivileged_port)
        return refused("its low end is below net.ipv4.ip_unprivileged_port_start");
    return {true, std::to_string(ends[0]) + "\t" + std::to_string(ends[1]), {}};
}

/// A port as proc_get_long takes it in a list; what may stand before a blank elsewhere must stand before these here.
inline std::optional<std::int64_t> take_port(std::string_view& text, std::string_view ends) {
    const std::size_t end = std::min(text.find_first_of(ends), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
    if (digits.find_first_of(blanks_of_kernel) != digits.npos) return std::nullopt;
    const auto port = closeside::detail::parse_number(digits);
    if (!port || *port > 65535) return std::nullopt;
    text.remove_prefix(end);
    return port;
}

/// The list as the kernel prints it: in order, what overlaps or touches joined.
inline write_result write_port_list(std::string_view text) {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    while (!text.empty()) {
        const auto low = take_port(text, "-,");
        auto high = low;
        if (low && !text.empty() && text.front() == '-') {
            text.remove_prefix(1);
            high = take_port(text, ",");
        }
        if (!low || !high || *high < *low) return refused("it is not a list of ports and ranges with commas between");
        if (!text.empty()) text.remove_prefix(1);
        ranges.emplace_back(*low, *high);
    }
    std::sort(ranges.begin(), ranges.end());
    std::string shown;
    for (std::size_t i = 0; i != ranges.size();) {
        auto [low, high] = ranges[i];
        for (++i; i != ranges.size() && ranges[i].first <= high + 1; ++i) high = std::max(high, ranges[i].second);
        if (!shown.empty()) shown += ',';
        shown += std::to_string(low);
        if (high != low) shown += "-" + std::to_string(high);
    }
    return {true, shown, {}};
}

/// Numbers as the kernel prints them, with one tab between; other text without blanks around it.
inline std::string plain(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks_of_kernel);
    if (first == text.npos) return {};
    text = text.substr(first, text.find_last_not_of(blanks_of_kernel) - first + 1);
    std::string numbers;
    std::string_view rest = text;
    while (const auto number = closeside::detail::take_number(rest))
        numbers += (numbers.empty() ? "" : "\t") + std::to_string(*number);
    return !numbers.empty() && rest.empty() ? numbers : std::string(text);
}

/// How many numbers the text consists of; 0 if of something else.
inline std::size_t count_numbers(std::string_view text) noexcept {
    std::size_t n = 0;
    while (closeside::detail::take_number(text)) ++n;
    return text.find_first_not_of(" \t\n") == text.npos ? n : 0;
}

/// A key that is not modelled: the form of what it shows now tells what it takes.
inline write_result write_unknown(std::string_view text, const write_context& context) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min(),
                   highest = std::numeric_limits<std::int64_t>::max();
    const std::size_t numbers = count_numbers(context.before);
    if (numbers > 1) return write_vector(text, context, numbers, lowest, highest);
    if (numbers == 0) return {true, plain(text), {}};
    const auto number = closeside::detail::parse_number(text);
    if (!number) return refused("the key holds a number, and " + no_number(text));
    return {true, std::to_string(*number), {}};
}

inline write_result write_by_form(std::string_view path, std::string_view text, const write_context& context) {
    const value_rule rule = rule_for(path);
    switch (rule.form) {
    case value_form::number:
    case value_form::ticks: return write_number(rule, text, context);
    case value_form::triple: return write_vector(text, context, 3, rule.lowest, rule.highest);
    case value_form::port_range: return write_port_range(rule, text, context);
    case value_form::port_list: return write_port_list(text);
    case value_form::unknown: break;
    }
    return write_unknown(text, context);
}

/// What becomes of writing `text` and a line feed to the key `path`, as of canonical().
inline write_result write_value(std::string_view path, std::string_view text, const write_context& context) {
    write_result result = write_by_form(path, text, context);
    // To no number it belongs, and in no editor it is seen; BusyBox leaves it where it is.
    if (!result.accepted && text.ends_with('\r'))
        result.reason = "it ends in a carriage return: save the file with line ends of Unix";
    return result;
}

/// The key shows `live` now: does it come from a write after which it was to show `shown`?
inline bool is_same_value(std::string_view path, std::string_view shown, std::string_view live) {
    const value_rule rule = rule_for(path);
    if (rule.form == value_form::port_list)
        if (const write_result list = write_port_list(live); list.accepted) return list.shown == shown;
    if (rule.form == value_form::ticks) {
        const auto wanted = closeside::detail::parse_number(shown), found = closeside::detail::parse_number(live);
        constexpr std::int64_t longest_tick = 10;
        return wanted && found && *found >= *wanted && *found < *wanted + longest_tick;
    }
    return plain(live) == shown;
}

} // namespace closeside::host::detail::sysctl_d

#endif
