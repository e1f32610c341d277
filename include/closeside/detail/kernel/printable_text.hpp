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

/// How many bytes the character at the front of `text` has, if it is UTF-8 and steers no terminal; else 0.
/** U+0080 to U+009F are control characters as well: a terminal may take U+009B for ESC [. */
constexpr std::size_t terminal_character(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned>(static_cast<unsigned char>(text[i])) : 0u;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return first == '\t' || (first >= ' ' && first != 0x7f) ? 1 : 0;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    unsigned code = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(i) & 0x3f);
    }
    constexpr unsigned least[]{0xa0, 0x800, 0x10000};
    const bool is_valid = first >= 0xc2 && first <= 0xf4 && code >= least[length - 2] && code <= 0x10ffff &&
                          (code < 0xd800 || code > 0xdfff);
    return is_valid ? length : 0;
}

/// `text` with every byte escaped that steers a terminal or is no UTF-8; a tab stays.
inline std::string terminal_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = terminal_character(text);
        out += length == 0 ? printable(text.substr(0, 1)) : std::string(text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
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
