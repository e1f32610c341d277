// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_KEY_VALUE_HPP
#define CLOSESIDE_HOST_KEY_VALUE_HPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/key.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host {

/// What reading a key came to.
enum class key_status : std::uint8_t {
    present,   ///< read, and it says something that such a key can say
    absent,    ///< this kernel has no such key
    unloaded,  ///< the module that brings it, nf_conntrack, is not loaded, nor built into this kernel
    hidden,    ///< the kernel has it and its value applies, but this network namespace does not show it
    denied,    ///< it is there; this process may not read it
    malformed, ///< something is there that is not such a value: empty, binary, too long, not a regular file
    emulated   ///< read, but from a sandbox (gVisor) whose files are constants and say nothing about its TCP
};

constexpr const char* to_string(key_status s) noexcept {
    switch (s) {
    case key_status::present: return "present";
    case key_status::absent: return "absent";
    case key_status::unloaded: return "unloaded";
    case key_status::hidden: return "hidden";
    case key_status::denied: return "denied";
    case key_status::malformed: return "malformed";
    case key_status::emulated: return "emulated";
    }
    return "?";
}

/// The value of one key, or why it has no value.
struct key_value {
    key_status status = key_status::absent;
    /// present, emulated: as the kernel prints it, without the line end. malformed: the beginning of what was found, with
    /// every byte that is not printable ASCII escaped as \xNN. Otherwise empty.
    std::string text;
    /// The number, the low end of a range, or the first of three; nothing for a list of ports, or if the
    /// key is not present.
    std::optional<std::int64_t> number;
    /// The high end of a range, or the last of three.
    std::optional<std::int64_t> high;
    /// denied, malformed: what was wrong, in a few words.
    std::string problem;

    friend bool operator==(const key_value&, const key_value&) = default;
};

namespace detail {

/// Interprets what stands in the file of a key, by the kernel's own rules for numbers.
inline key_value interpret(key_shape shape, std::string_view content) {
    namespace text = closeside::detail;
    const std::string_view line = text::without_line_end(content);
    const auto malformed = [&](const char* problem) {
        return key_value{key_status::malformed, text::printable_excerpt(content), {}, {}, problem};
    };
    if (!text::is_one_printable_line(line)) return malformed("not one line of printable text");

    key_value found{key_status::present, std::string(line), {}, {}, {}};
    switch (shape) {
    case key_shape::number:
        if (line.empty()) return malformed("empty");
        if (!(found.number = text::parse_number(line))) return malformed("not a number");
        return found;
    case key_shape::range: {
        if (line.empty()) return malformed("empty");
        const auto ends = text::parse_number_pair(line);
        if (!ends) return malformed("not two numbers");
        found.number = ends->first;
        found.high = ends->second;
        return found;
    }
    case key_shape::triple: {
        if (line.empty()) return malformed("empty");
        std::string_view rest = line;
        const auto low = text::take_number(rest), middle = text::take_number(rest), high = text::take_number(rest);
        if (!low || !middle || !high) return malformed("not three numbers");
        found.number = low;
        found.high = high;
        return found;
    }
    case key_shape::ports:
        if (line.find_first_not_of("0123456789,-") != line.npos) return malformed("not a list of ports");
        return found;
    }
    return found;
}

} // namespace detail

} // namespace closeside::host

#endif
