// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SYSCTL_TEXT_HPP
#define CLOSESIDE_DETAIL_KERNEL_SYSCTL_TEXT_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace closeside::detail {

/// proc_wspace_sep of kernel/sysctl.c: what may end a number.
constexpr bool ends_number(char c) noexcept { return c == ' ' || c == '\t' || c == '\n'; }

/// isspace of the kernel: what may stand before a number.
constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Takes one number off the front as proc_get_long does: `0x1f` and `017` are read by their prefix, `+1` is not a
/// number, and nothing but a blank may follow. Leaves `text` unchanged when there is none.
inline std::optional<std::int64_t> take_number(std::string_view& text) noexcept {
    std::string_view rest = text;
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    const std::size_t whole = rest.size();

    const bool negative = !rest.empty() && rest.front() == '-';
    if (negative) rest.remove_prefix(1);
    int base = 10;
    if (rest.size() > 1 && rest[0] == '0') {
        const bool hexadecimal = rest[1] == 'x' || rest[1] == 'X';
        base = hexadecimal ? 16 : 8;
        if (hexadecimal) rest.remove_prefix(2);
    }
    std::uint64_t magnitude = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), magnitude, base);
    if (error != std::errc{} || magnitude > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (!rest.empty() && !ends_number(rest.front())) return std::nullopt;

    // proc_get_long looks at 21 characters and refuses a number that fills them.
    constexpr std::size_t longest = 20;
    if (whole - rest.size() > longest) return std::nullopt;
    text = rest;
    const auto value = static_cast<std::int64_t>(magnitude);
    return negative ? -value : value;
}

/// The number that the kernel would take from this text; like it, ignores what follows after a blank.
inline std::optional<std::int64_t> parse_number(std::string_view text) noexcept { return take_number(text); }

inline std::optional<std::pair<std::int64_t, std::int64_t>> parse_number_pair(std::string_view text) noexcept {
    const auto low = take_number(text);
    if (!low) return std::nullopt;
    const auto high = take_number(text);
    if (!high) return std::nullopt;
    return std::pair{*low, *high};
}

constexpr std::string_view without_line_end(std::string_view text) noexcept {
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    return text;
}

} // namespace closeside::detail

#endif
