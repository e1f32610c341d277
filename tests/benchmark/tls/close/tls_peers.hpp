// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_TLS_CLOSE_TLS_PEERS_HPP
#define CLOSESIDE_BENCHMARK_TLS_CLOSE_TLS_PEERS_HPP

#include "benchmark/close/subject/peers.hpp"
#include "support/tls_client.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace benchmark_tls {

/// Clients of TLS 1.3 that answer close_notify with their own and a FIN, as OpenSSL's users do.
class tls_peers final : public benchmark_close::peers {
public:
    std::vector<int> connect(unsigned connections) override;
    bool send_request() override;
    void answer() override;
    unsigned end() override;

private:
    std::size_t send(std::size_t index, const std::vector<char>& data) override;

    struct client {
        explicit client(int fd) : tls(fd) {}

        tests::tls_client tls;
        bool handshake_done = false;
    };
    std::vector<std::unique_ptr<client>> clients_;
};

} // namespace benchmark_tls

#endif
