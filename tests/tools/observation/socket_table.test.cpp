// SPDX-License-Identifier: BSL-1.0
#include "observation/socket_table.hpp"
#include "observation/wait.hpp"

#include "support/every_state.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <tuple>

using namespace std::chrono_literals;
using observation::endpoint;
using observation::set_of;
using observation::socket_entry;
using observation::socket_table;
using observation::state_name;
using observation::table_source;
using observation::tcp_state;

namespace {

using rows = std::set<std::tuple<tcp_state, endpoint, endpoint, std::uint32_t>>;

rows rows_of(const socket_table& table) {
    rows all;
    for (const socket_entry& s : table.all()) all.insert({s.state, s.local, s.remote, s.inode});
    return all;
}

std::string differences() {
    const tests::every_state sockets(AF_INET);
    const socket_table diag, proc(table_source::proc);
    if (observation::available_source() != table_source::sock_diag) return "SKIPPED: no sock_diag here";
    if (!observation::eventually([&] { return rows_of(diag) == rows_of(proc); }, 5s)) return "the tables differ";
    std::set<tcp_state> seen;
    for (const socket_entry& s : diag.all()) {
        seen.insert(s.state);
        const socket_entry by_diag = diag.find(s.local, s.remote), by_proc = proc.find(s.local, s.remote);
        const tcp_state wanted = s.state == tcp_state::listen ? tcp_state::unknown : s.state;
        if (by_diag.state != wanted || by_diag.inode != (wanted == s.state ? s.inode : 0))
            return to_string(s.local) + " is not found by sock_diag";
        if (by_proc.state != s.state || by_proc.inode != s.inode) return to_string(s.local) + " is not found in /proc";
        if (s.state != tcp_state::listen && by_diag.send_queue != by_proc.send_queue)
            return to_string(s.local) + " has two send queues";
    }
    if (seen.size() != 10) return std::to_string(seen.size()) + " states seen, not all ten";
    if (diag.all(set_of(tcp_state::closing)).size() != tests::every_state::closing) return "CLOSING was not counted";
    if (diag.find({INADDR_LOOPBACK, 1}, {INADDR_LOOPBACK, 1}).state != tcp_state::unknown) return "found nothing";
    return "as expected";
}

} // namespace

TEST_CASE("network: sock_diag and /proc/net/tcp give the same table, with every state") {
    const auto text = tests::in_own_network([] {
        tests::bring_up_loopback();
        return differences();
    });
    if (!text || text->starts_with("SKIPPED")) {
        MESSAGE(text.value_or("SKIPPED: no right to make a network namespace"));
        return;
    }
    CHECK(*text == "as expected");
}

TEST_CASE("the names of states are the RFC's") {
    CHECK(std::string(state_name(tcp_state::close)) == "CLOSED");
    CHECK(std::string(state_name(tcp_state::fin_wait1)) == "FIN-WAIT-1");
    CHECK(std::string(state_name(tcp_state::unknown)) == "none");
}
