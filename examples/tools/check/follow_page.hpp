// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_PAGE_HPP
#define CLOSESIDE_CHECK_FOLLOW_PAGE_HPP

#include "follow_format.hpp"

#include <cstdint>
#include <functional>

namespace check::follow {

/// Calls `visit(nanoseconds, record)` for each record in a page of the kernel's ring buffer, as trace_pipe_raw gives it.
/** @return whether the page is well-formed; what stands before a fault has been visited. */
bool visit_page(const page_layout& layout, bytes page, const std::function<void(std::uint64_t, bytes)>& visit);

} // namespace check::follow

#endif
