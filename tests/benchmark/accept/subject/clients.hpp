// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_ACCEPT_CLIENTS_HPP
#define CLOSESIDE_BENCHMARK_ACCEPT_CLIENTS_HPP

#include <vector>

namespace benchmark_accept {

/// The connecting ends, on the server's own thread: they act while its loop has nothing to do.
class clients {
public:
    explicit clients(int listener) : listener_(listener) {}
    clients(const clients&) = delete;
    clients& operator=(const clients&) = delete;
    ~clients();

    /// So many connections; they wait to be accepted when this returns.
    void connect(unsigned connections);

    /// Closes them all; the FINs have reached the accepted sockets when this returns.
    void close(const std::vector<int>& accepted);

private:
    int listener_;
    std::vector<int> fds_;
};

} // namespace benchmark_accept

#endif
