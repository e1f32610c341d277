// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_ORPHAN_SERVER_HPP
#define CLOSESIDE_LAB_ORPHAN_SERVER_HPP

#include "../support/observed.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/report.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace lab::orphan {

inline constexpr std::uint16_t server_port = 80;
inline constexpr std::size_t reply_size = 8000;

/// What closeside::async_close completed with.
struct ended {
    closeside::error_code error;
    closeside::close_report report;
    steady::time_point at;
};

/// Accepts connections on port 80 of a host, and ends them all at the same time, on a thread of its own.
class server {
public:
    /// It listens from here on.
    server(const host& where, const closeside::close_policy& policy);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::size_t accepted() const noexcept { return accepted_; }

    /// Writes a reply into each connection, and closes it under the policy.
    void end_all();

    std::size_t closed() const noexcept { return closed_; }

    /// Of every connection, once closed() says so.
    const std::vector<ended>& endings() const noexcept { return endings_; }

private:
    void accept();
    void end(asio::ip::tcp::socket& connection);

    closeside::close_policy policy_;
    asio::io_context io_{1};
    asio::ip::tcp::acceptor listener_;
    std::vector<asio::ip::tcp::socket> connections_;
    std::vector<char> reply_;
    std::vector<ended> endings_;
    std::atomic<std::size_t> accepted_ = 0;
    std::atomic<std::size_t> closed_ = 0;
    std::thread thread_;
};

} // namespace lab::orphan

#endif
