// SPDX-License-Identifier: BSL-1.0
// Closes plain Asio sockets under a policy of the command line. Start `run_time_policy [port [local|peer [patience in
// ms [close|abort]]]]`, then `nc 127.0.0.1 7013`: it greets, and closes. Its log has a line for each connection.
#include <closeside/close.hpp>
#include <closeside/policy.hpp>

#include "number.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace cs = closeside;
using asio::ip::tcp;

namespace {

cs::close_policy policy_of(int argc, char** argv) {
    const auto either = [&](int i, const std::string& first, const std::string& second) {
        const std::string given = argc > i ? argv[i] : first;
        if (given != first && given != second)
            throw std::invalid_argument("'" + given + "' is neither " + first + " nor " + second);
        return given == first;
    };
    cs::close_policy policy;
    policy.closes_first = either(2, "local", "peer") ? cs::side::local : cs::side::peer;
    if (argc > 3) policy.patience = std::chrono::milliseconds(number(argv[3]));
    policy.on_limit = either(4, "close", "abort") ? cs::limit_action::close : cs::limit_action::abort;
    // The sentence that the compiler would have printed, before there is a connection to close.
    if (const char* const sentence = contradiction(policy)) throw std::invalid_argument(sentence);
    return policy;
}

void accept_next(tcp::acceptor& listener, const cs::close_policy& policy) {
    listener.async_accept([&](cs::error_code failed, tcp::socket socket) {
        if (failed == asio::error::operation_aborted) return; // the server stops
        if (!failed) {
            const auto client = std::make_shared<tcp::socket>(std::move(socket));
            static const std::string greeting = "closed with " + to_string(policy) + '\n';
            asio::async_write(*client, asio::buffer(greeting), [client, &policy](cs::error_code, std::size_t) {
                cs::async_close(std::move(*client), policy, [](cs::error_code ec, const cs::close_report& report) {
                    std::clog << "closed: " << ec.message() << ": " << report << '\n';
                });
            });
        }
        accept_next(listener, policy);
    });
}

} // namespace

int main(int argc, char** argv) {
    try {
        const cs::close_policy policy = policy_of(argc, argv);
        const std::uint16_t port = argc > 1 ? number(argv[1]) : 7013;
        asio::io_context io(1);
        tcp::acceptor listener(io, {tcp::v4(), port});
        asio::signal_set signals(io, SIGINT, SIGTERM);
        std::clog << "greeting on " << listener.local_endpoint() << ", closing with " << to_string(policy) << '\n';
        signals.async_wait([&](cs::error_code, int) { listener.close(); });
        accept_next(listener, policy);
        io.run(); // until the last close is over
    } catch (const std::exception& e) {
        std::cerr << "run_time_policy: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
