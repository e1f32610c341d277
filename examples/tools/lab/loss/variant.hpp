// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_VARIANT_HPP
#define CLOSESIDE_LAB_LOSS_VARIANT_HPP

#include "clients.hpp"
#include "server.hpp"

#include "observation/segment.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lab::loss {

/// What one run differs in.
struct variant {
    ending how = ending::plain_close;
    unsigned percent = 10; ///< of the segments that get lost, each way
    bool slow = false;     ///< clients take longer to read the reply than patience lasts
    bool recorded = false; ///< every segment, for a picture: for few connections
};

struct outcome {
    std::vector<receipt> receipts;
    std::vector<close_outcome> closes;
    std::size_t time_wait_on_server = 0;
    std::size_t time_wait_on_client = 0;
    long long aborts_on_close = 0; ///< the server's TCPAbortOnClose: close(2) over unread input
    long long aborts_on_data = 0;  ///< TCPAbortOnData: input for a socket that was closed, or SO_LINGER 0
    long long orphans_reset =
        0; ///< TCPAbortOnMemory of both hosts: tcp_max_orphans, which all hosts share, was reached
    std::vector<observation::segment> segments;
};

inline const std::string server_address = "192.0.2.1";
inline const std::string client_address = "192.0.2.2";

/// A server and a host of clients, in namespaces of their own, with loss between them. Blocks until it is over.
outcome run(const variant& chosen, client_plan plan);

} // namespace lab::loss

#endif
