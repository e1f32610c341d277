// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_WAITING_SERVER_HPP
#define CLOSESIDE_BENCHMARK_WAITING_SERVER_HPP

#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace benchmark_waiting {

/// What holds many idle connections and then closes them all at once.
class server {
public:
    server() = default;
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    virtual ~server() = default;

    virtual std::uint16_t port() const = 0;
    virtual void accept(unsigned connections) = 0;
    /// Begins every close; what the server itself had of the connections is gone afterwards.
    virtual void close_all() = 0;
};

/// How a server is made that half-closes, waits for the peer's FIN until the limit, and closes.
using server_maker = std::unique_ptr<server> (*)(asio::io_context&, std::chrono::milliseconds limit);

/// stream<P>::async_close with a callback that gets the report. The limit is one of limits.
std::unique_ptr<server> close_by_policy(asio::io_context&, std::chrono::milliseconds limit);
/// The same where the streams are dropped: nobody gets a report, as by hand there is none.
std::unique_ptr<server> drop_by_policy(asio::io_context&, std::chrono::milliseconds limit);

/// By hand: socket, timer and 1 KiB of buffer in a session each, as Asio's own examples have it.
std::unique_ptr<server> close_by_hand(asio::io_context&, std::chrono::milliseconds limit);
/// The leanest: the same with one buffer for all, since what comes is thrown away.
std::unique_ptr<server> close_by_hand_sharing(asio::io_context&, std::chrono::milliseconds limit);

} // namespace benchmark_waiting

#endif
