// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_ONE_CLIENT_HPP
#define CLOSESIDE_LAB_NAT_ONE_CLIENT_HPP

#include "variant.hpp"

#include "../support/report.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// One client behind a NAT. Its clock only goes forward, so a timestamp that is behind that of its last connection comes from
// its kernel: from an offset of each connection's own (up to Linux 4.10, and again where CVE-2026-23247 is mended), instead of
// one for each pair of addresses.
namespace lab::nat::one_client {

struct variant {
    ending how = ending::graceful;
    bool client_ends = true; ///< once it has the reply; otherwise it waits for the server to end the connection
    bool rfc1337 = false;
    int client_timestamps = 1; ///< net.ipv4.tcp_timestamps of the client
};

struct dimensions {
    std::size_t ports = 0;       ///< of the NAT, and connections in either round
    std::size_t repetitions = 0; ///< each from ports of the client that were not used before
    std::chrono::milliseconds connect_limit{};
};

struct result {
    variant what;
    std::vector<outcome> found;     ///< of each repetition; the numbers below are sums over their second rounds
    std::vector<double> connect_ms; ///< of those that were connected, rising
    std::size_t connects = 0;
    std::size_t time_wait_on_server = 0; ///< that the second round's connects meet
    std::size_t behind = 0;              ///< SYNs whose timestamp is behind the last of the connection before
    std::size_t challenged = 0;          ///< the SYN was answered by an ACK
    std::size_t otherwise = 0;           ///< challenged and not behind, or behind and not challenged
    std::size_t late = 0;                ///< connected, but not within 200 ms
    std::size_t failed = 0;
    bool own_offsets = false; ///< the timestamps of simultaneous connections differ by more than a clock could
};

using results = std::vector<result>;

/// "graceful, client ends, rfc1337 = 1, timestamps 1"
std::string name_of(const variant& v);

/// A client, a NAT and a server in namespaces of their own. The client connects once for each port of the NAT; when the NAT
/// has forgotten these connections, and the server may not have, it connects as often from other local ports.
/** Blocks until it is over. The client's ports begin with `first_port`; those of two variants that overlap have the same
 *  timestamps' offsets. */
result run(const variant& chosen, const dimensions& size, std::uint16_t first_port);

/// How many ports the client of one variant uses.
constexpr std::size_t ports_of_client(const dimensions& size) noexcept { return 2 * size.ports * size.repetitions; }

/// With its client's usual timestamps, and a client that ends its connections where it is told to.
const result& pick(const results& all, ending how, bool rfc1337);

/// Whether this kernel gives each connection an offset of its own.
bool kernel_has_own_offsets(const results& all);

void check_claims(report& r, const results& all);

} // namespace lab::nat::one_client

#endif
