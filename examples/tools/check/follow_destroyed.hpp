// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_DESTROYED_HPP
#define CLOSESIDE_CHECK_FOLLOW_DESTROYED_HPP

#include "follow_address.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace check::follow {

/// A TCP socket that this network namespace has no more.
struct destroyed_socket {
    std::uint64_t cookie = 0;
    connection ends{}; ///< what the kernel had not forgotten: an aborted connection has lost its peer
};

/// What one datagram of the kernel says; a message that is cut off ends it.
std::vector<destroyed_socket> parse_destroyed(std::span<const char> datagram);

/// sock_diag's multicast groups of destroyed sockets, of the network namespace that this process is in.
class destroy_listener {
public:
    /// Throws std::system_error: where the kernel has no inet_diag, or a sandbox is in the way. No right is needed.
    destroy_listener();

    /// Appends what has come since.
    void read(std::vector<destroyed_socket>& into);

    /// How often the kernel had no room for a message; each time one or more are missing.
    std::uint64_t overruns() const { return overruns_; }

private:
    closeside::detail::owned_descriptor netlink_;
    std::uint64_t overruns_ = 0;
};

} // namespace check::follow

#endif
