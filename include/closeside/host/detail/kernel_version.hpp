// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_KERNEL_VERSION_HPP
#define CLOSESIDE_HOST_DETAIL_KERNEL_VERSION_HPP

#include <charconv>
#include <compare>
#include <optional>
#include <string_view>

namespace closeside::host::detail {

/// The first two numbers of a kernel release. Rules go by which keys exist, since vendors backport; this decides
/// what the absence of a key means, and where one value has meant different things (meaning_by_release.hpp).
struct kernel_version {
    int major = 0;
    int minor = 0;

    friend constexpr auto operator<=>(const kernel_version&, const kernel_version&) noexcept = default;
};

/// Reads `6.18.44-amd64` as 6.18; std::nullopt for a text that does not begin with two numbers and a dot between.
inline std::optional<kernel_version> parse_kernel_version(std::string_view release) noexcept {
    kernel_version v;
    const char* const end = release.data() + release.size();
    const auto major = std::from_chars(release.data(), end, v.major);
    if (major.ec != std::errc{} || v.major < 0 || major.ptr == end || *major.ptr != '.') return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, end, v.minor);
    if (minor.ec != std::errc{} || v.minor < 0) return std::nullopt;
    return v;
}

} // namespace closeside::host::detail

#endif
