// SPDX-License-Identifier: BSL-1.0
#include "fill.hpp"

#include <algorithm>

namespace check {

namespace {

/// The length of the word that `text` begins with: up to a blank, or to the one behind the closing backquote.
std::size_t word_length(std::string_view text, std::size_t room) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (const std::size_t open = text.find('`'); open < end) {
        const std::size_t close = text.find('`', open + 1);
        if (close == text.npos) return end;
        const std::size_t quoted = std::min(text.find(' ', close), text.size());
        if (quoted <= room) return quoted;
    }
    return end;
}

/// How a line that is laid out already is to be broken.
struct layout {
    /// What stays as it is: up to the second column, which begins behind two blanks that follow a word.
    std::string_view first;
    std::size_t indent;
};

layout layout_of(std::string_view line) {
    const std::size_t word = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t gap = line.find("  ", word);
    const std::size_t second = gap == line.npos ? gap : line.find_first_not_of(' ', gap);
    if (second == line.npos) return {line.substr(0, word), word + 2};
    const std::string_view first = line.substr(0, second);
    return {first, columns_of(first)};
}

} // namespace

std::size_t columns_of(std::string_view text) noexcept {
    std::size_t columns = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text.substr(at, 2) == "\x1b[")
            at = std::min(text.find('m', at), text.size());
        else
            ++columns;
    }
    return columns;
}

void fill(std::string& out, std::string_view first, std::size_t indent, std::string_view text, std::size_t width) {
    out += first;
    std::size_t column = columns_of(first);
    bool at_start = true;
    for (std::size_t blanks = 0; (blanks = text.find_first_not_of(' ')) != text.npos;) {
        text.remove_prefix(blanks);
        const std::string_view word = text.substr(0, word_length(text, width - std::min(indent, width)));
        const std::size_t columns = columns_of(word);
        if (!at_start && column + blanks + columns > width) {
            out += '\n';
            out.append(indent, ' ');
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            out.append(blanks, ' ');
            column += blanks;
        }
        out += word;
        column += columns;
        at_start = false;
        text.remove_prefix(word.size());
    }
    out += '\n';
}

std::string refilled(std::string_view text, std::size_t width) {
    std::string out;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (columns_of(line) <= width) {
            (out += line) += '\n';
            continue;
        }
        const auto [first, indent] = layout_of(line);
        fill(out, first, indent, line.substr(first.size()), width);
    }
    return out;
}

} // namespace check
