// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_CONDENSED_HPP
#define CLOSESIDE_LAB_LOSS_CONDENSED_HPP

#include "observation/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab::loss {

/// Segments of one direction in a row, which a picture shows as one arrow.
struct burst {
    observation::segment first;
    std::size_t segments = 1;
    std::uint32_t bytes = 0;
    bool again = false; ///< bytes that were sent before
};

/// One connection from the request on, without the segments that do nothing but acknowledge.
/** `segments`: of one port, in the order they passed. */
std::vector<burst> condensed(const std::vector<observation::segment>& segments);

} // namespace lab::loss

#endif
