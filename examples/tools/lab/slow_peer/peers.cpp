// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include "connected.hpp"
#include "group.hpp"
#include "scoreboard.hpp"

#include <array>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

namespace lab::slow_peer {

namespace {

struct slow_reader {
    descriptor socket;
    std::size_t received = 0;
};

/// A quarter of a KiB; closes at the end, and when all is there.
void read_some(slow_reader& from, scoreboard& board) {
    if (!from.socket) return;
    std::array<char, 256> part;
    const ssize_t n = ::recv(from.socket.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) from.received += static_cast<std::size_t>(n);
    if (from.received == reply.size()) ++board.whole_replies;
    if (n <= 0 || from.received == reply.size()) from.socket.close();
}

} // namespace

int keep_waiting(const std::string& server, std::size_t count, bool only_last_kind, scoreboard& board) {
    // Real peers do not take processor time from the server.
    ::setpriority(PRIO_PROCESS, 0, 10);
    std::vector<descriptor> silent, trickling;
    std::vector<slow_reader> reading;
    for (std::size_t i = 0; i < count; ++i) {
        const kind& which = only_last_kind ? kinds.back() : kinds[i % kinds.size()];
        descriptor socket = connected(server, which.port, which.gets_reply() ? window::smallest : window::usual);
        if (which.reads_slowly())
            reading.push_back({std::move(socket)});
        else
            (which.peer == behaviour::trickles ? trickling : silent).push_back(std::move(socket));
    }
    // Every hundredth of a second one peer in a hundred sends its byte, and one reader in 25 reads.
    for (std::size_t turn = 0;; ++turn) {
        for (std::size_t i = turn % 25; board.begin && i < reading.size(); i += 25) read_some(reading[i], board);
        for (std::size_t i = turn % 100; i < trickling.size(); i += 100)
            static_cast<void>(::send(trickling[i].get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
        std::this_thread::sleep_for(10ms);
    }
}

} // namespace lab::slow_peer
