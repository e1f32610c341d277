// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_PICTURES_HPP
#define CLOSESIDE_LAB_NAT_PICTURES_HPP

#include "variant.hpp"

#include "../support/svg.hpp"

#include <optional>
#include <string>

namespace lab::nat {

/// A client that is locked out, from the end of the connection that used its port before; nothing if none was.
/** `next`: who comes from its port then. */
std::optional<svg::panel> lock_out(const outcome& server_first, std::chrono::milliseconds connect_limit,
                                   const std::string& next = "the other client comes from the same port");

/// A client that gets the port of a connection that its own client closed first.
std::optional<svg::panel> cured(const outcome& peer_first);

/// The share of clients that are connected after a time.
svg::panel latencies(const outcome& default_kernel, const outcome& locked_out, const outcome& peer_first,
                     std::chrono::milliseconds connect_limit);

} // namespace lab::nat

#endif
