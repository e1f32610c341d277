// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_PRIORITY_PREFIX_HPP
#define CLOSESIDE_HOST_DETAIL_PRIORITY_PREFIX_HPP

#include <closeside/host/finding.hpp>

#include <string_view>

namespace closeside::host::detail {

/// What sd-daemon(3) puts before a line to give it a priority: `<2>`, `<4>`, `<5>`.
constexpr std::string_view priority_prefix(severity s) noexcept {
    switch (s) {
    case severity::critical: return "<2>";
    case severity::warning: return "<4>";
    case severity::note: break;
    }
    return "<5>";
}

} // namespace closeside::host::detail

#endif
