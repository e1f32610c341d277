// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PROC_NET_COUNTERS_HPP
#define CLOSESIDE_DETAIL_KERNEL_PROC_NET_COUNTERS_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

// The files /proc/net/netstat, /proc/net/snmp and /proc/net/sockstat are read by name: every release adds columns in the
// middle (net/ipv4/proc.c).
namespace closeside::detail {

/// Takes the first line off the front, without its line end.
constexpr std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return line;
}

/// Takes the first word off the front; empty when there is none.
constexpr std::string_view take_word(std::string_view& text) noexcept {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

template <class Integer>
std::optional<Integer> whole_number(std::string_view word) noexcept {
    Integer value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

/// Counts are not negative; what is printed so is 0.
inline std::optional<std::uint64_t> parse_count(std::string_view word) noexcept {
    if (const auto number = whole_number<std::int64_t>(word))
        return *number < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(*number);
    return whole_number<std::uint64_t>(word);
}

/// Reads the counters of one group from a file in the format of /proc/net/netstat: of two lines each, the first with
/// names, the second with values, both begun by the group and a colon. `place_for(name)` gives the place of a value, or
/// nullptr. A group with one line only, as gVisor prints it, and a value that is no number are passed over.
template <class PlaceFor>
void read_counts(std::string_view content, std::string_view group, PlaceFor place_for) {
    while (!content.empty()) {
        std::string_view names = take_line(content);
        const std::string_view head = take_word(names);
        if (head.size() != group.size() + 1 || !head.starts_with(group) || head.back() != ':') continue;
        std::string_view values = content.substr(0, content.find('\n'));
        if (take_word(values) != head) continue;
        take_line(content);
        for (;;) {
            const std::string_view name = take_word(names), value = take_word(values);
            if (name.empty() || value.empty()) break;
            std::optional<std::uint64_t>* const place = place_for(name);
            if (place == nullptr) continue;
            if (const auto count = parse_count(value)) *place = count;
        }
    }
}

/// The number behind `field` in the line of a sockstat file that begins with `group` and a colon.
inline std::optional<std::int64_t> sockstat_field(std::string_view content, std::string_view group,
                                                  std::string_view field) noexcept {
    while (!content.empty()) {
        std::string_view line = take_line(content);
        const std::string_view head = take_word(line);
        if (head.size() != group.size() + 1 || !head.starts_with(group) || head.back() != ':') continue;
        for (std::string_view name = take_word(line); !name.empty(); name = take_word(line)) {
            const std::string_view value = take_word(line);
            if (name == field) return whole_number<std::int64_t>(value);
        }
    }
    return std::nullopt;
}

} // namespace closeside::detail

#endif
