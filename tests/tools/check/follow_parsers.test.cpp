// SPDX-License-Identifier: BSL-1.0
#include "check/follow_address.hpp"
#include "check/follow_destroyed.hpp"
#include "check/follow_event.hpp"
#include "check/follow_format.hpp"
#include "check/follow_page.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

using namespace check::follow;

namespace {

/// As Linux 6.18 has it, but for the order.
const std::string state_format = "name: inet_sock_set_state\nID: 2287\nformat:\n"
                                 "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                                 "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
                                 "\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
                                 "\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;\n"
                                 "\tfield:int newstate;\toffset:20;\tsize:4;\tsigned:1;\n"
                                 "\tfield:__u16 sport;\toffset:24;\tsize:2;\tsigned:0;\n"
                                 "\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;\n"
                                 "\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;\n"
                                 "\tfield:__u16 protocol;\toffset:30;\tsize:2;\tsigned:0;\n"
                                 "\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n"
                                 "\tfield:__u8 daddr[4];\toffset:36;\tsize:4;\tsigned:0;\n"
                                 "\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n"
                                 "\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;\n\n"
                                 "print fmt: \"family=%s\", REC->family\n";

const std::string reset_format =
    "name: tcp_send_reset\nID: 2280\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:const void * skaddr;\toffset:16;\tsize:8;\tsigned:0;\n\tfield:int state;\toffset:24;\tsize:4;\tsigned:1;\n"
    "\tfield:enum sk_rst_reason reason;\toffset:28;\tsize:4;\tsigned:0;\n"
    "\tfield:__u8 saddr[28];\toffset:32;\tsize:28;\tsigned:0;\n\tfield:__u8 "
    "daddr[28];\toffset:60;\tsize:28;\tsigned:0;\n"
    "print fmt: \"%s %s\", REC->state ? __print_symbolic(REC->state, { TCP_ESTABLISHED, \"TCP_ESTABLISHED\" }) : "
    "\"?\", "
    "__print_symbolic(REC->reason, { 0, \"NOT_SPECIFIED\" }, { 11, \"TCP_ABORT_ON_CLOSE\" }, { SOME_CONSTANT, \"X\" }, "
    "{ 12, \"\x1b[2J\" })\n";

std::vector<std::uint8_t> record_of(std::uint16_t id, std::size_t size) {
    std::vector<std::uint8_t> record(size);
    std::memcpy(record.data(), &id, sizeof id);
    return record;
}

template <class Number>
void put(std::vector<std::uint8_t>& record, std::size_t offset, Number n) {
    std::memcpy(record.data() + offset, &n, sizeof n);
}

std::vector<std::uint8_t> a_state_record() {
    auto record = record_of(2287, 72);
    put<std::int32_t>(record, 4, 77);
    put<std::uint64_t>(record, 8, 0xffff888001234567);
    put<std::int32_t>(record, 16, 1);
    put<std::int32_t>(record, 20, 7);
    put<std::uint16_t>(record, 24, 8080);
    put<std::uint16_t>(record, 26, 40120);
    put<std::uint16_t>(record, 28, AF_INET);
    put<std::uint16_t>(record, 30, 6);
    const std::uint8_t addresses[] = {203, 0, 113, 1, 198, 51, 100, 7};
    std::memcpy(record.data() + 32, addresses, sizeof addresses);
    return record;
}

event_reader reader() {
    event_reader r;
    r.add(event_kind::state, *parse_event_format(state_format));
    r.add(event_kind::reset_sent, *parse_event_format(reset_format));
    return r;
}

/// A page with these words as its content, taken at 1000 ns.
std::vector<std::uint8_t> page_of(const std::vector<std::uint32_t>& words, std::uint64_t commit) {
    std::vector<std::uint8_t> page(4096);
    put<std::uint64_t>(page, 0, 1000);
    put<std::uint64_t>(page, 8, commit);
    std::memcpy(page.data() + 16, words.data(), words.size() * sizeof(std::uint32_t));
    return page;
}

/// The first word of a record, on a machine that begins with the lowest bits.
constexpr std::uint32_t head(std::uint32_t type, std::uint32_t delta) { return type | delta << 5; }

struct visited {
    std::uint64_t time;
    std::size_t size;
    friend bool operator==(const visited&, const visited&) = default;
};

std::vector<visited> visit(const std::vector<std::uint8_t>& page, bool* whole = nullptr) {
    std::vector<visited> all;
    const bool right = visit_page({}, page, [&](std::uint64_t time, bytes record) {
        all.push_back({time, record.size()});
    });
    if (whole) *whole = right;
    return all;
}

} // namespace

TEST_CASE("a field of an event is found by its name, wherever the kernel puts it") {
    const auto format = parse_event_format(state_format);
    REQUIRE(format);
    CHECK(format->id == 2287);
    const auto record = a_state_record();
    CHECK(format->number("sport", record) == 8080);
    CHECK(format->raw("saddr", record).size() == 4);
    CHECK_FALSE(format->number("no_such_field", record));
    CHECK_FALSE(format->number("daddr_v6", record));
    CHECK_FALSE(format->number("sport", bytes(record).first(25)));
}

TEST_CASE("the names of a reason are read, and none that is no plain word") {
    const auto format = parse_event_format(reset_format);
    REQUIRE(format);
    CHECK(format->reasons == std::map<std::uint64_t, std::string>{{0, "NOT_SPECIFIED"}, {11, "TCP_ABORT_ON_CLOSE"}});
    CHECK(reader().gives_reasons());
}

TEST_CASE("what is no format file is refused") {
    for (const std::string& text :
         {std::string(), std::string("ID: 12\n"), std::string("\tfield:int x;\toffset:0;\tsize:4;\n"),
          std::string("ID: 0\n\tfield:int x;\toffset:0;\tsize:4;\n"),
          std::string("ID: 70000\n\tfield:int x;\toffset:0;\tsize:4;\n"),
          std::string("ID: 5\n\tfield:int x;\toffset:99999999;\tsize:4;\n"),
          std::string("ID: 5\n\tfield:int x;\toffset:-1;\tsize:4;\n"),
          std::string("ID: 5\n\tfield:;\toffset:0;\tsize:4;\n"),
          std::string("ID: 5\n\tfield:" + std::string(100000, 'x') + ";\toffset:0;\tsize:4;\n"),
          std::string(1 << 16, '\0')})
        CHECK_FALSE(parse_event_format(text));
    CHECK_FALSE(parse_page_layout("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"));
    CHECK_FALSE(
        parse_page_layout("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n\tfield: local_t commit;\toffset:8;\tsize:3;\n"
                          "\tfield: char data;\toffset:16;\tsize:4080;\n"));
    CHECK_FALSE(
        parse_page_layout("\tfield: u64 timestamp;\toffset:60000;\tsize:8;\n\tfield: local_t commit;\toffset:8;\t"
                          "size:8;\n\tfield: char data;\toffset:16;\tsize:4080;\n"));
}

TEST_CASE("a record of the trace says which connection it is about, and what became of it") {
    const auto event = reader().read(42, a_state_record());
    REQUIRE(event);
    CHECK(event->kind == event_kind::state);
    CHECK(event->time == 42);
    CHECK(event->socket == 0xffff888001234567);
    CHECK(event->thread == 77);
    CHECK(event->before == tcp_state::established);
    CHECK(event->after == tcp_state::close);
    CHECK(to_string(event->ends.local) == "203.0.113.1:8080");
    CHECK(to_string(event->ends.peer) == "198.51.100.7:40120");
}

TEST_CASE("a RST's record has whole socket addresses and a reason") {
    auto record = record_of(2280, 88);
    put<std::uint64_t>(record, 16, 5);
    put<std::int32_t>(record, 24, 7);
    put<std::uint32_t>(record, 28, 11);
    for (const std::size_t at : {32u, 60u}) {
        put<std::uint16_t>(record, at, AF_INET6);
        put<std::uint16_t>(record, at + 2, htons(443));
        record[at + 8 + 15] = 1;
    }
    const event_reader r = reader();
    const auto event = r.read(0, record);
    REQUIRE(event);
    CHECK(event->reason == "TCP_ABORT_ON_CLOSE");
    CHECK(to_string(event->ends.local) == "[::1]:443");
    put<std::uint32_t>(record, 28, 4711);
    CHECK(r.read(0, record)->reason.empty());
}

TEST_CASE("before Linux 6.10 a RST's record has ports and addresses of their own, and no reason") {
    std::string text = state_format;
    text.replace(text.find("oldstate"), 8, "state");
    event_reader r;
    r.add(event_kind::reset_sent, *parse_event_format(text));
    CHECK_FALSE(r.gives_reasons());
    const auto event = r.read(0, a_state_record());
    REQUIRE(event);
    CHECK(event->reason.empty());
    CHECK(event->after == tcp_state::established);
    CHECK(to_string(event->ends.peer) == "198.51.100.7:40120");
}

TEST_CASE("records that are cut off, of other events, families and protocols, or with states that are none, are passed "
          "over") {
    const auto good = a_state_record();
    for (std::size_t size = 0; size != 40; ++size) CHECK_FALSE(reader().read(0, bytes(good).first(size)));
    const auto changed = [&](std::size_t offset, std::uint16_t value) {
        auto record = good;
        put(record, offset, value);
        return reader().read(0, record).has_value();
    };
    CHECK(changed(24, 1));
    CHECK_FALSE(changed(0, 2288));
    CHECK_FALSE(changed(28, AF_UNIX));
    CHECK_FALSE(changed(30, 132));
    CHECK_FALSE(changed(16, 99));
    CHECK_FALSE(changed(20, 0));
}

TEST_CASE("a page of the ring buffer is read record by record, with its times") {
    bool whole = false;
    // 8 bytes; 12 bytes after a long while; one whose length stands in its second word; one that was discarded.
    const auto page = page_of(
        {head(2, 5), 0, 0, head(30, 1), 1, head(3, 0), 0, 0, 0, head(0, 7), 12, 0, 0, head(29, 3), 8, 0, head(1, 1), 0},
        18 * 4);
    const std::uint64_t later = 1005 + (1 << 27) + 1;
    CHECK(visit(page, &whole) == std::vector<visited>{{1005, 8}, {later, 12}, {later + 7, 8}, {later + 11, 4}});
    CHECK(whole);
}

TEST_CASE("a page says that it lost records before it, and is read all the same") {
    CHECK(visit(page_of({head(1, 5), 0}, 8 | 1u << 31 | 1u << 30)) == std::vector<visited>{{1005, 4}});
}

TEST_CASE("a page that is not well-formed ends where it goes wrong") {
    const auto goes_wrong = [](const std::vector<std::uint32_t>& words, std::uint64_t commit) {
        bool whole = true;
        visit(page_of(words, commit), &whole);
        return !whole;
    };
    CHECK(goes_wrong({head(28, 0)}, 4));                // longer than the page's content
    CHECK(goes_wrong({head(0, 0), 0xffffffff}, 4080));  // a length beyond all bounds
    CHECK(goes_wrong({head(0, 0), 3}, 4080));           // a length that does not hold itself
    CHECK(goes_wrong({head(0, 0)}, 4));                 // no length
    CHECK(goes_wrong({head(30, 0)}, 4));                // no second half of a time
    CHECK(goes_wrong({head(1, 0), 0}, (1u << 20) - 1)); // more than a page
    CHECK_FALSE(visit_page({}, {}, [](std::uint64_t, bytes) {}));
}

TEST_CASE("no bytes whatever make the reader of pages and records leave them") {
    std::mt19937 random(17);
    const event_reader r = reader();
    for (int i = 0; i != 3000; ++i) {
        std::vector<std::uint8_t> page(16 + random() % 512);
        for (std::uint8_t& byte : page) byte = static_cast<std::uint8_t>(random());
        put<std::uint64_t>(page, 8, random() % 600);
        visit_page({}, page, [&](std::uint64_t time, bytes record) {
            CHECK(record.data() >= page.data());
            CHECK(record.data() + record.size() <= page.data() + page.size());
            r.read(time, record);
        });
    }
}

TEST_CASE("a message about a destroyed socket tells its cookie and its ends") {
    struct {
        nlmsghdr header{};
        inet_diag_msg body{};
    } message;
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.body.idiag_family = AF_INET6;
    message.body.id.idiag_sport = htons(443);
    message.body.id.idiag_dport = htons(50000);
    message.body.id.idiag_src[2] = htonl(0xffff); // an IPv4 connection of an IPv6 socket
    message.body.id.idiag_src[3] = htonl(0x7f000001);
    message.body.id.idiag_dst[3] = htonl(1);
    message.body.id.idiag_cookie[0] = 7;
    message.body.id.idiag_cookie[1] = 1;
    const char* const data = reinterpret_cast<const char*>(&message);
    const auto told = parse_destroyed({data, sizeof message});
    REQUIRE(told.size() == 1);
    CHECK(told[0].cookie == 0x100000007);
    CHECK(to_string(told[0].ends.local) == "127.0.0.1:443");
    CHECK(to_string(told[0].ends.peer) == "[::1]:50000");
    for (std::size_t size = 0; size != sizeof message; ++size) CHECK(parse_destroyed({data, size}).empty());
    message.header.nlmsg_len = 3;
    CHECK(parse_destroyed({data, sizeof message}).empty());
}

TEST_CASE("a block of addresses holds what begins as it does, in either version of IP") {
    const auto holds = [](const char* block, std::initializer_list<std::uint8_t> v4) {
        const auto parsed = parse_address_block(block);
        REQUIRE(parsed);
        return parsed->contains(*make_end_point(std::vector<std::uint8_t>(v4), 80));
    };
    CHECK(holds("192.0.2.7", {192, 0, 2, 7}));
    CHECK_FALSE(holds("192.0.2.7", {192, 0, 2, 8}));
    CHECK(holds("192.0.2.0/25", {192, 0, 2, 127}));
    CHECK_FALSE(holds("192.0.2.0/25", {192, 0, 2, 128}));
    CHECK(holds("0.0.0.0/0", {1, 2, 3, 4}));
    CHECK_FALSE(holds("2001:db8::/32", {1, 2, 3, 4}));
    CHECK(holds("::/0", {1, 2, 3, 4}));
    for (const char* wrong :
         {"", "host", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/x", "1.2.3.4/8x", "::1/129", "/8"})
        CHECK_FALSE(parse_address_block(wrong));
}
