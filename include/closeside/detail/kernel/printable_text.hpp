// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PRINTABLE_TEXT_HPP
#define CLOSESIDE_DETAIL_KERNEL_PRINTABLE_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

// Text from elsewhere - names of processes, files and interfaces, values - on its way to a log or a terminal. Whoever
// chose it must neither end the line, nor steer the terminal, nor write what reads as ours.
namespace closeside::detail {

constexpr bool is_printable(char c) noexcept { return c >= ' ' && c <= '~'; }

constexpr bool is_one_printable_line(std::string_view text) noexcept {
    for (const char c : text)
        if (!is_printable(c) && c != '\t') return false;
    return true;
}

/// `text` with every byte but printable ASCII escaped, so that it can go to a log or a terminal.
inline std::string printable(std::string_view text) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_printable(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

/// The same for a person: a tab, as the kernel puts it between the numbers of a sysctl, is a blank.
inline std::string readable(std::string_view text) {
    std::string blanks(text);
    for (char& c : blanks)
        if (c == '\t') c = ' ';
    return printable(blanks);
}

/// The beginning of a text that may be long.
inline std::string printable_excerpt(std::string_view text) {
    constexpr std::size_t shown = 40;
    return text.size() <= shown ? printable(text) : printable(text.substr(0, shown)) + "...";
}

/// `text` in single quotes, with the quotes and backslashes in it escaped as well: it cannot seem to end early.
inline std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\')
            out += c == '\'' ? "\\x27" : "\\x5c";
        else
            out += printable({&c, 1});
    }
    return out + "'";
}

} // namespace closeside::detail

#endif
