// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include "connected.hpp"
#include "kinds.hpp"

#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

namespace lab::slow_peer {

int keep_waiting(const std::string& server, std::size_t count, bool only_last_kind) {
    // Real peers do not take processor time from the server.
    ::setpriority(PRIO_PROCESS, 0, 10);
    std::vector<descriptor> silent, trickling;
    for (std::size_t i = 0; i < count; ++i) {
        const kind& which = only_last_kind ? kinds.back() : kinds[i % kinds.size()];
        auto& all = which.peer == behaviour::trickles ? trickling : silent;
        all.push_back(connected(server, which.port, which.reads() ? window::usual : window::smallest));
    }
    // Every hundredth of a second one peer in a hundred sends its byte.
    for (std::size_t turn = 0;; ++turn) {
        for (std::size_t i = turn % 100; i < trickling.size(); i += 100)
            static_cast<void>(::send(trickling[i].get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
        std::this_thread::sleep_for(10ms);
    }
}

} // namespace lab::slow_peer
