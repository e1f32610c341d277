// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_HARD_CLIENTS_HPP
#define CLOSESIDE_TESTS_PORTED_HARD_CLIENTS_HPP

#include "ported/http_message.hpp"
#include "ported/peer.hpp"
#include "ported/running.hpp"
#include "support/kernel_view.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace ported {

/// A reply to http_request(size) with all its bytes.
inline bool is_whole(const std::string& reply, std::size_t size) { return reply == http_reply(http_request(size)); }

/// Asks, reads the reply by its length, and, if it is to, the end of the stream; then closes.
struct healthy_client {
    static constexpr std::size_t size = 200'000;

    healthy_client(const tcp::endpoint& server, bool reads_to_end, std::chrono::milliseconds bound = healthy_bound) {
        const auto began = std::chrono::steady_clock::now();
        peer p(server, bound);
        local = p.local();
        const std::size_t length = http_reply(http_request(size)).size();
        std::string reply;
        p.send(http_request(size));
        p.read_until(reply, [&](const std::string& all) { return !reads_to_end && all.size() >= length; });
        served = is_whole(reply, size) && p.error() == 0 && std::chrono::steady_clock::now() - began < bound;
    }

    tcp::endpoint local;
    bool served = false;
};

inline constexpr std::size_t large = 1'000'000;

/// What the clients of an HTTP server have seen.
struct experience {
    int healthy = 0, healthy_served = 0;
    std::vector<tcp::endpoint> healthy_clients;
    int floods = 0, floods_whole = 0;
    int kicked = 0; ///< of those that stopped in the middle of their request
    int half_requests = 0;
    std::size_t flood_bytes = 0;
    bool exited = false; ///< while they were there
};

/// Clients that reset, stall and flood, and healthy ones all the while.
/** @param reads_to_end  see healthy_client
 *  @param kicks         the server ends connections that are idle */
template <class Server>
experience visit(running<Server>& server, bool reads_to_end, bool kicks) {
    experience seen;
    const auto serve_a_healthy_one = [&] {
        const healthy_client c(server.at(), reads_to_end);
        ++seen.healthy;
        seen.healthy_served += c.served ? 1 : 0;
        seen.healthy_clients.push_back(c.local);
    };
    std::vector<peer> stalled, half_asked, flooding;
    serve_a_healthy_one();
    for (int round = 0; round < 4; ++round) {
        peer(server.at()).reset();
        peer half(server.at()), reading(server.at()), not_reading(server.at());
        half.send("GET /1000 HT");
        reading.send(http_request(large));
        not_reading.send(http_request(large));
        std::string some;
        reading.read_until(some, [](const std::string& all) { return !all.empty(); });
        half.reset();
        reading.reset();
        not_reading.reset();
        serve_a_healthy_one();

        stalled.emplace_back(server.at()).send(http_request(8 * large)); // more than the kernel takes for it
        stalled.emplace_back(server.at()).send(http_request(large));
        half_asked.emplace_back(server.at()).send("GET /1000 HT");
        serve_a_healthy_one();

        flooding.emplace_back(server.at()).send(http_request(large) + std::string(20'000, 'f'));
        serve_a_healthy_one();
    }
    {
        const flood others(flooding);
        kernel_view::eventually([&] { return others.sent() >= large || others.live() == 0; });
        for (int i = 0; i < 16; ++i) serve_a_healthy_one();
        for (peer& p : flooding) {
            // Whoever closes early over what the client sends has done so before it begins to read.
            kernel_view::eventually(
                [&] { return kernel_view::state(server.at(), p.local()) != kernel_view::established; });
            ++seen.floods;
            seen.floods_whole += is_whole(p.read_to_end(), large) && p.error() == 0 ? 1 : 0;
        }
        serve_a_healthy_one();
        seen.flood_bytes = others.sent();
    }
    for (peer& p : half_asked) {
        ++seen.half_requests;
        if (kicks) seen.kicked += p.read_to_end().empty() && p.error() == 0 ? 1 : 0;
    }
    seen.exited = server.has_exited();
    return seen;
}

} // namespace ported

#endif
