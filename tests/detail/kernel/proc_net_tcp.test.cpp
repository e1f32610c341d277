// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/proc_net_tcp.hpp>

#include "support/foreign_socket.hpp"
#include "support/net_root.hpp"

#include <asio/ip/address_v6.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <string>

using namespace closeside::detail;

namespace {

in6_addr address(const char* text) {
    in6_addr a{};
    REQUIRE(::inet_pton(AF_INET6, text, &a) == 1);
    return a;
}

/// An address as the kernel prints it on this machine: 32-bit words in host byte order.
std::string hex(const in6_addr& a) {
    std::string text;
    for (int i = 0; i < 4; ++i) {
        std::uint32_t word;
        std::memcpy(&word, a.s6_addr + 4 * i, 4);
        char digits[9];
        std::snprintf(digits, sizeof digits, "%08X", word);
        text += digits;
    }
    return text;
}

/// Can two sockets without any option have one port on these addresses? Other sockets on the host may have it, too.
bool both_bind(const tcp::endpoint& a, tcp::endpoint b) {
    for (int tries = 0; tries < 20; ++tries) {
        const tests::foreign_socket first(a);
        b.port(first.local().port());
        try {
            const tests::foreign_socket second(b);
            return true;
        } catch (const std::system_error& e) {
            if (e.code() != std::errc::address_in_use) throw;
        }
    }
    return false;
}

} // namespace

TEST_CASE("A row of /proc/net/tcp gives address, port, state, user, inode and timer") {
    const std::string ip = hex(address("::ffff:127.0.0.1")).substr(24);
    tcp_entry e;
    REQUIRE(parse_row(("   0: " + ip +
                       ":1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 "
                       "123456 1 0000000000000000 100 0 0 10 0\n")
                          .c_str(),
                      e));
    CHECK(equal(e.local, address("::ffff:127.0.0.1")));
    CHECK(e.local_port == 8080);
    CHECK(equal(e.remote, address("::ffff:0.0.0.0")));
    CHECK(e.state == tcp_state::listen);
    CHECK(e.uid == 33);
    CHECK(e.inode == 123456);

    const std::string v6 = hex(address("2001:db8::1"));
    REQUIRE(parse_row(("  12: " + v6 + ":0050 " + v6 +
                       ":C001 06 00000000:00000000 03:00001770 00000000     0        0 "
                       "0 3 0000000000000000\n")
                          .c_str(),
                      e));
    CHECK(equal(e.local, address("2001:db8::1")));
    CHECK(e.local_port == 80);
    CHECK(equal(e.remote, address("2001:db8::1")));
    CHECK(e.remote_port == 0xC001);
    CHECK(e.state == tcp_state::time_wait);
    CHECK(e.inode == 0);
    CHECK(e.seconds_left == 60);
}

TEST_CASE("What is no row is none") {
    tcp_entry e;
    for (const char* line :
         {"", "\n", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt",
          "   0: 0100007F:1F90", "   0: 0100:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1",
          "   0: 0100007F0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1",
          "   0: 0100007F:1F90 0000:0000 0A 0:0 00:0 0 0 0 1", "   0: ZZZZZZZZ:1F90 00000000:0000 0A 0:0 00:0 0 0 0 1"})
        CHECK_MESSAGE(!parse_row(line, e), line);
}

TEST_CASE("Addresses exclude each other as in the kernel") {
    const struct {
        const char *a, *b;
        bool overlaps;
    } pairs[] = {
        {"::", "::", true},
        {"::", "::1", true},
        {"::", "::ffff:127.0.0.1", true},
        {"::", "::ffff:0.0.0.0", true},
        {"::1", "::1", true},
        {"::1", "2001:db8::1", false},
        {"::1", "::ffff:0.0.0.0", false},
        {"::1", "::ffff:127.0.0.1", false},
        {"::ffff:0.0.0.0", "::ffff:127.0.0.1", true},
        {"::ffff:127.0.0.1", "::ffff:127.0.0.1", true},
        {"::ffff:127.0.0.1", "::ffff:127.0.0.2", false},
    };
    for (const auto& p : pairs) {
        INFO(std::string(p.a), " and ", std::string(p.b));
        CHECK(overlap(address(p.a), address(p.b)) == p.overlaps);
        CHECK(overlap(address(p.b), address(p.a)) == p.overlaps);
        // The kernel agrees.
        const auto bindable = [](const char* text) {
            const auto ip = asio::ip::make_address_v6(text);
            return tcp::endpoint{ip.is_v4_mapped()
                                     ? asio::ip::address(asio::ip::make_address_v4(asio::ip::v4_mapped, ip))
                                     : asio::ip::address(ip),
                                 0};
        };
        if (std::string(p.a).starts_with("2001") || std::string(p.b).starts_with("2001")) continue; // on no interface
        CHECK(both_bind(bindable(p.a), bindable(p.b)) == !p.overlaps);
    }
}

TEST_CASE("The tables give the sockets whose address overlaps, and only those") {
    const tests::foreign_socket listener = tests::foreign_socket({asio::ip::address_v4::loopback(), 0}).listening();
    // The listener's row among those for its port on this address; others on the host may have that port, too.
    const auto found = [&](const asio::ip::address& ip) -> std::optional<tcp_entry> {
        const tcp::endpoint wanted(ip, listener.local().port());
        const auto entries = tcp_entries_on(socket_address(wanted.data()));
        REQUIRE(entries);
        for (const tcp_entry& e : *entries) {
            CHECK(e.local_port == wanted.port());
            if (std::to_string(e.inode) == listener.inode()) return e;
        }
        return std::nullopt;
    };
    const auto row = found(asio::ip::address_v4::loopback());
    REQUIRE(row);
    CHECK(row->state == tcp_state::listen);
    CHECK(row->uid == ::geteuid());
    CHECK(found(asio::ip::address_v6::any()));
    CHECK_FALSE(found(asio::ip::address_v6::loopback()));
    CHECK_FALSE(found(asio::ip::make_address("127.0.0.2")));
}

TEST_CASE("Before Linux 3.17, which has no thread-self, the tables of self are read, and without either none") {
    const tests::net_root root("proc/self/net");
    const tcp::endpoint wanted(asio::ip::address_v4::loopback(), 8080);
    const auto entries = [&] { return tcp_entries_on(socket_address(wanted.data()), root.path() + "/proc"); };
    CHECK_FALSE(entries());
    std::ofstream(root / "tcp") << tests::heading4 + tests::row4(6) + tests::row4(10, 8081);
    REQUIRE(entries());
    REQUIRE(entries()->size() == 1);
    CHECK(entries()->front().state == tcp_state::time_wait);
    CHECK_FALSE(tcp_entries_on(socket_address(wanted.data()), root.path() + "/none"));
}
