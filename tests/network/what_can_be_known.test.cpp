// SPDX-License-Identifier: BSL-1.0
#include "support/connection_steps.hpp"
#include "support/in_child.hpp"
#include "support/kernel_view.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"
#include "support/tcp_info.hpp"

#include "observation/segment_capture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

// What a program can know of a connection when it begins to close it: facts of the kernel that the report rests on.
// No code of the library is under test here.

namespace kv = kernel_view;
using namespace tests;

namespace {

void check_in_own_network(std::string (*body)()) {
    const auto text = in_own_network([&] {
        bring_up_loopback();
        const std::string wrong = body();
        return wrong.empty() ? "as expected" : wrong;
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    if (text->starts_with("SKIPPED")) {
        MESSAGE(*text);
        return;
    }
    CHECK(*text == "as expected");
}

/// The expectations that did not hold, a line each.
class differences {
public:
    void expect(const std::string& where, const std::string& what, std::int64_t seen, std::int64_t expected) {
        if (seen == expected) return;
        text_ += "\n" + where + ": " + what + " is " + std::to_string(seen) + ", not " + std::to_string(expected);
    }
    void expect(const std::string& where, const std::string& what, kv::tcp_state seen, kv::tcp_state expected) {
        expect(where, what, static_cast<std::int64_t>(seen), static_cast<std::int64_t>(expected));
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

int error_of(const descriptor& d) {
    int error = 0;
    socklen_t size = sizeof error;
    checked(::getsockopt(d.get(), SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
    return error;
}

constexpr int unknown = -1;

struct reading {
    std::int64_t result; ///< bytes, or -errno
    int left = unknown;  ///< TCP_CM_INQ: what the kernel says is still to be read
};

reading read_with_inq(const descriptor& d, int flags = 0) {
    const int on = 1;
    ::setsockopt(d.get(), IPPROTO_TCP, TCP_INQ, &on, sizeof on); // since Linux 4.18
    char data[64];
    alignas(::cmsghdr) char control[64];
    ::iovec room{data, sizeof data};
    ::msghdr message{};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(d.get(), &message, MSG_DONTWAIT | flags);
    if (n < 0) return {-errno};
    reading r{n};
    for (const ::cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, const_cast<::cmsghdr*>(c)))
        if (c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ)
            std::memcpy(&r.left, CMSG_DATA(c), sizeof r.left);
    return r;
}

// The table.

constexpr std::array columns{"tcpi_state",       "state by sock_diag", "poll",
                             "first read",       "second read",        "SO_ERROR",
                             "tcpi_bytes_acked", "bytes_received",     "bytes_sent - bytes_retrans",
                             "SIOCINQ",          "SIOCOUTQ",           "TCP_CM_INQ at end of file"};
constexpr std::size_t acked = 6, sent = 8, left = 11;

struct row {
    steps beginning;
    std::array<std::int64_t, columns.size()> expected;
    /// Whether the peer has acknowledged a FIN of ours.
    bool fin_acked;
};

constexpr std::int64_t number_of(kv::tcp_state s) { return static_cast<std::int64_t>(s); }
constexpr std::int64_t EST = number_of(kv::established), FW1 = number_of(kv::fin_wait1), FW2 = number_of(kv::fin_wait2),
                       TW = number_of(kv::time_wait), CW = number_of(kv::close_wait), LA = number_of(kv::last_ack),
                       CLS = number_of(kv::closing), CL = number_of(kv::close), SS = number_of(kv::syn_sent),
                       SR = number_of(kv::syn_received);
constexpr std::int64_t again = -EAGAIN, reset = -ECONNRESET, late = -ETIMEDOUT, refusal = -ECONNREFUSED,
                       none = -ENOTCONN;
constexpr std::int64_t in = POLLIN, fin = POLLIN | POLLRDHUP, hup = fin | POLLHUP, err = hup | POLLERR;
constexpr std::int64_t na = unknown; // no read came to an end of file

/// Connections; each row holds for the accepting and the connecting side, where tcpi_bytes_acked counts our SYN too.
const std::vector<row> connections{
    //                            state diag poll  reads        SO_ERROR    acked received sent inq outq left | fin_acked
    {{}, {EST, EST, 0, again, again, 0, 0, 0, 0, 0, 0, na}, false},
    {{shared}, {EST, EST, 0, again, again, 0, 0, 0, 0, 0, 0, na}, false},
    {{writes, acknowledged}, {EST, EST, 0, again, again, 0, 7, 0, 7, 0, 0, na}, false},
    {{deaf, writes}, {EST, EST, 0, again, again, 0, 0, 0, 7, 0, 7, na}, false},
    {{time_stamp, acknowledged}, {EST, EST, POLLERR, again, again, 0, 7, 0, 7, 0, 0, na}, false},
    {{input}, {EST, EST, in, 5, again, 0, 0, 5, 0, 5, 0, na}, false},
    {{peer_fin}, {CW, CW, fin, 0, 0, 0, 0, 1, 0, 0, 0, 1}, false},
    {{peer_fin, reads}, {CW, CW, fin, 0, 0, 0, 0, 1, 0, 0, 0, 1}, false},
    {{input, peer_fin}, {CW, CW, fin, 5, 0, 0, 0, 6, 0, 5, 0, 1}, false},
    // A reset, and then one that a call of the program has already told of.
    {{peer_rst}, {CL, 0, err, reset, 0, ECONNRESET, 0, 0, 0, 0, 0, 0}, false},
    {{input, peer_rst}, {CL, 0, err, 5, reset, ECONNRESET, 0, 5, 0, 5, 0, na}, false},
    {{peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false},
    {{peer_rst, write_fails}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false},
    {{peer_rst, takes_error}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false},
    {{writes, acknowledged, peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 7, 0, 7, 0, 0, 0}, false},
    {{deaf, writes, peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 7, 0, 7, 0}, false},
    // After a FIN no read tells of a reset.
    {{peer_fin, peer_rst}, {CL, 0, err, 0, 0, EPIPE, 0, 1, 0, 0, 0, 1}, false},
    {{input, peer_fin, peer_rst}, {CL, 0, err, 5, 0, EPIPE, 0, 6, 0, 5, 0, 1}, false},
    {{peer_fin, peer_rst, write_fails}, {CL, 0, hup, 0, 0, 0, 0, 1, 0, 0, 0, 1}, false},
    // The kernel gives up.
    {{starved, writes, over}, {CL, 0, err, late, 0, ETIMEDOUT, 0, 0, 7, 0, 7, 0}, false},
    {{input, starved, writes, over}, {CL, 0, err, 5, late, ETIMEDOUT, 0, 5, 7, 5, 7, na}, false},
    {{starved, writes, over, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 7, 0, 7, 0}, false},
    {{peer_fin, starved, writes, over}, {CL, 0, err, 0, 0, ETIMEDOUT, 0, 1, 7, 0, 7, 1}, false},
    {{peer_fin, starved, writes, over, write_fails}, {CL, 0, hup, 0, 0, 0, 0, 1, 7, 0, 7, 1}, false},
    // The program has half-closed.
    {{deaf, half_close}, {FW1, FW1, 0, again, again, 0, 0, 0, 0, 0, 1, na}, false},
    {{half_close, acknowledged}, {FW2, FW2, 0, again, again, 0, 1, 0, 0, 0, 0, na}, true},
    {{writes, half_close, acknowledged}, {FW2, FW2, 0, again, again, 0, 8, 0, 7, 0, 0, na}, true},
    {{half_close, acknowledged, input}, {FW2, FW2, in, 5, again, 0, 1, 5, 0, 5, 0, na}, true},
    {{half_close, acknowledged, peer_fin}, {CL, TW, hup, 0, 0, 0, 1, 1, 0, 0, 0, 1}, true},
    {{half_close, acknowledged, peer_fin, reads}, {CL, TW, hup, 0, 0, 0, 1, 1, 0, 0, 0, 1}, true},
    {{half_close, acknowledged, input, peer_fin}, {CL, TW, hup, 5, 0, 0, 1, 6, 0, 5, 0, 1}, true},
    {{writes, half_close, acknowledged, peer_fin}, {CL, TW, hup, 0, 0, 0, 8, 1, 7, 0, 0, 1}, true},
    {{half_close, acknowledged, peer_rst}, {CL, 0, err, reset, 0, ECONNRESET, 1, 0, 0, 0, 0, 0}, true},
    {{half_close, acknowledged, peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 1, 0, 0, 0, 0, 0}, true},
    {{deaf, half_close, peer_rst}, {CL, 0, err, reset, 0, ECONNRESET, 0, 0, 0, 0, 1, 0}, false},
    {{deaf, half_close, peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false},
    {{deaf, writes, half_close, peer_rst, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 7, 0, 8, 0}, false},
    {{starved, half_close, over}, {CL, 0, err, late, 0, ETIMEDOUT, 0, 0, 0, 0, 1, 0}, false},
    {{starved, half_close, over, reads}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false},
    // Both have, the peer first.
    {{peer_fin, deaf, half_close}, {LA, LA, hup, 0, 0, 0, 0, 1, 0, 0, 1, 1}, false},
    {{peer_fin, half_close, over}, {CL, 0, hup, 0, 0, 0, 1, 1, 0, 0, 0, 1}, true},
    {{input, peer_fin, half_close, over}, {CL, 0, hup, 5, 0, 0, 1, 6, 0, 5, 0, 1}, true},
    {{peer_fin, deaf, half_close, peer_rst}, {CL, 0, err, 0, 0, ECONNRESET, 0, 1, 0, 0, 1, 1}, false},
    {{peer_fin, deaf, half_close, peer_rst, takes_error}, {CL, 0, hup, 0, 0, 0, 0, 1, 0, 0, 1, 1}, false},
    {{peer_fin, starved, half_close, over}, {CL, 0, err, 0, 0, ETIMEDOUT, 0, 1, 0, 0, 1, 1}, false},
    {{peer_fin, starved, half_close, over, takes_error}, {CL, 0, hup, 0, 0, 0, 0, 1, 0, 0, 1, 1}, false},
    // Both have, at once.
    {{deaf, half_close, peer_fin}, {CLS, CLS, hup, 0, 0, 0, 0, 1, 0, 0, 1, 1}, false},
    {{deaf, half_close, peer_fin, hears, over}, {CL, TW, hup, 0, 0, 0, 1, 1, 0, 0, 0, 1}, true},
    {{deaf, half_close, peer_fin, peer_rst}, {CL, 0, err, 0, 0, ECONNRESET, 0, 1, 0, 0, 1, 1}, false},
    // The program has shut reading: POLLRDHUP and end of file, but no FIN.
    {{stops_reading}, {EST, EST, fin, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false},
    {{input, stops_reading}, {EST, EST, fin, 5, 0, 0, 0, 5, 0, 5, 0, 0}, false},
    {{stops_reading, input}, {EST, EST, fin, 5, 0, 0, 0, 5, 0, 5, 0, 0}, false},
    {{stops_reading, peer_fin}, {CW, CW, fin, 0, 0, 0, 0, 1, 0, 0, 0, 1}, false},
    {{stops_reading, peer_rst}, {CL, 0, err, reset, 0, ECONNRESET, 0, 0, 0, 0, 0, 0}, false},
    {{stops_reading, half_close, acknowledged}, {FW2, FW2, hup, 0, 0, 0, 1, 0, 0, 0, 0, 0}, true},
    {{stops_reading, half_close, acknowledged, peer_fin}, {CL, TW, hup, 0, 0, 0, 1, 1, 0, 0, 0, 1}, true},
    // ECONNRESET here is for a RST of ours.
    {{stops_reading, half_close, acknowledged, refused_input},
     {CL, 0, err, reset, 0, ECONNRESET, 1, 0, 0, 0, 0, 0},
     true},
};

/// Sockets that are no connection yet, or never were. SIOCOUTQ counts a SYN that nobody acknowledged, in CLOSE.
const std::vector<row> sockets{
    {{unconnected}, {CL, 0, POLLHUP, none, none, 0, 0, 0, 0, 0, 0, na}, false},
    {{connects_to_deaf}, {SS, SS, 0, again, again, 0, 0, 0, 0, 0, 0, na}, false},
    {{connect_refused}, {CL, 0, err, refusal, 0, ECONNREFUSED, 0, 0, 0, 0, 1, 0}, false},
    {{connect_refused, takes_error}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false},
    {{connect_times_out, over}, {CL, 0, err, late, 0, ETIMEDOUT, 0, 0, 0, 0, 1, 0}, false},
    {{connect_times_out, over, takes_error}, {CL, 0, hup, 0, 0, 0, 0, 0, 0, 0, 1, 0}, false},
    {{fast_open}, {SR, SR, in, 5, again, 0, 0, 5, 0, 0, 0, na}, false},
    {{fast_open, reads}, {SR, SR, 0, again, again, 0, 0, 5, 0, 0, 0, na}, false},
    {{fast_open, reads, hears, established}, {EST, EST, 0, again, again, 0, 0, 5, 0, 0, 0, na}, false},
};

using sight = std::array<std::int64_t, columns.size()>;

/// What each call says; SO_ERROR is asked on a second connection that began likewise, since a read takes the error too.
sight look(const ends& e, const ends& second) {
    const tcp_information info(e.ours.get());
    const auto number = [](auto n) { return static_cast<std::int64_t>(n); };
    const auto state = kv::find(loopback_tcp::generic(e.here), loopback_tcp::generic(e.there)).state;
    const short events = polled(e.ours, POLLIN | POLLRDHUP | POLLPRI);
    const int unread = ioctl_value(e.ours.get(), SIOCINQ), unacknowledged = ioctl_value(e.ours.get(), SIOCOUTQ);
    const reading first = read_with_inq(e.ours), then = read_with_inq(e.ours);
    const reading& last = first.result == 0 ? first : then;
    return {info.tcpi_state,
            number_of(state),
            events,
            first.result,
            then.result,
            error_of(second.ours),
            number(info.tcpi_bytes_acked),
            number(info.tcpi_bytes_received),
            number(info.sent_once()),
            unread,
            unacknowledged,
            last.result == 0 ? last.left : unknown};
}

/// What follows from the state alone, in every row.
void check_names(const std::string& where, const ends& e, differences& wrong) {
    const kv::tcp_state state = state_of(e.ours);
    ::sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const bool named = ::getpeername(e.ours.get(), reinterpret_cast<::sockaddr*>(&peer), &size) == 0;
    wrong.expect(where, "getpeername", named, state != kv::close && state != kv::syn_sent);
    // The peer's name outlives the connection, but for getpeername.
    size = sizeof peer;
    const bool kept = ::getsockopt(e.ours.get(), SOL_SOCKET, SO_PEERNAME, &peer, &size) == 0;
    wrong.expect(where, "port by SO_PEERNAME", kept ? peer.sin_port : 0, e.there.sin_port);
    const auto entry = kv::find(loopback_tcp::generic(e.here), loopback_tcp::generic(e.there));
    wrong.expect(where, "an inode in sock_diag", entry.inode != 0, state != kv::close);
    // A half-close of SYN-SENT disconnects the socket, and says nothing.
    const int refused = ::shutdown(e.ours.get(), SHUT_WR) == 0 ? 0 : errno;
    wrong.expect(where, "shutdown", refused, state == kv::close ? ENOTCONN : 0);
    if (state == kv::syn_sent) wrong.expect(where, "SO_ERROR after shutdown", error_of(e.ours), ECONNRESET);
}

struct example {
    const row* r;
    ends first, second;
};

std::string check_table(const std::vector<row>& rows, bool both_sides) {
    std::vector<example> examples;
    for (const row& r : rows) {
        if (both_sides) examples.push_back({&r, new_connection(false), new_connection(false)});
        examples.push_back(
            {&r, both_sides ? new_connection(true) : ends{}, both_sides ? new_connection(true) : ends{}});
    }
    // All of them take each step before any takes the next, so that those which wait for a timer wait together.
    std::size_t longest = 0;
    for (const row& r : rows) longest = std::max(longest, r.beginning.size());
    for (std::size_t i = 0; i != longest; ++i)
        for (example& x : examples)
            for (ends* e : {&x.first, &x.second})
                if (i < x.r->beginning.size()) x.r->beginning[i].happen(*e);

    differences wrong;
    for (example& x : examples) {
        const bool connecting = x.first.connecting;
        const std::string where = name_of(x.r->beginning) + (connecting ? " (connecting)" : " (accepted)");
        const tcp_information info(x.first.ours.get());
        sight seen = look(x.first, x.second), expected = x.r->expected;
        if (both_sides && connecting) ++expected[acked];
        if (!info.counts_sent_bytes()) seen[sent] = expected[sent];
        if (!info.tells_window()) seen[left] = expected[left];
        for (std::size_t i = 0; i != seen.size(); ++i) wrong.expect(where, columns[i], seen[i], expected[i]);
        check_names(where, x.second, wrong);
        // What the columns amount to: the two questions of an orderly end.
        if (expected[left] != na)
            wrong.expect(where, "a FIN by TCP_CM_INQ", expected[left], has(x.r->beginning, peer_fin));
        if (info.counts_sent_bytes())
            wrong.expect(where, "FIN acknowledged", info.acknowledged_beyond_data() == 1 + connecting, x.r->fin_acked);
    }
    return wrong.text();
}

/// Resets that left `e`'s end since the witness was told to forget.
std::int64_t resets(observation::segment_capture& wire, const ends& e) {
    std::int64_t n = 0;
    for (const observation::segment& s : wire.seen()) n += s.rst && s.from.port == ntohs(e.here.sin_port);
    return n;
}

ends begun(const steps& beginning, bool connecting = false) {
    ends e = new_connection(connecting);
    for (const step& s : beginning) s.happen(e);
    return e;
}

/// An entry of an epoll set that reports edges.
class edge {
public:
    edge(const descriptor& watched, unsigned events) : set_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
        ::epoll_event interest{};
        interest.events = events | EPOLLET;
        checked(::epoll_ctl(set_.get(), EPOLL_CTL_ADD, watched.get(), &interest), "epoll_ctl");
    }
    int get() const { return set_.get(); }
    /// What has been reported since the last call; 0 for nothing.
    std::int64_t take() const {
        ::epoll_event event{};
        return checked(::epoll_wait(set_.get(), &event, 1, 0), "epoll_wait") == 0 ? 0 : event.events;
    }

private:
    descriptor set_;
};

/// A rule of nftables for what our end sends, or would receive, for as long as the object lives.
class packet_filter {
public:
    static bool possible() { return std::system("nft list tables >/dev/null 2>&1") == 0; }

    packet_filter(const std::string& hook, const ends& e, const std::string& verdict) {
        run("add table inet t; add chain inet t c { type filter hook " + hook + " priority 0; }; add rule inet t c " +
            "tcp sport " + std::to_string(ntohs(e.here.sin_port)) + " " + verdict);
    }
    packet_filter(const packet_filter&) = delete;
    packet_filter& operator=(const packet_filter&) = delete;
    ~packet_filter() { [[maybe_unused]] const int status = std::system("nft delete table inet t"); }

private:
    static void run(const std::string& rules) {
        if (std::system(("nft '" + rules + "'").c_str()) != 0) throw std::runtime_error(rules);
    }
};

constexpr const char* no_nftables = "SKIPPED: no nftables here";

} // namespace

TEST_CASE("network: what the kernel says of a connection before its close") {
    check_in_own_network([]() -> std::string {
        // Retransmission soon gives up; Linux 6.11.
        write_sysctl("net.ipv4.tcp_rto_min_us", "5000");
        return check_table(connections, true);
    });
}

TEST_CASE("network: what the kernel says of a socket that is no connection") {
    check_in_own_network([]() -> std::string {
        auto rows = sockets;
        // A namespace's setting since Linux 4.15.
        if (write_sysctl("net.ipv4.tcp_fastopen", fast_open_sysctl) != 0)
            std::erase_if(rows, [](const row& r) { return has(r.beginning, fast_open); });
        return check_table(rows, false);
    });
}

TEST_CASE("network: without room for TIME-WAITs an active close looks like a passive one") {
    check_in_own_network([]() -> std::string {
        if (write_sysctl("net.ipv4.tcp_max_tw_buckets", "0") != 0) return "SKIPPED: not a namespace's setting here";
        differences wrong;
        const steps active{half_close, acknowledged, peer_fin}, passive{peer_fin, half_close, over};
        for (const bool connecting : {false, true})
            wrong.expect("both FINs", "what is seen of them",
                         look(begun(active, connecting), begun(active, connecting)) ==
                             look(begun(passive, connecting), begun(passive, connecting)),
                         true);
        return wrong.text();
    });
}

TEST_CASE("network: what is urgent hides from SIOCINQ") {
    check_in_own_network([]() -> std::string {
        struct {
            steps beginning;
            std::int64_t poll, unread, at_mark, left_by_peek, read, left;
        } const rows[]{
            {{urgent_input}, POLLPRI, 0, 1, na, again, na},
            {{urgent_input, reads_urgent}, 0, 0, 1, na, again, na},
            {{input, urgent_input}, POLLIN | POLLPRI, 5, 0, 6, 5, 1},
            {{urgent_input, input}, POLLIN | POLLPRI, 0, 1, 6, 5, 0},
            {{urgent_input, reads_urgent, input}, POLLIN, 0, 1, 6, 5, 0},
            {{urgent_input, peer_fin}, fin | POLLPRI, 0, 1, 2, 0, 1},
            // Who only peeks takes it for a FIN.
            {{urgent_input, stops_reading}, fin | POLLPRI, 0, 1, 1, 0, 0},
        };
        differences wrong;
        observation::segment_capture wire;
        for (const auto& r : rows) {
            const std::string where = name_of(r.beginning);
            ends e = begun(r.beginning);
            wrong.expect(where, "poll", polled(e.ours, POLLIN | POLLRDHUP | POLLPRI), r.poll);
            wrong.expect(where, "SIOCINQ", ioctl_value(e.ours.get(), SIOCINQ), r.unread);
            wrong.expect(where, "SIOCATMARK", ioctl_value(e.ours.get(), SIOCATMARK), r.at_mark);
            const bool tells_left = tcp_information(e.ours.get()).tells_window();
            if (tells_left)
                wrong.expect(where, "peeked TCP_CM_INQ", read_with_inq(e.ours, MSG_PEEK).left, r.left_by_peek);
            const reading got = read_with_inq(e.ours);
            wrong.expect(where, "read", got.result, r.read);
            if (tells_left) wrong.expect(where, "TCP_CM_INQ", got.left, r.left);
            // To close(2) the byte is unread input, MSG_OOB or not, until a read has stepped over it, if only to EAGAIN.
            if (got.result > 0) read_with_inq(e.ours);
            e.ours.close();
            wrong.expect(where, "resets by close, all read", resets(wire, e), 0);
            e = begun(r.beginning);
            e.ours.close();
            wrong.expect(where, "resets by close", resets(wire, e), 1);
        }
        return wrong.text();
    });
}

TEST_CASE("network: a completion in the error queue is POLLERR, and no error") {
    check_in_own_network([]() -> std::string {
        const ends e = new_connection(false);
        const int on = 1;
        if (::setsockopt(e.ours.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0)
            return "SKIPPED: no MSG_ZEROCOPY here";
        const std::vector<char> data(40000);
        checked(static_cast<int>(::send(e.ours.get(), data.data(), data.size(), MSG_ZEROCOPY)), "send");
        await("completion", [&] { return polled(e.ours, 0) != 0; });
        differences wrong;
        wrong.expect("MSG_ZEROCOPY", "poll", polled(e.ours, POLLIN | POLLRDHUP), POLLERR);
        wrong.expect("MSG_ZEROCOPY", "read", read_with_inq(e.ours).result, again);
        wrong.expect("MSG_ZEROCOPY", "SO_ERROR", error_of(e.ours), 0);
        return wrong.text();
    });
}

TEST_CASE("network: an error by ICMP does not end a connection") {
    check_in_own_network([]() -> std::string {
        if (!packet_filter::possible()) return no_nftables;
        differences wrong;
        for (const bool queued : {false, true}) {
            const std::string where = queued ? "host unreachable, IP_RECVERR" : "host unreachable";
            ends e = new_connection(false);
            set(e.ours, IPPROTO_IP, IP_RECVERR, queued);
            const packet_filter unreachable("input", e, "reject with icmp type host-unreachable");
            writes.happen(e);
            if (queued) {
                await("ICMP error", [&] { return polled(e.ours, 0) != 0; });
                wrong.expect(where, "read", read_with_inq(e.ours).result, -EHOSTUNREACH);
            } else {
                await("ICMP error", [&] { return error_of(e.ours) == EHOSTUNREACH; });
                wrong.expect(where, "poll", polled(e.ours, POLLIN | POLLRDHUP), 0);
            }
            wrong.expect(where, "next read", read_with_inq(e.ours).result, again);
            wrong.expect(where, "state", state_of(e.ours), kv::established);
        }
        return wrong.text();
    });
}

TEST_CASE("network: what this host's own filters drop is counted as sent, twice") {
    check_in_own_network([]() -> std::string {
        if (!packet_filter::possible()) return no_nftables;
        ends e = new_connection(false);
        if (!tcp_information(e.ours.get()).counts_sent_bytes()) return "SKIPPED: no tcpi_bytes_sent here";
        {
            const packet_filter lossy("output", e, "drop");
            writes.happen(e);
        }
        for (const step& s : {acknowledged, half_close, acknowledged, peer_fin}) s.happen(e);
        // So 1 proves that our FIN was acknowledged, and less proves nothing.
        differences wrong;
        const auto beyond = tcp_information(e.ours.get()).acknowledged_beyond_data();
        wrong.expect("both FINs", "less than our FIN", beyond < 1, true);
        return wrong.text();
    });
}

TEST_CASE("network: after SHUT_RD an edge tells of the peer's FIN, and of no data") {
    check_in_own_network([]() -> std::string {
        differences wrong;
        for (const bool full : {false, true})
            for (const unsigned events : {EPOLLOUT, EPOLLRDHUP}) {
                const std::string where =
                    std::string(events == EPOLLOUT ? "EPOLLOUT" : "EPOLLRDHUP") + (full ? ", send queue full" : "");
                ends e = new_connection(false);
                stops_reading.happen(e);
                if (full) fills.happen(e);
                const edge watch(e.ours, events);
                watch.take();
                input.happen(e);
                urgent_input.happen(e);
                wrong.expect(where, "event for data", watch.take(), 0);
                peer_fin.happen(e);
                // No room to write, no EPOLLOUT.
                wrong.expect(where, "event for a FIN", watch.take(), full && events == EPOLLOUT ? 0 : events);
                wrong.expect(where, "second event for a FIN", watch.take(), 0);
            }
        return wrong.text();
    });
}

TEST_CASE("network: after SHUT_WR an edge of EPOLLOUT tells that all is acknowledged, and of no data") {
    check_in_own_network([]() -> std::string {
        differences wrong;
        for (const unsigned events : {EPOLLOUT, EPOLLRDHUP}) {
            const std::string where = events == EPOLLOUT ? "EPOLLOUT" : "EPOLLRDHUP";
            ends e = begun({deaf, writes, half_close});
            const edge watch(e.ours, events);
            watch.take();
            input.happen(e);
            wrong.expect(where, "event for data", watch.take(), 0);
            hears.happen(e);
            acknowledged.happen(e);
            wrong.expect(where, "event for acknowledgement", watch.take(), events == EPOLLOUT ? events : 0);
            peer_fin.happen(e);
            wrong.expect(where, "event for a FIN", watch.take(), events | EPOLLHUP);
        }
        return wrong.text();
    });
}

TEST_CASE("network: connect(2) to no address resets as SO_LINGER and close(2) do, but for unread input") {
    check_in_own_network([]() -> std::string {
        struct {
            steps beginning;
            std::int64_t by_disconnect, by_linger, by_linger_with_unread_input; ///< segments with RST
        } const rows[]{
            {{}, 1, 1, 1},
            {{fills}, 1, 1, 1},
            {{deaf, half_close}, 1, 1, 1},
            {{fills, half_close}, 1, 1, 1},
            {{half_close, acknowledged}, 1, 1, 1},
            {{peer_fin}, 1, 1, 1},
            // CLOSING and LAST-ACK with our FIN on its way, and not.
            {{deaf, half_close, peer_fin}, 0, 0, 1},
            {{fills, half_close, peer_fin}, 1, 1, 1},
            {{peer_fin, deaf, half_close}, 0, 0, 1},
            {{fills, peer_fin, half_close}, 1, 1, 1},
            {{peer_rst, takes_error}, 0, 0, 0},
            {{half_close, acknowledged, peer_fin}, 0, 0, 0},
        };
        differences wrong;
        observation::segment_capture wire;
        for (const auto& r : rows)
            for (const bool unread : {false, true}) {
                steps beginning = r.beginning;
                if (unread) beginning.insert(beginning.begin(), input);
                const std::string where = name_of(beginning);
                ends e = begun(beginning);
                wire.forget();
                wrong.expect(where, "disconnect", disconnect(e.ours), 0);
                wrong.expect(where, "resets by disconnect", resets(wire, e), r.by_disconnect);
                // Whether there was one is left on the socket, and nothing else is.
                wrong.expect(where, "SO_ERROR", error_of(e.ours), r.by_disconnect ? ECONNRESET : 0);
                wrong.expect(where, "state", state_of(e.ours), kv::close);
                wrong.expect(where, "poll", polled(e.ours, POLLRDHUP), POLLHUP);
                wrong.expect(where, "read", read_with_inq(e.ours).result, none);
                e = begun(beginning);
                wire.forget();
                close_with_reset(e.ours);
                wrong.expect(where, "resets by SO_LINGER", resets(wire, e),
                             unread ? r.by_linger_with_unread_input : r.by_linger);
            }
        ends e;
        connects_to_deaf.happen(e);
        wire.forget();
        disconnect(e.ours);
        wrong.expect("connect under way", "resets", resets(wire, e), 0);
        wrong.expect("connect under way", "SO_ERROR", error_of(e.ours), ECONNRESET);
        return wrong.text();
    });
}

TEST_CASE("network: connect(2) to no address resets whoever else has the socket") {
    check_in_own_network([]() -> std::string {
        differences wrong;
        observation::segment_capture wire;
        {
            const ends e = begun({shared});
            wrong.expect("shared, disconnect", "errno", disconnect(e.ours), 0);
            wrong.expect("shared, disconnect", "resets", resets(wire, e), 1);
            wrong.expect("shared, disconnect", "read of the other", read_with_inq(e.copy).result, reset);
        }
        {
            ends e = begun({shared});
            close_with_reset(e.ours);
            wrong.expect("shared, SO_LINGER", "resets", resets(wire, e), 0);
            wrong.expect("shared, SO_LINGER", "state", state_of(e.copy), kv::established);
            // What was set for our close waits for the other's.
            e.copy.close();
            wrong.expect("shared, SO_LINGER", "resets by the other's close", resets(wire, e), 1);
        }
        {
            ends e = new_connection(false);
            const pid_t reader = checked(::fork(), "fork");
            if (reader == 0) {
                char byte;
                ::_exit(::recv(e.ours.get(), &byte, 1, 0) < 0 ? errno : 0);
            }
            await("a reader that waits", [&] {
                std::ifstream stat("/proc/" + std::to_string(reader) + "/stat");
                std::string pid, name, state;
                return stat >> pid >> name >> state && state == "S";
            });
            const int refused = disconnect(e.ours);
            if (refused != 0) close_with_reset(e.theirs); // EBUSY in Linux 6.4 and 6.5
            int status = 0;
            checked(::waitpid(reader, &status, 0), "waitpid");
            const int told = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
            wrong.expect("blocked read", "disconnect", refused == 0 || refused == EBUSY, true);
            wrong.expect("blocked read", "resets", resets(wire, e), refused == 0);
            wrong.expect("blocked read", "EPIPE or ECONNRESET", told == EPIPE || told == ECONNRESET, true);
        }
        return wrong.text();
    });
}

TEST_CASE("network: a connection without a round-trip time may be established") {
    check_in_own_network([]() -> std::string {
        for (const auto& [name, value] : {std::pair("tcp_timestamps", "0"), std::pair("tcp_syncookies", "2")})
            if (write_sysctl(std::string("net.ipv4.") + name, value) != 0)
                return std::string("SKIPPED: no namespace's setting here: ") + name;
        differences wrong;
        const ends e = new_connection(false);
        const tcp_information accepted(e.ours.get()), connected(e.theirs.get());
        wrong.expect("accepted by a cookie", "state", accepted.tcpi_state, number_of(kv::established));
        wrong.expect("accepted by a cookie", "tcpi_rtt", accepted.tcpi_rtt, 0);
        wrong.expect("accepted by a cookie", "tcpi_bytes_acked", static_cast<std::int64_t>(accepted.tcpi_bytes_acked),
                     0);
        // What does tell: on the connecting side our SYN was acknowledged, on both there is a receive window to tune.
        wrong.expect("connected", "tcpi_bytes_acked", static_cast<std::int64_t>(connected.tcpi_bytes_acked), 1);
        wrong.expect("accepted by a cookie", "tcpi_rcv_space > 0", accepted.tcpi_rcv_space > 0, true);
        wrong.expect("connected", "tcpi_rcv_space > 0", connected.tcpi_rcv_space > 0, true);
        for (const step& s : {unconnected, connects_to_deaf, connect_refused}) {
            ends never;
            s.happen(never);
            const tcp_information info(never.ours.get());
            wrong.expect(s.name, "tcpi_rcv_space", info.tcpi_rcv_space, 0);
            wrong.expect(s.name, "tcpi_bytes_acked", static_cast<std::int64_t>(info.tcpi_bytes_acked), 0);
        }
        return wrong.text();
    });
}

TEST_CASE("network: no time stamp of TCP_INFO stands for progress") {
    check_in_own_network([]() -> std::string {
        constexpr unsigned a_while = 40; // milliseconds; the kernel's clock may tick every 10
        differences wrong;
        const auto info = [](const ends& e) { return tcp_information(e.ours.get()); };
        const auto wait = [&](const ends& e) {
            await("silence", [&] { return info(e).tcpi_last_ack_recv >= a_while; });
        };
        {
            const ends e = begun({fills});
            // The window may yet move a little; then again.
            await("a probe of the closed window that is answered", [&] {
                wait(e);
                const tcp_information before = info(e);
                await("an acknowledgement", [&] { return info(e).tcpi_last_ack_recv < a_while; });
                const tcp_information after = info(e);
                return after.tcpi_bytes_acked == before.tcpi_bytes_acked &&
                       after.tcpi_last_data_sent >= before.tcpi_last_data_sent;
            });
        }
        {
            ends e = begun({writes, acknowledged, deaf, writes});
            const tcp_information before = info(e);
            wait(e);
            input.happen(e);
            wrong.expect("the peer's data", "no news in tcpi_last_ack_recv", info(e).tcpi_last_ack_recv >= a_while,
                         true);
            wait(e);
            urgent_input.happen(e);
            wrong.expect("the peer's urgent data", "news in tcpi_last_ack_recv", info(e).tcpi_last_ack_recv < a_while,
                         true);
            await("a retransmission", [&] { return info(e).tcpi_total_retrans > 0; });
            wrong.expect("a retransmission", "news in tcpi_last_data_sent", info(e).tcpi_last_data_sent < a_while,
                         true);
            wrong.expect("all of it", "bytes acknowledged",
                         static_cast<std::int64_t>(info(e).tcpi_bytes_acked - before.tcpi_bytes_acked), 0);
        }
        return wrong.text();
    });
}

TEST_CASE("network: what can be known of MPTCP") {
    check_in_own_network([]() -> std::string {
        ::utsname kernel{};
        ::uname(&kernel);
        if (std::stod(kernel.release) < 6.1) return "SKIPPED: MPTCP was another before Linux 6.1";
        const descriptor mptcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
        if (mptcp.get() < 0) return "SKIPPED: no MPTCP here";
        differences wrong;
        observation::segment_capture wire;
        for (const bool connecting : {false, true}) {
            const std::string side = connecting ? "connecting, " : "accepted, ";
            const auto all_acknowledged = [](const ends& e) {
                await("acknowledgement", [&] { return ioctl_value(e.ours.get(), SIOCOUTQ) == 0; });
            };
            ends e = new_connection(connecting, IPPROTO_MPTCP);
            int protocol = 0;
            socklen_t size = sizeof protocol;
            checked(::getsockopt(e.ours.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size), "SO_PROTOCOL");
            wrong.expect(side + "idle", "SO_PROTOCOL", protocol, IPPROTO_MPTCP);
            const int seconds = 5;
            const ::linger off{};
            const auto refused = [&](int level, int option, const void* value, socklen_t length) {
                return ::setsockopt(e.ours.get(), level, option, value, length) == 0 ? 0 : errno;
            };
            wrong.expect(side + "idle", "TCP_LINGER2", refused(IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds),
                         ENOPROTOOPT);
            wrong.expect(side + "idle", "TCP_NODELAY", refused(IPPROTO_TCP, TCP_NODELAY, &seconds, sizeof seconds), 0);
            wrong.expect(side + "idle", "SO_LINGER", refused(SOL_SOCKET, SO_LINGER, &off, sizeof off), 0);

            // TCP_INFO is the first subflow's, which knows of no half-close.
            writes.happen(e);
            half_close.happen(e);
            all_acknowledged(e);
            wrong.expect(side + "half-closed", "state", state_of(e.ours), kv::established);
            wrong.expect(side + "half-closed", "acknowledged beyond data",
                         tcp_information(e.ours.get()).acknowledged_beyond_data(), connecting);
            e = new_connection(connecting, IPPROTO_MPTCP);
            ::shutdown(e.theirs.get(), SHUT_WR);
            await("peer's FIN", [&] { return (polled(e.ours, POLLRDHUP) & POLLRDHUP) != 0; });
            wrong.expect(side + "peer's FIN", "state", state_of(e.ours), kv::established);
            wrong.expect(side + "peer's FIN", "read", read_with_inq(e.ours).result, 0);
            // Nor does TCP_CM_INQ tell a FIN from another end of file.
            e = new_connection(connecting, IPPROTO_MPTCP);
            stops_reading.happen(e);
            wrong.expect(side + "SHUT_RD", "TCP_CM_INQ", read_with_inq(e.ours).left, 1);

            e = new_connection(connecting, IPPROTO_MPTCP);
            wire.forget();
            wrong.expect(side + "disconnect", "errno", disconnect(e.ours), 0);
            wrong.expect(side + "disconnect", "resets", resets(wire, e), 1);
            wrong.expect(side + "disconnect", "SO_ERROR", error_of(e.ours), 0);

            // An edge of EPOLLOUT tells that all is acknowledged, and may come before.
            e = new_connection(connecting, IPPROTO_MPTCP);
            fills.happen(e);
            half_close.happen(e);
            const edge watch(e.ours, EPOLLOUT);
            std::vector<char> data(1 << 16);
            // No more to read by the end of file: then only the edge is waited for.
            for (ssize_t n = 1; true;) {
                while (watch.take() != 0) {
                }
                if (ioctl_value(e.ours.get(), SIOCOUTQ) == 0) break;
                if (n != 0) n = ::recv(e.theirs.get(), data.data(), data.size(), MSG_DONTWAIT);
                if (n > 0) continue;
                ::pollfd either[]{{watch.get(), POLLIN, 0}, {n != 0 ? e.theirs.get() : -1, POLLIN, 0}};
                if (::poll(either, 2, 5000) > 0) continue;
                wrong.expect(side + "half-closed", "event for acknowledgement", 0, EPOLLOUT);
                break;
            }
        }
        return wrong.text();
    });
}
