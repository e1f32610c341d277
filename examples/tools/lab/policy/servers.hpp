// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_SERVERS_HPP
#define CLOSESIDE_LAB_POLICY_SERVERS_HPP

#include "scenario.hpp"

#include <closeside/detail/asio/asio.hpp>
#include <closeside/report.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace lab::policy {

/// What the server's program knows of its connection when it is closed: the program's own opinion.
struct server_view {
    std::uint64_t read = 0;    ///< bytes of the request
    std::uint64_t written = 0; ///< bytes of the reply that the socket took
    closeside::error_code write_error;
    closeside::error_code close_error;
    std::optional<closeside::close_report> report;   ///< closeside's async_close only
    std::chrono::microseconds close_time{};          ///< from the start of the close to its completion
    std::chrono::microseconds blocked{};             ///< how long the closing call or destructor held the thread
    std::chrono::system_clock::time_point closed_at; ///< not before the descriptor was released
    bool closed = false;                             ///< the close completed within the bound
};

/// Serves one connection on this thread: accept, read the request, write the reply, end it as `kind` does.
/** `on_listening` gets the port. Returns when the connection is closed, or when `lab.bound` is over. */
server_view serve_one(server_kind kind, const settings& lab, const std::function<void(std::uint16_t)>& on_listening);

} // namespace lab::policy

#endif
