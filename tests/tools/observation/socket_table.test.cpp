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

/// Until then a segment may still be on its way, which changes a state between two looks.
bool every_segment_has_arrived(const socket_table& table) {
    using sockets = tests::every_state;
    const auto count = [&](tcp_state state) { return table.all(set_of(state)).size(); };
    return count(tcp_state::listen) == sockets::listen_count && count(tcp_state::syn_sent) == sockets::syn_sent &&
           count(tcp_state::syn_received) == sockets::syn_received &&
           count(tcp_state::established) == sockets::established && count(tcp_state::fin_wait1) == sockets::fin_wait1 &&
           count(tcp_state::fin_wait2) == sockets::fin_wait2 && count(tcp_state::close_wait) == sockets::close_wait &&
           count(tcp_state::closing) == sockets::closing && count(tcp_state::last_ack) == sockets::last_ack &&
           count(tcp_state::time_wait) == sockets::time_wait;
}

/// Between two tables of one moment; those of different moments may well differ.
std::string differences(const socket_table& diag, const socket_table& proc) {
    if (!every_segment_has_arrived(diag)) return "not every state is there";
    if (rows_of(diag) != rows_of(proc)) return "the tables differ";
    for (const socket_entry& s : diag.all()) {
        const socket_entry by_diag = diag.find(s.local, s.remote), by_proc = proc.find(s.local, s.remote);
        const tcp_state wanted = s.state == tcp_state::listen ? tcp_state::unknown : s.state;
        if (by_diag.state != wanted || by_diag.inode != (wanted == s.state ? s.inode : 0))
            return to_string(s.local) + " is not found by sock_diag";
        if (by_proc.state != s.state || by_proc.inode != s.inode) return to_string(s.local) + " is not found in /proc";
        if (s.state != tcp_state::listen && by_diag.send_queue != by_proc.send_queue)
            return to_string(s.local) + " has two send queues";
    }
    if (diag.find({INADDR_LOOPBACK, 1}, {INADDR_LOOPBACK, 1}).state != tcp_state::unknown) return "found nothing";
    return "as expected";
}

std::string differences() {
    const tests::every_state sockets(AF_INET);
    const socket_table diag, proc(table_source::proc);
    if (observation::available_source() != table_source::sock_diag) return "SKIPPED: no sock_diag here";
    std::string found;
    observation::eventually([&] { return (found = differences(diag, proc)) == "as expected"; }, 5s);
    return found;
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
