// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/sock_diag.hpp>
#include <closeside/host/detail/states/count.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace host = closeside::host;
using namespace closeside::detail;
using progress = diag_dump::progress;

namespace {

template <class Object>
std::string bytes_of(const Object& object) {
    return {reinterpret_cast<const char*>(&object), sizeof object};
}

std::string message(std::uint16_t type, const std::string& payload, std::uint16_t flags = NLM_F_MULTI) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    std::string text = bytes_of(header) + payload;
    text.resize(NLMSG_ALIGN(text.size()), '\0');
    return text;
}

std::string found(unsigned state, unsigned timer = 0, std::uint16_t flags = NLM_F_MULTI) {
    inet_diag_msg m{};
    m.idiag_state = static_cast<std::uint8_t>(state);
    m.idiag_timer = static_cast<std::uint8_t>(timer);
    // An attribute follows, as CAP_NET_ADMIN brings it.
    return message(TCPDIAG_GETSOCK, bytes_of(m) + std::string("\x08\0\x0f\0\0\0\0\0", 8), flags);
}

const std::string done = message(NLMSG_DONE, bytes_of(0));

struct understood {
    diag_dump dump;
    host::tcp_states counted;
};

understood understand(const std::string& datagram) {
    understood r{};
    visit_datagram(r.dump, TCPDIAG_GETSOCK, datagram.data(), datagram.size(), [&](const inet_diag_msg& m) {
        host::detail::count_socket(r.counted, static_cast<tcp_state>(m.idiag_state), m.idiag_timer);
    });
    return r;
}

} // namespace

TEST_CASE("the request asks for all eleven states of both IP versions, and for a port in network order") {
    const auto all = all_states_request(0);
    CHECK(all.header.nlmsg_type == TCPDIAG_GETSOCK);
    CHECK(all.header.nlmsg_len == sizeof all);
    CHECK(all.body.idiag_states == 0xffe);
    CHECK(all.body.id.idiag_sport == 0);
    CHECK(all_states_request(0, false).body.idiag_states == 0xfbe);
    CHECK(all_states_request(0x1234).body.id.idiag_sport == htons(0x1234));
    CHECK(all_states_request(65535).body.id.idiag_sport == 0xffff);
}

TEST_CASE("a datagram of sockets is counted, and more is to come") {
    const understood r = understand(found(1) + found(1) + found(5, 3) + found(5, 2) + found(6, 3) + found(3));
    CHECK(r.dump.reached == progress::more);
    CHECK(r.counted.counts[1] == 2);
    CHECK(r.counted.counts[3] == 1);
    CHECK(r.counted.counts[5] == 2);
    CHECK(r.counted.counts[6] == 1);
    CHECK(r.counted.fin_wait2_mini == 1);
    CHECK(r.counted.malformed + r.dump.malformed == 0);
}

TEST_CASE("the end of the dump ends it, whatever stands behind") {
    const understood r = understand(found(1) + done + found(1));
    CHECK(r.dump.reached == progress::complete);
    CHECK(r.counted.counts[1] == 1);
    CHECK(understand(message(NLMSG_DONE, "")).dump.reached == progress::complete);
}

TEST_CASE("an error of the kernel is an error, as the answer or at the end of the dump") {
    for (const int type : {NLMSG_ERROR, NLMSG_DONE}) {
        const understood r = understand(found(1) + message(static_cast<std::uint16_t>(type), bytes_of(-ENOENT)));
        CHECK(r.dump.reached == progress::failed);
        CHECK(r.dump.error == ENOENT);
    }
    for (const std::string& payload : {std::string(), bytes_of(0), bytes_of(7)}) {
        const understood r = understand(message(NLMSG_ERROR, payload));
        CHECK(r.dump.reached == progress::failed);
        CHECK(r.dump.error == EBADMSG);
    }
}

TEST_CASE("a dump that lost its place is known by its flag") {
    CHECK_FALSE(understand(found(1) + done).dump.interrupted);
    CHECK(understand(found(1, 0, NLM_F_MULTI | NLM_F_DUMP_INTR) + done).dump.interrupted);
    CHECK(understand(found(1) + message(NLMSG_DONE, bytes_of(0), NLM_F_DUMP_INTR)).dump.interrupted);
}

TEST_CASE("messages that are cut short or of no known state are not counted, and others are passed over") {
    CHECK(understand(message(TCPDIAG_GETSOCK, "short")).dump.malformed == 1);
    CHECK(understand(found(0)).counted.malformed == 1);
    CHECK(understand(found(13)).counted.malformed == 1);
    const understood other = understand(message(NLMSG_NOOP, "") + message(999, "something") + found(1));
    CHECK(other.dump.reached == progress::more);
    CHECK(other.counted.malformed + other.dump.malformed == 0);
    CHECK(other.counted.counts[1] == 1);
}

TEST_CASE("no length in a datagram makes the reader leave it") {
    const std::string whole = found(1) + found(2) + done;
    for (std::size_t size = 0; size != whole.size(); ++size) {
        CAPTURE(size);
        const understood r = understand(whole.substr(0, size)); // in a buffer of this size, for the address sanitizer
        const bool on_a_border = size == found(1).size() || size == 2 * found(1).size();
        CHECK((r.dump.reached == progress::more) == on_a_border);
        if (r.dump.reached == progress::failed) CHECK(r.dump.error == EBADMSG);
    }
    for (const std::uint32_t length : {0u, 1u, 15u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
        std::string broken = found(1);
        broken.replace(0, sizeof length, bytes_of(length));
        CHECK(understand(broken).dump.reached == progress::failed);
    }
}
