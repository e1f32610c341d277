// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_PEERS_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_PEERS_HPP

#include <cstddef>
#include <vector>

namespace benchmark_close {

/// The other ends of the connections that are closed, with blocking calls on this very thread: TCP alone.
/** They act only when they are told to, so that what the closing side sees is the same in every run. */
class peers {
public:
    static constexpr std::size_t upload_size = 64 * 1024;

    peers();
    peers(const peers&) = delete;
    peers& operator=(const peers&) = delete;
    virtual ~peers();

    /// Connects so many and accepts them by hand, so that accepting costs every contender the same.
    virtual std::vector<int> connect(unsigned connections);

    /// One byte from each, there when this returns true. Until then the closing side has something to do first.
    virtual bool send_request();

    /// upload_size bytes from each, all in the receive queues when this returns.
    void send_upload();

    /// A FIN from each, before the closing side has sent any.
    void leave();

    /// Each answers the end that it sees. The FINs are there when this returns.
    virtual void answer();

    /// The connections are gone on the closing side: how many of the peers saw a reset?
    virtual unsigned end();

protected:
    struct connection {
        int peer;
        int accepted;
    };

    const std::vector<connection>& connections() const noexcept { return connections_; }

    /// From the peer of that index; returns the bytes on the wire.
    virtual std::size_t send(std::size_t index, const std::vector<char>& data);

    /// Each reads to the end of file and closes.
    void read_to_end();

    /// Until the peer's FIN is at the closing side, unless that has closed already.
    static void wait_for_fin(const connection& c);

private:
    void send_to_all(std::size_t bytes);

    int listener_;
    std::vector<connection> connections_;
    unsigned resets_ = 0;
};

} // namespace benchmark_close

#endif
