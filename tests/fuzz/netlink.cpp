// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include "check/follow_address.hpp"
#include "check/follow_destroyed.hpp"

#include <closeside/detail/kernel/sock_diag.hpp>
#include <closeside/host/detail/states/count.hpp>

#include <numeric>
#include <vector>

// Datagrams of sock_diag: answers to a dump, and messages about destroyed sockets.
namespace fuzz::netlink {

using namespace closeside::detail;

void visit(std::span<const std::uint8_t> datagram) {
    const auto* const data = reinterpret_cast<const char*>(datagram.data());
    diag_dump dump;
    closeside::host::tcp_states states;
    std::size_t visited = 0;
    visit_datagram(dump, TCPDIAG_GETSOCK, data, datagram.size(), [&](const inet_diag_msg& socket) {
        ++visited;
        closeside::host::detail::count_socket(states, static_cast<tcp_state>(socket.idiag_state), socket.idiag_timer);
    });
    require(visited * sizeof(inet_diag_msg) <= datagram.size(), "each socket has a message of its own");
    require(dump.malformed * sizeof(nlmsghdr) <= datagram.size(), "each short message has a header of its own");
    require(dump.reached != diag_dump::progress::failed || dump.error > 0, "a failure has an errno");
    require(dump.reached != diag_dump::progress::stopped, "nothing but the clock stops a dump");
    const auto counted = std::accumulate(states.counts.begin(), states.counts.end(), states.malformed);
    require(counted == visited, "each socket is in one count");
}

void destroyed(std::span<const std::uint8_t> datagram) {
    const std::vector<char> copy(datagram.begin(), datagram.end());
    const auto found = check::follow::parse_destroyed(copy);
    require(found.size() * sizeof(inet_diag_msg) <= datagram.size(), "each destroyed socket has a message of its own");
    for (const auto& d : found) {
        const std::string text = to_string(d.ends.local) + to_string(d.ends.peer);
        require(!has_control_byte(text) && text.find('?') == text.npos, "an end has an address");
    }
}

void run(input in) {
    const auto datagram = in.take_bytes(in.size());
    // A copy, so that a sanitizer sees a read beyond its end.
    const std::vector<std::uint8_t> copy(datagram.begin(), datagram.end());
    visit(copy);
    destroyed(copy);
}

const target here("netlink", run);

} // namespace fuzz::netlink
