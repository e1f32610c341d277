// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/listen/bind_diagnosis.hpp>

#include "support/foreign_socket.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"
#include "support/user_option.hpp"

#include <closeside/acceptor.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/v6_only.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace cs = closeside;
using namespace tests;

namespace {

constexpr cs::close_policy reusing{};
constexpr cs::close_policy not_reusing{.reuse_address = false};

const tcp::endpoint any_v4{asio::ip::address_v4::any(), 0};
const tcp::endpoint any_v6{asio::ip::address_v6::any(), 0};
const tcp::endpoint loopback_v4{own_loopback(), 0};
const tcp::endpoint loopback_beside{asio::ip::make_address_v4("127.0.0.2"), 0};
const tcp::endpoint loopback_v6{asio::ip::address_v6::loopback(), 0};

tcp::endpoint with_port(tcp::endpoint e, const tcp::endpoint& of) {
    e.port(of.port());
    return e;
}

/// What the acceptor says when it does not get the endpoint; empty when it does.
template <cs::close_policy P = reusing, class... Options>
std::string refusal(const tcp::endpoint& endpoint, const Options&... options) {
    asio::io_context io;
    try {
        const cs::acceptor<P> listener(io, endpoint, 1, options...);
        return {};
    } catch (const cs::system_error& e) {
        return e.code() == asio::error::address_in_use ? e.what() : "another error: " + std::string(e.what());
    }
}

void is_said(const std::string& message, const std::vector<std::string>& parts,
             const std::vector<std::string>& never = {}) {
    INFO(message);
    for (const std::string& part : parts) CHECK_MESSAGE(contains(message, part), "not said: " << part);
    for (const std::string& part : never) CHECK_MESSAGE(!contains(message, part), "wrongly said: " << part);
}

/// On one port, and not in each other's way. Other sockets on the host may have the port, too: then the next one.
std::pair<tcp::endpoint, foreign_socket> time_wait_and_listener(const tcp::endpoint& a, const tcp::endpoint& b) {
    for (int tries = 1;; ++tries) {
        const tcp::endpoint server = leave_time_wait(a, {});
        try {
            return {server,
                    foreign_socket(with_port(b, server), {.reuse_address = true, .v6_only = b.address().is_v6()})
                        .listening()};
        } catch (const cs::system_error&) {
            if (tries == 20) throw;
        }
    }
}

bool skipped(bool refused) {
    if (refused) MESSAGE("skipped: no right to a network namespace");
    return refused;
}

std::string port_text(const tcp::endpoint& e) { return ":" + std::to_string(e.port()); }

} // namespace

TEST_CASE("A port that this program listens on already is said to be its own") {
    for (const tcp::endpoint& at : {loopback_v4, loopback_v6}) {
        const foreign_socket listener = foreign_socket(at, {.reuse_address = true}).listening();
        const std::string me = "(pid " + std::to_string(::getpid()) + ", this process)";
        const std::vector<std::string> truth{
            "bind ", port_text(listener.local()),       "live listener", "socket inode " + listener.inode() + ")",
            me,      "this program has it open already"};
        is_said(refusal(listener.local()), truth, {"TIME-WAIT", "SO_REUSEPORT", "another"});
        is_said(refusal<not_reusing>(listener.local()), truth, {"TIME-WAIT", "SO_REUSEPORT", "another"});
    }
}

TEST_CASE("A listener in another process of the same program is said to be that") {
    foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    const tcp::endpoint at = listener.local();
    const std::string inode = listener.inode();
    const background_process other = background_process::forked();
    listener.close();
    is_said(refusal(at),
            {"live listener", "inode " + inode, other.pid_text(), "another process of this program, to be stopped"},
            {"this process", "another program:", "share"});
}

TEST_CASE("Processes that share a listener are all named, up to five") {
    const foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    const background_process child = background_process::forked();
    is_said(refusal(listener.local()), {"this process)", child.pid_text(), "until the last of them closes it"},
            {"program", "leaked", " more"});

    std::vector<background_process> workers;
    for (int i = 0; i < 5; ++i) workers.push_back(background_process::forked());
    is_said(refusal(listener.local()), {" and 2 more", "until the last of them closes it"});
}

TEST_CASE("A descriptor that leaked to another program is called so") {
    foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    const tcp::endpoint at = listener.local();
    const background_process program = background_process::sleeping();
    is_said(refusal(at), {"'sleep' " + program.pid_text(), "Some are other programs", "leaked", "SOCK_CLOEXEC"});
    listener.close();
    is_said(refusal(at), {"live listener", "'sleep' " + program.pid_text(), "That is another program", "leaked"},
            {"this process", "Some are", "share"});
}

TEST_CASE("A process whose name is meant for the terminal or the log gets no line and no colour of its own") {
    for (const auto& [name, said] : {std::pair{"\x1b[31mX\nfake: ok", R"(held by '\x1b[31mX\x0afake: ok' (pid )"},
                                     {"x' (pid 1), 'y", R"(held by 'x\x27 (pid 1), \x27y' (pid )"}}) {
        const std::string message = in_child([&, called = name] {
            ::prctl(PR_SET_NAME, called);
            const foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
            return refusal(listener.local());
        });
        is_said(message, {"live listener", said, "this process)"}, {"\x1b", "\n", "(pid 1), '"});
    }
}

TEST_CASE("A live listener with SO_REUSEPORT is told from one without") {
    const foreign_socket listener =
        foreign_socket(loopback_v4, {.reuse_address = true, .reuse_port = true}).listening();
    for (const std::string& said : {refusal(listener.local()), refusal<not_reusing>(listener.local())})
        is_said(said, {"live listener", "bound with SO_REUSEPORT, which this acceptor does not set"});
}

TEST_CASE("With SO_REUSEPORT on both sides there is nothing to diagnose") {
    const foreign_socket listener =
        foreign_socket(loopback_v4, {.reuse_address = true, .reuse_port = true}).listening();
    CHECK(refusal(listener.local(), reuse_port) == "");
    const tcp::endpoint alone = leave_time_wait(loopback_v4, {.reuse_port = true});
    CHECK(refusal(alone, reuse_port) == "");
    CHECK(refusal<not_reusing>(alone, reuse_port) == "");
}

TEST_CASE("A live listener without SO_REUSEPORT is told to an acceptor that sets it") {
    const foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    for (const std::string& said :
         {refusal(listener.local(), reuse_port), refusal<not_reusing>(listener.local(), reuse_port)})
        is_said(said,
                {"live listener", "inode " + listener.inode(),
                 "it is bound without SO_REUSEPORT, which both sockets need to share a port"},
                {"does not set", "effective uid", "set reuse_address"});
}

TEST_CASE("A listener with SO_REUSEPORT of another user keeps the port, and both users are named") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: no right to sockets of another user");
        return;
    }
    const std::string said = in_child([] {
        if (::seteuid(65534) != 0) return std::string("seteuid");
        const foreign_socket listener =
            foreign_socket(loopback_v4, {.reuse_address = true, .reuse_port = true}).listening();
        if (::seteuid(0) != 0) return std::string("seteuid");
        return refusal(listener.local(), reuse_port);
    });
    is_said(said,
            {"live listener", "among sockets of one effective uid alone", "the listener is of uid 65534",
             "this acceptor of uid 0"},
            {"without SO_REUSEPORT", "does not set"});
}

TEST_CASE("Of two listeners, the one that would share the port is not blamed") {
    const auto said = in_own_network([] {
        const foreign_socket sharing = foreign_socket(loopback_v4, {.reuse_port = true}).listening();
        const foreign_socket other = foreign_socket(with_port(loopback_beside, sharing.local())).listening();
        const std::string text = refusal(with_port(any_v4, sharing.local()), reuse_port);
        return text + (contains(text, "inode " + other.inode()) ? " [the right one]" : " [the wrong one]");
    });
    if (skipped(!said)) return;
    is_said(*said, {"live listener", "bound without SO_REUSEPORT", "[the right one]"});
}

TEST_CASE("What is bound beside a listener that would share the port is blamed, not the listener") {
    const auto said = in_own_network([] {
        const foreign_socket sharing = foreign_socket(loopback_v4, {.reuse_port = true}).listening();
        const foreign_socket bound(with_port(loopback_beside, sharing.local()));
        return refusal(with_port(any_v4, sharing.local()), reuse_port);
    });
    if (skipped(!said)) return;
    is_said(*said,
            {"bound, but neither listens nor is connected", "without SO_REUSEADDR",
             "without SO_REUSEPORT of this effective uid, which would do as well"},
            {"live", "does not set"});
}

TEST_CASE("Connections beside a listener that would share the port are blamed, not the listener") {
    const auto said = in_own_network([] {
        bring_up_loopback();
        const tcp::endpoint server = leave_time_wait(loopback_v4, {});
        const foreign_socket sharing =
            foreign_socket(with_port(loopback_beside, server), {.reuse_port = true}).listening();
        return refusal(with_port(any_v4, server), reuse_port);
    });
    if (skipped(!said)) return;
    is_said(*said,
            {"what listens there shares the port", "1 in TIME-WAIT, 0 in other states", "without SO_REUSEADDR",
             "without SO_REUSEPORT of this effective uid, which would do as well"},
            {"nothing listens", "live", "does not set"});
}

TEST_CASE("SO_REUSEPORT alone does not get past TIME-WAIT of a socket with SO_REUSEADDR alone, and the cure is named") {
    const tcp::endpoint server = leave_time_wait(loopback_v4, {.reuse_address = true});
    is_said(refusal<not_reusing>(server, reuse_port),
            {"nothing listens there", "1 in TIME-WAIT", "set reuse_address = true in the policy"},
            {"live", "SO_REUSEPORT"});
    CHECK(refusal(server, reuse_port) == "");

    const auto said = in_own_network([] {
        bring_up_loopback();
        const tcp::endpoint at = leave_time_wait(loopback_v4, {.reuse_address = true});
        const socket_options both{.reuse_address = true, .reuse_port = true};
        const foreign_socket a = foreign_socket(at, both).listening();
        // The kernel takes a third socket on the last one's address without a look at what else is there.
        const foreign_socket b = foreign_socket(with_port(loopback_beside, at), both).listening();
        return refusal<not_reusing>(with_port(any_v4, at), reuse_port);
    });
    if (skipped(!said)) return;
    is_said(*said, {"what listens there shares the port", "1 in TIME-WAIT", "set reuse_address = true in the policy"},
            {"live"});
}

TEST_CASE("TIME-WAIT of a socket without SO_REUSEADDR keeps the port, and the message says how long") {
    for (const tcp::endpoint& at : {loopback_v4, loopback_v6}) {
        const tcp::endpoint server = leave_time_wait(at, {});
        for (const std::string& said : {refusal(server), refusal<not_reusing>(server)}) {
            is_said(said,
                    {"nothing listens there", "1 in TIME-WAIT, 0 in other states", "without SO_REUSEADDR",
                     "the old and the new one both need"},
                    {"live", "SO_REUSEPORT", "set reuse_address"});
            const std::size_t within = said.find("ends within ");
            REQUIRE(within != std::string::npos);
            const int seconds = std::stoi(said.substr(within + 12));
            CHECK(seconds > 50);
            CHECK(seconds <= 61);
        }
    }
}

TEST_CASE("TIME-WAIT of a socket with SO_REUSEADDR is no obstacle, but to a policy without it") {
    const tcp::endpoint server = leave_time_wait(loopback_v4, {.reuse_address = true});
    is_said(refusal<not_reusing>(server),
            {"1 in TIME-WAIT", "reuse_address is off: set reuse_address = true in the policy"},
            {"live", "SO_REUSEPORT", "without SO_REUSEADDR"});
    CHECK(refusal(server) == "");
}

TEST_CASE("TIME-WAIT of a socket that had SO_REUSEPORT alone is told from one that had nothing") {
    const tcp::endpoint server = leave_time_wait(loopback_v4, {.reuse_port = true});
    for (const std::string& said : {refusal(server), refusal<not_reusing>(server)})
        is_said(said, {"1 in TIME-WAIT", "had SO_REUSEPORT without SO_REUSEADDR", "TIME-WAIT ends within"}, {"live"});
}

TEST_CASE("A connection that lives on without SO_REUSEADDR is named with the process that holds it") {
    foreign_socket listener = foreign_socket(loopback_v4).listening();
    const tcp::endpoint server = listener.local();
    const test_peer peer(server);
    const int accepted = ::accept(listener.fd(), nullptr, nullptr);
    listener.close();
    const background_process other = background_process::forked();
    ::close(accepted);
    is_said(refusal(server),
            {"0 in TIME-WAIT, 1 in other states", "without SO_REUSEADDR", "live connection", other.pid_text(),
             "another process of this program"},
            {"live listener", "ends within", "this process"});
}

TEST_CASE("A client's connection on the port brings up the range that the kernel takes such ports from") {
    std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
    int low = 0, high = 0;
    range >> low >> high;
    REQUIRE(high > low);
    asio::io_context io;
    const cs::acceptor<reusing> server(io, loopback_v4);
    const test_peer client(server.local_endpoint());
    REQUIRE(client.local().port() >= low);
    is_said(refusal(client.local()), {"1 in other states", "net.ipv4.ip_local_reserved_ports"}, {"live listener"});
}

TEST_CASE("A socket that is bound and does no more is said to be that") {
    const foreign_socket plain(loopback_v4);
    is_said(refusal(plain.local()), {"bound, but neither listens nor is connected", "without SO_REUSEADDR", "ss -tnpB"},
            {"TIME-WAIT", "live"});
    is_said(refusal<not_reusing>(plain.local()), {"without SO_REUSEADDR, which both sockets need"});

    const foreign_socket reusable(loopback_v4, {.reuse_address = true});
    CHECK(refusal(reusable.local()) == "");
    is_said(refusal<not_reusing>(reusable.local()), {"with SO_REUSEADDR, and reuse_address is off"});

    const foreign_socket sharing(loopback_v4, {.reuse_port = true});
    is_said(refusal(sharing.local()), {"with SO_REUSEPORT, which this acceptor does not set"});
}

TEST_CASE("A listener that begins to listen between our bind and our listen is found") {
    const foreign_socket bound(loopback_v4, {.reuse_address = true});
    foreign_socket second(bound.local(), {.reuse_address = true});
    const foreign_socket first = foreign_socket(std::move(second)).listening();
    CHECK(::listen(bound.fd(), 1) == -1);
    const tcp::endpoint at = bound.local();
    is_said(cs::detail::why_in_use(at.data(), at.size(), {.reuse_address = true}),
            {"live listener", "inode " + first.inode()});
}

TEST_CASE("A listener beside which bind succeeds and listen fails, as on Linux 4.9, is not said to be gone") {
    const foreign_socket listener =
        foreign_socket(loopback_v4, {.reuse_address = true, .reuse_port = true}).listening();
    const tcp::endpoint at = listener.local();
    const auto said = [&](const cs::detail::bind_options& ours) {
        const cs::detail::socket_address wanted(at.data());
        return cs::detail::in_use_text(wanted, ours, {.would_do = true}, cs::detail::tcp_entries_on(wanted).value());
    };
    is_said(said({.reuse_address = true}),
            {"live listener", "inode " + listener.inode(), "this process", "listen(2) does not",
             "unless both sockets have SO_REUSEPORT"},
            {"gone", "bound with"});
    is_said(said({.reuse_address = true, .reuse_port = true}), {"gone by now: try again"}, {"live"}); // it may share
}

TEST_CASE("A listener of another user does not share its port, though bind beside it may succeed") {
    const foreign_socket listener =
        foreign_socket(loopback_v4, {.reuse_address = true, .reuse_port = true}).listening();
    const tcp::endpoint at = listener.local();
    const cs::detail::socket_address wanted(at.data());
    auto entries = cs::detail::tcp_entries_on(wanted).value();
    for (auto& e : entries) e.uid = ::geteuid() + 1;
    is_said(cs::detail::in_use_text(wanted, {.reuse_address = true, .reuse_port = true}, {.would_do = true}, entries),
            {"live listener", "of one effective uid alone", "uid " + std::to_string(::geteuid() + 1)}, {"gone"});
}

TEST_CASE("An IPv6 wildcard listener keeps IPv4 and v4-mapped addresses off the port, and is found") {
    const foreign_socket listener = foreign_socket(any_v6, {.reuse_address = true}).listening();
    const tcp::endpoint at = listener.local();
    const tcp::endpoint v4_mapped{asio::ip::make_address_v6(asio::ip::v4_mapped, own_loopback()), at.port()};
    for (const tcp::endpoint& wanted :
         {at, with_port(any_v4, at), with_port(loopback_v4, at), with_port(loopback_v6, at), v4_mapped}) {
        is_said(refusal(wanted), {"live listener", "inode " + listener.inode()});
    }
}

TEST_CASE("An IPv4 listener keeps the IPv6 wildcard and its v4-mapped address off the port, and is found") {
    for (const tcp::endpoint& where : {any_v4, loopback_v4}) {
        const foreign_socket listener = foreign_socket(where, {.reuse_address = true}).listening();
        const tcp::endpoint at = listener.local();
        const tcp::endpoint v4_mapped{asio::ip::make_address_v6(asio::ip::v4_mapped, own_loopback()), at.port()};
        for (const tcp::endpoint& wanted : {with_port(any_v6, at), v4_mapped})
            is_said(refusal(wanted), {"live listener", "inode " + listener.inode()});
        // Whoever has that port on ::1, it is not this listener.
        is_said(refusal(with_port(loopback_v6, at)), {}, {"inode " + listener.inode()});
    }
}

TEST_CASE("A listener that is not in the way is not blamed") {
    const struct {
        tcp::endpoint time_wait, listener;
    } cases[] = {
        {loopback_v4, any_v6}, // with IPV6_V6ONLY
        {loopback_v4, loopback_beside},
        {loopback_v6, any_v4},
    };
    for (const auto& c : cases) {
        const auto [server, beside] = time_wait_and_listener(c.time_wait, c.listener);
        is_said(refusal(server), {"1 in TIME-WAIT", "without SO_REUSEADDR"}, {"live listener", beside.inode()});
    }
}

TEST_CASE("With net.ipv6.bindv6only, an IPv4 listener is not in the way of the IPv6 wildcard") {
    const auto said = in_own_network([]() -> std::string {
        std::ofstream("/proc/sys/net/ipv6/bindv6only") << 1;
        const foreign_socket v4 = foreign_socket(any_v4, {.reuse_address = true}).listening();
        const foreign_socket v6(with_port(any_v6, v4.local()), {.v6_only = true});
        return refusal(v6.local());
    });
    if (skipped(!said)) return;
    is_said(*said, {"bound, but neither listens nor is connected"}, {"live"});
}

TEST_CASE("IPV6_V6ONLY of the acceptor, not the host's default, says whether an IPv4 listener is in its way") {
    const auto out_of_the_way = in_own_network([] {
        const foreign_socket v4 = foreign_socket(any_v4, {.reuse_address = true}).listening();
        const foreign_socket v6(with_port(any_v6, v4.local()), {.v6_only = true});
        return refusal(v6.local(), asio::ip::v6_only(true));
    });
    const auto in_the_way = in_own_network([] {
        std::ofstream("/proc/sys/net/ipv6/bindv6only") << 1;
        const foreign_socket v4 = foreign_socket(any_v4, {.reuse_address = true}).listening();
        return refusal(with_port(any_v6, v4.local()), asio::ip::v6_only(false));
    });
    if (skipped(!out_of_the_way || !in_the_way)) return;
    is_said(*out_of_the_way, {"bound, but neither listens nor is connected"}, {"live"});
    is_said(*in_the_way, {"live listener"}, {"bound, but", "gone"});
}

TEST_CASE("A listener in another network namespace is not taken for one in ours") {
    const foreign_socket outside = foreign_socket(any_v4, {.reuse_address = true}).listening();
    const tcp::endpoint at = outside.local();
    const auto said = in_own_network([&] {
        const foreign_socket inside(at);
        return refusal(at);
    });
    if (skipped(!said)) return;
    is_said(*said, {"bound, but neither listens nor is connected"}, {"live listener"});
}

TEST_CASE("A thread in a network namespace of its own is told of the sockets there") {
    const foreign_socket outside = foreign_socket(any_v4, {.reuse_address = true}).listening();
    const tcp::endpoint at = outside.local();
    std::string bound, listening, inode;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) return;
        {
            const foreign_socket inside(at);
            bound = refusal(at);
        }
        const foreign_socket inside = foreign_socket(at, {.reuse_address = true}).listening();
        inode = inside.inode();
        listening = refusal(at);
    }).join();
    if (skipped(inode.empty())) return;
    is_said(bound, {"bound, but neither listens nor is connected"}, {"live listener"});
    is_said(listening, {"live listener", "socket inode " + inode + ")", "this process"});
}

TEST_CASE("Without privilege, a foreign process is not named, its user is, and one's own is") {
    const foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    const tcp::endpoint at = listener.local();
    if (::geteuid() == 0)
        is_said(in_unprivileged_child([&] {
                    ::close(listener.fd());
                    return refusal(at);
                }),
                {"live listener", "inode " + listener.inode(), "(of uid 0) cannot be seen from here", "ss -tanp"},
                {"held by", "leaked"});
    is_said(in_unprivileged_child([&] { return refusal(at); }), {"live listener", "inode " + listener.inode()});
    is_said(in_unprivileged_child([] {
                const foreign_socket own = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
                return refusal(own.local());
            }),
            {"this process)", "this program has it open already"});
    is_said(in_unprivileged_child([] { return refusal(leave_time_wait(loopback_v4, {})); }),
            {"1 in TIME-WAIT", "without SO_REUSEADDR", "ends within"});
}

TEST_CASE("Where /proc cannot be read nothing is claimed") {
    const foreign_socket listener = foreign_socket(loopback_v4, {.reuse_address = true}).listening();
    const std::string said = in_child([&] {
        asio::io_context io;
        const tcp::socket has_opened_epoll(io);
        std::vector<int> taken;
        ::rlimit limit{64, 64};
        ::setrlimit(RLIMIT_NOFILE, &limit);
        for (int fd; (fd = ::dup(listener.fd())) >= 0;) taken.push_back(fd);
        ::close(taken.back());
        try {
            const cs::acceptor<reusing> acceptor(io, listener.local());
        } catch (const cs::system_error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    });
    is_said(said, {"what has the port cannot be seen", "/proc/net/tcp cannot be read"}, {"live", "bound,"});
}

TEST_CASE("A port that has become free in the meantime is said to be free") {
    tcp::endpoint at;
    {
        const foreign_socket gone(loopback_v4);
        at = gone.local();
    }
    for (const bool reuse_address : {false, true})
        is_said(cs::detail::why_in_use(at.data(), at.size(), {.reuse_address = reuse_address}),
                {"gone by now: try again"}, {"SO_REUSE", "live"});
    leave_time_wait(at, {.reuse_address = true});
    is_said(cs::detail::why_in_use(at.data(), at.size(), {.reuse_address = true}), {"gone by now: try again"});
}
