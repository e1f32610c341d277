// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_SERVER_HPP
#define CLOSESIDE_LAB_NAT_SERVER_HPP

#include "../support/observed.hpp"

#include <cstdint>
#include <memory>

namespace lab::nat {

inline constexpr std::uint16_t server_port = 80;

/// Who closes a connection once the reply is written.
enum class ending : std::uint8_t {
    plain_asio,         ///< the server: tcp::socket::shutdown(shutdown_both) and close()
    graceful,           ///< the server: policies::graceful
    peer_first,         ///< the client: policies::peer_first
    peer_first_or_reset ///< the client, or nobody: policies::peer_first_or_reset
};

const char* to_string(ending e) noexcept;

constexpr bool server_closes_first(ending e) noexcept { return e == ending::plain_asio || e == ending::graceful; }

/// Answers requests on port 80 of a host, on a thread of its own, until it is destroyed.
class server {
public:
    virtual ~server() = default;
};

/// It listens when this returns.
std::unique_ptr<server> serve(const host& where, ending how);

} // namespace lab::nat

#endif
