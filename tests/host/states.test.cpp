// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/shared_tcp_table.hpp>
#include <closeside/host/detail/states/proc.hpp>
#include <closeside/host/detail/states/tcpdiag_sockstat.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/states.hpp>

#include "support/fake_root.hpp"
#include "support/net_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace host = closeside::host;
using states_method = host::tcp_states::source;
using host::tcp_state;
using std::chrono::milliseconds;
using tests::fake_root, tests::net_root;
using tests::heading4, tests::heading6, tests::row4, tests::row6, tests::sockstat;

namespace {

host::tcp_states count(const net_root& root, std::uint16_t port = 0, std::optional<states_method> only = {}) {
    return host::count_states({.root = root.path(), .port = port, .only = only});
}

/// What stands in `text` is counted, cut into pieces of `size`.
host::tcp_states count_pieces(std::string_view text, std::size_t size) {
    host::tcp_states s;
    host::detail::proc_row_counter rows(s, 0);
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) rows.add_piece(text.substr(0, size));
    rows.add_end();
    return s;
}

} // namespace

TEST_CASE("every TCP state has the name that RFC 9293 gives it, and is listed once") {
    std::set<std::string> names;
    for (const tcp_state s : host::all_tcp_states) names.insert(to_string(s));
    CHECK(names == std::set<std::string>{"LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                         "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED"});
    CHECK(host::all_tcp_states.size() == 11);
}

TEST_CASE("rows of /proc/net/tcp and tcp6 are counted together by state") {
    std::string v4 = heading4, v6 = heading6;
    for (unsigned state = 1; state <= 11; ++state)
        for (unsigned i = 0; i != state; ++i) (i % 2 == 0 ? v4 += row4(state) : v6 += row6(state));
    net_root root;
    root.file("tcp", v4).file("tcp6", v6);
    const host::tcp_states s = count(root);
    CHECK(s.method == states_method::proc);
    CHECK(s.exact);
    CHECK(s.malformed == 0);
    for (const tcp_state state : host::all_tcp_states) CHECK(s.count(state) == static_cast<std::uint64_t>(state));
}

TEST_CASE("of FIN-WAIT-2, the mini-sockets are told by their timer") {
    net_root root;
    root.file("tcp", heading4 + row4(5, 80, 0) + row4(5, 80, 2) + row4(5, 80, 3) + row4(6, 80, 3));
    root.file("tcp6", heading6 + row6(5, 80, 3));
    const host::tcp_states s = count(root);
    CHECK(s.count(tcp_state::fin_wait2) == 4);
    CHECK(s.fin_wait2_mini == 2);
    CHECK(s.count(tcp_state::time_wait) == 1);
}

TEST_CASE("a port counts what has it on this side, up to 65535, and port 0 counts everything") {
    net_root root;
    root.file("tcp", heading4 + row4(1, 1) + row4(1, 0xd431) + row4(1, 65535) + row4(10, 65535));
    root.file("tcp6", heading6 + row6(1, 65535));
    CHECK(count(root, 65535).count(tcp_state::established) == 2);
    CHECK(count(root, 65535).count(tcp_state::listen) == 1);
    CHECK(count(root, 1).count(tcp_state::established) == 1);
    CHECK(count(root, 2).count(tcp_state::established) == 0);
    CHECK(count(root, 0).count(tcp_state::established) == 4);
    CHECK(count(root, 2).exact);
}

TEST_CASE("a table with nothing but its heading is empty, and a host without IPv6 has no tcp6") {
    net_root root;
    root.file("tcp", heading4);
    const host::tcp_states s = count(root);
    CHECK(s.exact);
    CHECK(s.proc_error == 0);
    for (const tcp_state state : host::all_tcp_states) CHECK(s.count(state) == 0);
}

TEST_CASE("what is no row is counted as malformed, and the counts are then not exact") {
    const std::string good = row4(1);
    const std::vector<std::string> malformed{
        "\n",
        "garbage\n",
        std::string("\0\0\0\n", 4),
        std::string(100000, 'x') + "\n",
        std::string(100000, '0') + "\n",
        row4(0),
        row4(13),
        row4(255),
        "   0: 0100007F:1F90 0100007F:D431 1 00000000:00000000 00:00000176\n",   // a state of one digit
        "   0: 100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000176\n",   // an address of seven digits
        "   0: 0100007F:11F90 0100007F:D431 01 00000000:00000000 00:00000176\n", // a port of five
        "   0: 0100007F:1F90\n",
        "   0: 0100007F:1F90 0100007F:D431 01\n",
        "   0: 0100007f:1f90 0100007f:d431 01 00000000:00000000 00:00000176\n", // the kernel writes capitals
        "    : 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000176\n",
        good.substr(0, good.size() - 1), // cut short: no line end
        good.substr(0, 20),
    };
    for (const std::string& text : malformed) {
        CAPTURE(text.substr(0, 90));
        net_root root;
        root.file("tcp", heading4 + good + text);
        const host::tcp_states s = count(root);
        CHECK(s.method == states_method::proc);
        CHECK(s.count(tcp_state::established) == 1);
        CHECK(s.malformed == 1);
        CHECK_FALSE(s.exact);
        CHECK(s.why_not_better().find("1 entry could not be understood") != std::string::npos);
    }
}

TEST_CASE("before Linux 3.17, which has no thread-self, the files of self are read") {
    net_root root("proc/self/net");
    root.file("tcp", heading4 + row4(1) + row4(6)).file("tcp6", heading6 + row6(6)).file("sockstat", sockstat);
    const host::tcp_states s = count(root);
    CHECK(s.method == states_method::proc);
    CHECK(s.exact);
    CHECK(s.count(tcp_state::time_wait) == 2);
    CHECK(host::time_wait_quick(root.path()) == 42);
}

TEST_CASE("a file without the heading of the table is not the table") {
    for (const std::string& text : {std::string(), row4(1), std::string("  sl  local"), std::string("\n")}) {
        CAPTURE(text);
        net_root root;
        root.file("tcp", text);
        CHECK(count(root).malformed != 0);
        CHECK_FALSE(count(root).exact);
    }
}

TEST_CASE("rows that arrive in pieces are counted as if they came whole, wherever they are cut") {
    const std::string text = heading4 + row4(1) + row4(6, 80, 3) + row4(5, 80, 3) + row4(10) + "broken\n" + row4(2);
    const host::tcp_states whole = count_pieces(text, text.size());
    REQUIRE(whole.malformed == 1);
    REQUIRE(whole.counts[2] == 1);
    for (std::size_t size = 1; size != 400; ++size) {
        CAPTURE(size);
        CHECK(count_pieces(text, size) == whole);
    }
}

TEST_CASE("a request for a connection counts as SYN-RECEIVED, under whichever number it comes") {
    net_root root;
    root.file("tcp", heading4 + row4(3) + row4(12));
    CHECK(count(root).count(tcp_state::syn_received) == 2);
}

TEST_CASE("without the tables, sockstat bounds TIME-WAIT and leaves the rest unknown") {
    net_root root;
    root.file("sockstat", sockstat);
    const host::tcp_states s = count(root);
    CHECK(s.method == states_method::sockstat);
    CHECK_FALSE(s.exact);
    CHECK(s.count(tcp_state::time_wait) == 42);
    CHECK_FALSE(s.count(tcp_state::established).has_value());
    CHECK_FALSE(s.count(tcp_state::fin_wait2).has_value());
    CHECK(s.tcpdiag_error == EXDEV);
    CHECK(s.proc_error == ENOENT);
    CHECK(s.sockstat_error == 0);
    CHECK(s.why_not_better().find("upper bound") != std::string::npos);
    CHECK(s.why_not_better().find("/proc/thread-self/net/tcp: No such file") != std::string::npos);
}

TEST_CASE("sockstat knows nothing of ports") {
    net_root root;
    root.file("sockstat", sockstat);
    const host::tcp_states s = count(root, 80);
    CHECK(s.method == states_method::none);
    CHECK_FALSE(s.count(tcp_state::time_wait).has_value());
}

TEST_CASE("where nothing can be read, no state has a count, and every source says why") {
    fake_root empty = fake_root::empty();
    for (const std::string& root : {empty.path(), empty.path() + "/nowhere", std::string()}) {
        const host::tcp_states s = host::count_states({.root = root});
        CHECK(s.method == states_method::none);
        CHECK_FALSE(s.exact);
        CHECK_FALSE(s.count(tcp_state::time_wait).has_value());
        CHECK(s.proc_error == ENOENT);
        CHECK(s.sockstat_error == ENOENT);
        CHECK_FALSE(host::time_wait_quick(root).has_value());
    }
}

TEST_CASE("a tree copied from another host may have proc/net alone") {
    net_root root("proc/net");
    root.file("tcp", heading4 + row4(6, 80, 3)).file("sockstat", sockstat);
    CHECK(count(root).count(tcp_state::time_wait) == 1);
    CHECK(host::time_wait_quick(root.path()) == 42);
}

TEST_CASE("a FIFO, a directory or a link in the place of a table is not opened") {
    for (const int kind : {0, 1, 2}) {
        net_root root;
        root.file("sockstat", sockstat).file("other", heading4);
        if (kind == 0) REQUIRE(::mkfifo((root / "tcp").c_str(), 0644) == 0);
        if (kind == 1) std::filesystem::create_directory(root / "tcp");
        if (kind == 2) std::filesystem::create_symlink("other", root / "tcp");
        const host::tcp_states s = count(root);
        CHECK(s.method == states_method::sockstat);
        CHECK(s.proc_error == EINVAL);
    }
}

TEST_CASE("only the source that is asked for is tried") {
    net_root root;
    root.file("tcp", heading4 + row4(1)).file("sockstat", sockstat);
    CHECK(count(root, 0, states_method::proc).method == states_method::proc);
    CHECK(count(root, 0, states_method::sockstat).method == states_method::sockstat);
    CHECK(count(root, 0, states_method::sockstat).proc_error == 0);
    CHECK(count(root, 0, states_method::tcpdiag).method == states_method::none);
    CHECK(count(root, 0, states_method::tcpdiag).tcpdiag_error == EXDEV);
    CHECK(host::count_states({.only = states_method::tcpdiag}).method == states_method::tcpdiag);
    CHECK(host::count_states({.only = states_method::proc}).method == states_method::proc);
}

TEST_CASE("a port cannot be counted with sockstat's help") {
    const auto s = host::count_states({.port = 80, .only = states_method::tcpdiag_sockstat});
    CHECK(s.method == states_method::none);
    CHECK(s.tcpdiag_error == EOPNOTSUPP);
}

TEST_CASE("TIME-WAIT is left out of the walk where there are many, but not so many that the step takes too long") {
    const auto left_out = [](std::uint64_t time_waits, milliseconds budget) {
        return host::detail::time_waits_are_better_left_out(time_waits, host::detail::time_budget(budget));
    };
    CHECK_FALSE(left_out(0, milliseconds(60000)));
    CHECK_FALSE(left_out(4095, milliseconds(60000)));
    CHECK(left_out(4096, milliseconds(60000)));
    CHECK(left_out(100'000'000, milliseconds(60000)));
    CHECK_FALSE(left_out(400'000'000, milliseconds(60000)));
    CHECK_FALSE(left_out(1'300'000, milliseconds(250)));
    CHECK_FALSE(left_out(UINT64_MAX, milliseconds(250)));
    CHECK_FALSE(left_out(4096, milliseconds(0)));
}

TEST_CASE("when the time is over, counting stops and says so") {
    net_root root;
    root.file("tcp", heading4 + row4(1));
    for (const milliseconds budget : {milliseconds(0), milliseconds(-5), milliseconds::min()}) {
        const host::tcp_states proc = host::count_states({.root = root.path(), .budget = budget});
        const host::tcp_states diag = host::count_states({.budget = budget, .only = states_method::tcpdiag});
        for (const host::tcp_states& s : {proc, diag}) {
            CHECK(s.stopped);
            CHECK_FALSE(s.exact);
            CHECK(s.count(tcp_state::established) == 0);
            CHECK(s.why_not_better().find("stopped after ") == 0);
        }
        CHECK(proc.method == states_method::proc);
        CHECK(diag.method == states_method::tcpdiag);
    }
}

TEST_CASE("any time budget is taken, however long") {
    net_root root;
    root.file("tcp", heading4 + row4(1));
    for (const milliseconds budget : {milliseconds(60000), milliseconds::max()})
        CHECK(host::count_states({.root = root.path(), .budget = budget}).exact);
    CHECK(host::count_states({.budget = milliseconds::max()}).exact);
}

TEST_CASE("time_wait_quick finds its number by name, wherever it stands in the line") {
    const auto quick = [](std::string_view text) {
        return host::time_wait_quick(net_root().file("sockstat", text).path());
    };
    CHECK(quick(sockstat) == 42);
    CHECK(quick("TCP: tw 0") == 0);
    CHECK(quick("UDP: tw 3\nTCP: alloc 8 tw 7 inuse 5\n") == 7);
    for (const std::string_view text : {"", "\n", "TCP:", "TCP: inuse 5 orphan 0\n", "TCP: inuse 5 tw\n", "TCP: tw x\n",
                                        "TCP: tw -1\n", "TCP: tw 4x\n", "TCP: tw 18446744073709551616\n", "UDP: tw 7\n",
                                        "TCP: inuse 5\nUDP: tw 7\n", "TCP6: tw 7\n"}) {
        CAPTURE(text);
        CHECK_FALSE(quick(text).has_value());
    }
}

TEST_CASE("a negative tcp_ehash_entries is a table shared with the host") {
    fake_root root;
    CHECK_FALSE(closeside::detail::shares_tcp_table(root.path()).has_value());
    CHECK(closeside::detail::shares_tcp_table(root.set("net.ipv4.tcp_ehash_entries", "-262144").path()) == true);
    CHECK(closeside::detail::shares_tcp_table(root.set("net.ipv4.tcp_ehash_entries", "262144").path()) == false);
    CHECK_FALSE(closeside::detail::shares_tcp_table(root.set("net.ipv4.tcp_ehash_entries", "much").path()).has_value());
}
