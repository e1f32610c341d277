// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_CONTENDER_HPP
#define CLOSESIDE_BENCHMARK_SERVE_CONTENDER_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace benchmark_serve {

/// When a client closes its end.
enum class client {
    closes_at_end,       ///< after the server's FIN, as a client does that reads until the end
    closes_when_complete ///< after as many bytes as the header announces, as a client does that counts
};

/// Listens on every address and serves until the process is killed, or throws.
using server = std::function<void(std::uint16_t port)>;

/// A server, and the client that it is measured with.
struct contender {
    std::string name;
    server serve;
    client its_client;
};

/// Does what lingering_close_on_epoll does, without a report.
inline const std::string graceful_dropped = "graceful, dropped";

/// Each of our presets with the client whose FIN comes when the preset wants it, closed in both ways.
std::vector<contender> our_presets();

contender plain_close(client c);
contender lingering_close_by_hand(client c);
/// Without Asio: what the kernel demands of a server that closes like this, and little more.
contender lingering_close_on_epoll(client c);

} // namespace benchmark_serve

#endif
