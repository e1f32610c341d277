// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SHARED_OBJECTS_BOTH_SIDES_HPP
#define CLOSESIDE_TESTS_SHARED_OBJECTS_BOTH_SIDES_HPP

#include "library.hpp"

#include <closeside/closeside.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

// Hidden, and so compiled once into the library and once into the program.

inline view look_from_here(asio::io_context& io) {
    return {closeside::error::patience_over, &closeside::error_category(),
            &closeside::detail::close_deadlines::of(io.get_executor())};
}

constexpr closeside::close_policy brief{.drain_time = std::chrono::milliseconds(50)};

inline void begin_close_from_here(asio::io_context& io, std::error_code& outcome) {
    using asio::ip::tcp;
    closeside::acceptor<brief> listener(io, {asio::ip::address_v4::loopback(), 0});
    const auto peer = std::make_shared<tcp::socket>(io);
    peer->connect(listener.local_endpoint());
    outcome = std::make_error_code(std::errc::operation_in_progress);
    closeside::stream<brief> ours = listener.accept();
    closeside::orderly_stop(io).async_stop({}, [](const std::error_code&, const closeside::stop_report&) {});
    ours.async_close([peer, &outcome](const std::error_code& ec, const closeside::close_report&) { outcome = ec; });
}

#endif
