// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_KEY_VALUE_HPP
#define CLOSESIDE_HOST_KEY_VALUE_HPP

#include <closeside/detail/separate_compilation.hpp>
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

/// The name of a value, as it is printed.
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
    key_status status = key_status::absent; ///< what reading it came to
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
[[gnu::cold]] CLOSESIDE_DECL key_value interpret(key_shape shape, std::string_view content);

/// A value that the kernel prints as it is to stand in a file or a command: with blanks for the tabs of a vector.
[[gnu::cold]] CLOSESIDE_DECL std::string to_be_written(std::string_view printed);

} // namespace detail

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/key_value.ipp>
#endif

#endif
