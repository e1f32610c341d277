// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_VARIANT_HPP
#define CLOSESIDE_LAB_NAT_VARIANT_HPP

#include "../support/observed.hpp"

#include "clients.hpp"
#include "server.hpp"

#include "observation/segment.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lab::nat {

/// What one run differs in.
struct variant {
    ending how = ending::plain_asio;
    bool rfc1337 = false;
    bool timestamps = true;           ///< net.ipv4.tcp_timestamps of the server; without them a connection has none
    bool resets_lost = false;         ///< the NAT drops every RST
    std::uint16_t first_port = 40000; ///< of the clients; other ports have other timestamps and sequence numbers
};

struct dimensions {
    std::size_t ports = 0; ///< that each client uses in either round
    std::chrono::milliseconds connect_limit{};
};

/// What closeside-check said of tcp_rfc1337 in the server's namespace.
struct checked {
    std::optional<nlohmann::json> before; ///< finding CS101, before the first connection; nothing: it was not found
    std::optional<nlohmann::json> during; ///< the same while clients were locked out
};

struct outcome {
    std::vector<attempt> first;               ///< from ports that nobody used before: they leave the TIME-WAIT behind
    std::vector<attempt> second;              ///< from the ports that the other client used
    std::map<std::string, long long> counted; ///< by how much the server's counters moved; not those that it has not
    std::size_t time_wait_on_server = 0;      ///< after the first round
    std::size_t time_wait_on_clients = 0;
    std::vector<observation::segment> segments; ///< on the server's interface
    std::optional<checked> check;
};

/// The counters that `outcome::counted` holds.
extern const std::vector<std::string> counter_names;

inline const std::string server_address = "198.51.100.2";

/// Two clients, a NAT and a server in namespaces of their own. Each client connects from ports of its own; when the NAT has
/// forgotten these connections, and the server may not have, each connects from the ports that the other had.
/** With a path in `check` closeside-check looks at the server's namespace before and during. Blocks until it is over. */
outcome run(const variant& chosen, const dimensions& size, const std::string& check);

} // namespace lab::nat

#endif
