// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <closeside/detail/kernel/proc_net_counters.hpp>
#include <closeside/detail/kernel/proc_net_tcp_row.hpp>
#include <closeside/detail/kernel/sockstat.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/detail/states/proc.hpp>

#include <array>
#include <cstdio>
#include <numeric>
#include <string>

// What stands below /proc/net.
namespace fuzz {

namespace proc_net_tcp {

using namespace closeside::detail;
using closeside::host::tcp_states;

std::string address_in_words(const in6_addr& a) {
    std::uint32_t words[4];
    std::memcpy(words, &a, sizeof a);
    char text[40];
    std::snprintf(text, sizeof text, "%08X%08X%08X%08X", words[0], words[1], words[2], words[3]);
    return text;
}

/// As tcp6_seq_show prints it.
std::string printed(const tcp_entry& e) {
    char text[256];
    std::snprintf(text, sizeof text, "   0: %s:%04X %s:%04X %02X 00000000:00000000 %02X:%08lX 00000000 %5u %8d %lu",
                  address_in_words(e.local).c_str(), e.local_port, address_in_words(e.remote).c_str(), e.remote_port,
                  static_cast<unsigned>(e.state), e.timer, static_cast<unsigned long>(e.seconds_left) * 100, e.uid, 0,
                  e.inode);
    return text;
}

bool is_same(const tcp_entry& a, const tcp_entry& b) {
    return std::memcmp(&a.local, &b.local, sizeof a.local) == 0 &&
           std::memcmp(&a.remote, &b.remote, sizeof a.remote) == 0 && a.local_port == b.local_port &&
           a.remote_port == b.remote_port && a.state == b.state && a.timer == b.timer && a.uid == b.uid &&
           a.inode == b.inode && a.seconds_left == b.seconds_left;
}

void row(std::string_view line) {
    tcp_entry e;
    if (!parse_row(line, e)) return;
    require(e.seconds_left >= 0, "the time that is left is not negative");
    tcp_entry again;
    require(parse_row(printed(e), again) && is_same(e, again), "a row that is printed is the same row");
}

tcp_states counted(std::string_view table, std::uint16_t port, std::size_t piece) {
    tcp_states states;
    closeside::host::detail::proc_row_counter rows(states, port);
    for (std::size_t at = 0; at < table.size(); at += piece) rows.add_piece(table.substr(at, piece));
    rows.add_end();
    return states;
}

void run(input in) {
    const std::size_t piece = in.take<std::uint8_t>() + std::size_t{1};
    const std::uint16_t port = in.flag() ? std::uint16_t{443} : std::uint16_t{0};
    const std::string_view table = in.rest();
    const tcp_states whole = counted(table, port, table.size() + 1), cut = counted(table, port, piece);
    const auto total = std::accumulate(whole.counts.begin(), whole.counts.end(), std::uint64_t{0});
    require(total + whole.malformed <= table.size() + 1, "there are no more rows than characters");
    require(whole.fin_wait2_mini <= whole.counts[static_cast<std::size_t>(tcp_state::fin_wait2)],
            "a mini-socket in FIN-WAIT-2 is a socket in FIN-WAIT-2");

    bool has_long_line = false;
    std::string_view rest = table;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        constexpr std::size_t longest = 512;
        has_long_line = has_long_line || line.size() > longest;
        row(line);
    }
    require(has_long_line || whole == cut, "where the pieces of a table are cut does not matter");
}

const target here("proc_net_tcp", run);

} // namespace proc_net_tcp

namespace proc_net_counters {

using namespace closeside::detail;

void run(input in) {
    const std::string_view text = in.rest();
    std::array<std::optional<std::uint64_t>, 3> places{};
    std::size_t asked = 0;
    for (const char* const group : {"TcpExt", "Tcp", ""})
        read_counts(text, group, [&](std::string_view name) -> std::optional<std::uint64_t>* {
            require(!name.empty() && name.find_first_of(" \n") == name.npos, "a counter's name is a word");
            ++asked;
            return name == "TCPTimeWaitOverflow" ? &places[0] : name == "CurrEstab" ? &places[1] : nullptr;
        });
    require(asked <= 3 * text.size(), "there are no more counters than characters");
    std::string_view rest = text;
    std::size_t lines = 0;
    while (!rest.empty()) {
        std::string_view line = take_line(rest);
        require(++lines <= text.size(), "there are no more lines than characters");
        const std::string_view word = take_word(line);
        if (const auto count = parse_count(word))
            require(parse_count(std::to_string(*count)) == count, "a count that is printed is the same count");
        (void)whole_number<std::int64_t>(word);
    }
    const sockstat both = interpret_sockstat(text, text);
    if (both.time_wait) {
        const sockstat again = interpret_sockstat("TCP: tw " + std::to_string(*both.time_wait) + "\n", {});
        require(again.time_wait == both.time_wait, "a number of sockstat that is printed is the same number");
    }
}

const target here("proc_net_counters", run);

} // namespace proc_net_counters

} // namespace fuzz
