// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_PEERS_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_PEERS_HPP

#include <cstddef>
#include <vector>

namespace benchmark_close {

/// The other ends of the connections that are closed, with blocking calls on this very thread.
/** They act only when they are told to, so that what the closing side sees is the same in every run. */
class peers {
public:
    static constexpr std::size_t upload_size = 64 * 1024;

    peers();
    peers(const peers&) = delete;
    peers& operator=(const peers&) = delete;
    ~peers();

    /// Connects so many and accepts them by hand, so that accepting costs every contender the same.
    std::vector<int> connect(unsigned connections);

    /// One byte from each, there when this returns.
    void send_request();

    /// upload_size bytes from each, all in the receive queues when this returns.
    void send_upload();

    /// A FIN from each, before the closing side has sent any.
    void leave();

    /// Each reads to the end of file and closes; how many saw a reset instead. The FINs are there when this returns.
    unsigned answer();

private:
    struct connection {
        int peer;
        int accepted;
    };

    void send_to_all(std::size_t bytes);

    int listener_;
    std::vector<connection> connections_;
};

} // namespace benchmark_close

#endif
