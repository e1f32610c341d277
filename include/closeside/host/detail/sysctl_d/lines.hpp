// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_LINES_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_LINES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace closeside::host::detail::sysctl_d {

/// One line of a configuration file, as one of the loaders understands it.
struct line {
    enum class kind : std::uint8_t {
        assignment,
        exclusion, ///< `-key` without a value: patterns leave that key alone
        no_setting ///< neither: the loader warns and goes on
    };
    kind what = kind::no_setting;
    /// From 1.
    unsigned number = 0;
    /// Without the `-` in front; the whole line if it is no setting.
    std::string_view key;
    std::string_view value;
};

inline std::string_view trim(std::string_view text, std::string_view blanks) noexcept {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

inline constexpr std::string_view blanks_of_isspace = " \t\n\v\f\r";
inline constexpr std::string_view blanks_of_systemd = " \t\n\r";

/// The lines of a file as procps' sysctl reads them: they end at a line feed, and are C strings, which end at a NUL.
class procps_lines {
public:
    explicit procps_lines(std::string_view bytes) noexcept : rest_(bytes) {}

    /// The next line that is neither blank nor a comment; nothing at the end.
    std::optional<line> next() noexcept {
        while (!rest_.empty())
            if (const auto found = parse(take())) return found;
        return std::nullopt;
    }

private:
    /// With its line feed: procps skips what has less than two characters with it.
    std::string_view take() noexcept {
        const std::size_t end = rest_.find('\n');
        const std::string_view text = rest_.substr(0, end == rest_.npos ? end : end + 1);
        rest_.remove_prefix(text.size());
        ++number_;
        return text.substr(0, text.find('\0'));
    }

    std::optional<line> parse(std::string_view text) const noexcept {
        text.remove_prefix(std::min(text.find_first_not_of(blanks_of_isspace), text.size()));
        if (text.size() < 2 || text.front() == '#' || text.front() == ';') return std::nullopt;
        const std::size_t equals = text.find('=');
        const bool dash = text.front() == '-';
        if (equals == text.npos && !dash)
            return line{line::kind::no_setting, number_, trim(text, blanks_of_isspace), {}};
        std::string_view key = text.substr(0, equals);
        // Blanks after the dash stay, and make it a key that does not exist.
        if (dash) key.remove_prefix(1);
        const std::size_t last = key.find_last_not_of(blanks_of_isspace);
        key = key.substr(0, last == key.npos ? 0 : last + 1);
        // The key's path is made by dropping a dash once more.
        if (!key.empty() && key.front() == '-') key.remove_prefix(1);
        if (equals == text.npos) return line{line::kind::exclusion, number_, key, {}};
        return line{line::kind::assignment, number_, key, trim(text.substr(equals + 1), blanks_of_isspace)};
    }

    std::string_view rest_;
    unsigned number_ = 0;
};

/// The lines of a file as systemd-sysctl reads them: they end at a line feed, a carriage return, a NUL, or several
/// different ones of these in a row, of which a NUL is the last (read_line_full of src/basic/fileio.c).
class systemd_lines {
public:
    explicit systemd_lines(std::string_view bytes) noexcept : rest_(bytes) {}

    std::optional<line> next() noexcept {
        while (!rest_.empty())
            if (const auto found = parse(take())) return found;
        return std::nullopt;
    }

private:
    std::string_view take() noexcept {
        constexpr std::string_view ends("\n\r\0", 3);
        const std::size_t length = std::min(rest_.find_first_of(ends), rest_.size());
        const std::string_view text = rest_.substr(0, length);
        rest_.remove_prefix(length);
        unsigned seen = 0;
        while (!rest_.empty()) {
            const std::size_t which = ends.find(rest_.front());
            if (which == ends.npos || (seen & (1U << which)) != 0) break;
            seen |= 1U << which;
            rest_.remove_prefix(1);
            if (which == 2) break;
        }
        ++number_;
        return text;
    }

    std::optional<line> parse(std::string_view text) const noexcept {
        text = trim(text, blanks_of_systemd);
        if (text.empty() || text.front() == '#' || text.front() == ';') return std::nullopt;
        const std::size_t equals = text.find('=');
        const bool dash = text.front() == '-';
        if (equals == text.npos && !dash) return line{line::kind::no_setting, number_, text, {}};
        const std::string_view key = trim(text.substr(0, equals).substr(dash ? 1 : 0), blanks_of_systemd);
        if (equals == text.npos) return line{line::kind::exclusion, number_, key, {}};
        return line{line::kind::assignment, number_, key, trim(text.substr(equals + 1), blanks_of_systemd)};
    }

    std::string_view rest_;
    unsigned number_ = 0;
};

/// The lines of a file as BusyBox reads them: words with blanks or `=` between, whatever follows a `#` left out, and no
/// carriage return taken off. (libbb/parse_config.c: config_read, procps/sysctl.c: sysctl_handle_preload_file)
class busybox_lines {
public:
    explicit busybox_lines(std::string_view bytes) noexcept : rest_(bytes) {}

    std::optional<line> next() noexcept {
        while (!rest_.empty())
            if (const auto found = parse(take())) return found;
        return std::nullopt;
    }

private:
    static constexpr std::string_view between = " \t=";

    std::string_view take() noexcept {
        const std::string_view text = rest_.substr(0, rest_.find('\n'));
        rest_.remove_prefix(std::min(text.size() + 1, rest_.size()));
        ++number_;
        return text.substr(0, text.find('\0'));
    }

    std::optional<line> parse(std::string_view text) const noexcept {
        text = trim(text.substr(0, text.find('#')), between);
        if (text.empty()) return std::nullopt;
        const std::size_t end = text.find_first_of(between);
        if (end == text.npos) return line{line::kind::no_setting, number_, text, {}};
        return line{line::kind::assignment, number_, text.substr(0, end), trim(text.substr(end), between)};
    }

    std::string_view rest_;
    unsigned number_ = 0;
};

} // namespace closeside::host::detail::sysctl_d

#endif
