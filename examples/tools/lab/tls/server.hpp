// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_SERVER_HPP
#define CLOSESIDE_LAB_TLS_SERVER_HPP

#include "variant.hpp"

#include "../support/observed.hpp"

#include <closeside/detail/asio/asio.hpp>
#include <closeside/tls_report.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lab::tls {

/// What the server's program knows of its connection.
struct server_view {
    endpoint client;
    bool written = false; ///< the reply, all of it
    bool closed = false;
    std::chrono::microseconds took{}; ///< from the start of the close until nothing of it was left to do
    closeside::error_code error;      ///< of the close
    std::optional<closeside::tls_close_report> report; ///< async_close only; on plain TCP, its close_report
    std::string failure;                               ///< why the connection did not come to its close
};

/// Serves one connection on this thread: accept, handshake, request, reply, and the end that `what` says.
/** `on_listening` is called when a client may connect. Returns when the connection is closed, or when `bound` is over. */
server_view serve_one(const variant& what, const host& where, std::uint16_t port,
                      const std::function<void()>& on_listening);

} // namespace lab::tls

#endif
