// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_PORT_SERVER_HPP
#define CLOSESIDE_LAB_PORT_SERVER_HPP

#include "../support/observed.hpp"

#include <closeside/close_policy.hpp>

#include <cstdint>
#include <memory>

namespace lab::port {

inline constexpr std::uint16_t server_port = 80;

/// Accepts connections on port 80 of a host and closes each at once, on a thread of its own, until it is destroyed.
class server {
public:
    virtual ~server() = default;
};

/// side::local: under policies::graceful, so that the server closes first; side::peer: under policies::peer_first.
/** It listens when this returns. */
std::unique_ptr<server> serve(const host& where, closeside::side closes_first);

} // namespace lab::port

#endif
