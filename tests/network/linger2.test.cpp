// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"
#include "support/in_child.hpp"
#include "support/kernel_view.hpp"
#include "support/own_network.hpp"

#include "observation/counters.hpp"

#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <list>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include <poll.h>
#include <sys/resource.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

using steady = std::chrono::steady_clock;

constexpr cs::close_duration nothing{0};

/// Leaves an orphan in FIN-WAIT-2 to a silent peer.
constexpr cs::close_policy orphaning(cs::fin_wait2 w) {
    return {.linger2 = w, .drain_time = 50ms, .on_destroy = cs::destroy_action::close};
}

constexpr cs::close_policy without_draining(cs::fin_wait2 w) { return {.linger2 = w, .drain_time = nothing}; }

void check_in_own_network(std::string (*body)()) {
    const auto text = in_own_network([&] {
        bring_up_loopback();
        return body();
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    MESSAGE(*text);
    CHECK(text->starts_with("as expected"));
}

double seconds(steady::duration d) { return std::chrono::duration<double>(d).count(); }

/// The life of one orphan, seen from outside.
struct orphan {
    orphan(const std::string& by, double lives, const tcp::endpoint& at)
        : made_by(by), expected(lives), peer(at), local(at) {}

    std::string made_by;
    double expected; ///< seconds in FIN-WAIT-2
    test_peer peer;
    tcp::endpoint local;
    steady::time_point released{};
    steady::time_point gone{};
};

class orphans {
public:
    /// One orphan of each way out.
    template <cs::close_policy P>
    void add(const std::string& linger2, double expected) {
        auto closed = stream<P>("async_close, " + linger2, expected);
        orphan& o = all_.back();
        closed.async_close([&o](cs::error_code, const cs::close_report&) { o.released = steady::now(); });

        { const auto dropped = stream<P>("destructor, " + linger2, expected); }
        all_.back().released = steady::now();

        cs::error_code ec;
        stream<P>("blocking close, " + linger2, expected).close_and_wait(ec);
        all_.back().released = steady::now();
    }

    void watch(std::chrono::seconds limit) {
        const auto end = steady::now() + limit;
        for (std::size_t left = all_.size(); left > 0 && steady::now() < end;) {
            io_.poll();
            left = 0;
            for (orphan& o : all_) {
                if (o.gone != steady::time_point()) continue;
                if (o.released != steady::time_point() && kv::state(o.local, o.peer.local()) == kv::none)
                    o.gone = steady::now();
                else
                    ++left;
            }
            ::poll(nullptr, 0, 5);
        }
    }

    /// How long each lived; begins "as expected" if that was within a second of what its policy says.
    std::string told() const {
        std::ostringstream text;
        bool all_right = true;
        for (const orphan& o : all_) {
            const double life = o.gone == steady::time_point() ? 1e9 : seconds(o.gone - o.released);
            const bool right = life > o.expected - 0.1 && life < o.expected + 1;
            text << "; " << o.made_by << (right ? ": " : ", WRONG: ") << life << " s";
            all_right = all_right && right;
        }
        return (all_right ? "as expected" : "not as expected") + text.str();
    }

private:
    template <cs::close_policy P>
    cs::stream<P> stream(const std::string& made_by, double expected) {
        cs::acceptor<P> listener(io_, {asio::ip::address_v4::loopback(), 0});
        all_.emplace_back(made_by, expected, listener.local_endpoint());
        return listener.accept();
    }

    asio::io_context io_;
    std::list<orphan> all_;
};

constexpr std::array counters_of_endings{"TCPAbortOnLinger", "TCPAbortOnData", "TCPAbortOnClose", "TW",
                                         "TWKilled",         "OutRsts"};

/// What `ending` adds to the counters; waits a second for `expected`.
template <cs::close_policy P, class Ending>
std::string check_counters(const char* name, const std::map<std::string, long long>& expected, Ending ending) {
    connection<P> c;
    const observation::counters before;
    std::map<std::string, long long> moved;
    const auto look = [&] {
        moved.clear();
        const observation::counters now;
        for (const char* const counter : counters_of_endings)
            if (const long long by = now.moved_since(before, counter)) moved[counter] = by;
        return moved == expected;
    };
    ending(c);
    if (kv::eventually(look, 1s)) return {};
    std::string text = std::string(name) + ":";
    for (const auto& [counter, by] : moved) text += " " + counter + "+" + std::to_string(by);
    return text + "; ";
}

const auto close_now = [](auto& c) {
    cs::error_code ec;
    c.stream->close_and_wait(ec);
};
const auto peer_closes_then_close = [](auto& c) {
    c.peer.half_close();
    c.local_becomes(kv::close_wait);
    cs::error_code ec;
    c.stream->close_and_wait(ec);
};

constexpr cs::close_policy patient_for_acks{.linger = cs::lingering::until_acked(10s), .drain_time = nothing};

/// Closes with until_acked while no acknowledgement gets through, for a second; then lets them through.
/** On one thread, since a sanitizer allows a forked process no other. */
template <class Block, class Release, class Meanwhile>
std::string wait_for_acks(connection<patient_for_acks>& c, Block block, Release release, Meanwhile meanwhile) {
    block();
    close_result result;
    steady::time_point completed{};
    c.stream->async_close([&](cs::error_code ec, const cs::close_report& report) {
        completed = steady::now();
        result.handler()(ec, report);
    });

    const auto switches = [] {
        ::rusage used{};
        ::getrusage(RUSAGE_THREAD, &used);
        return used.ru_nvcsw;
    };
    const long switches_before = switches();
    std::size_t handlers = 0;
    for (const auto end = steady::now() + 1s; steady::now() < end;) handlers += c.io.run_one_until(end);
    const long slept = switches() - switches_before;
    if (result.calls > 0) return "completed without acknowledgement";
    if (c.local_state() != kv::fin_wait1) return "not in FIN-WAIT-1";

    release();
    std::optional<steady::time_point> acknowledged;
    for (const auto end = steady::now() + 9s; steady::now() < end && (!acknowledged || result.calls == 0);) {
        meanwhile();
        if (!acknowledged && c.local_state() != kv::fin_wait1) acknowledged = steady::now();
        c.io.run_one_for(1ms);
    }
    if (!acknowledged || result.calls == 0) return "nothing came of the acknowledgement";

    const double late = seconds(completed - *acknowledged);
    std::ostringstream text;
    const bool right = result.calls == 1 && !result.ec && result.report.unacknowledged == 0 && handlers < 20 &&
                       slept < 20 && late < 0.05;
    text << (right ? "as expected" : "not as expected") << ": " << handlers << " handlers and " << slept
         << " sleeps in a second, completed " << late * 1000 << " ms after the acknowledgement was seen; "
         << result.ec.message() << "; " << to_string(result.report);
    return text.str();
}

} // namespace

TEST_CASE("network: an orphan stays in FIN-WAIT-2 for as long as linger2 says, whichever way it was made") {
    check_in_own_network([]() -> std::string {
        set_sysctl("tcp_fin_timeout", "3");
        orphans all;
        all.add<orphaning(1s)>("1 s", 1);
        all.add<orphaning(2s)>("2 s", 2);
        all.add<orphaning(5s)>("5 s", 5);
        all.add<orphaning(cs::fin_wait2::system)>("tcp_fin_timeout = 3", 3);
        all.add<orphaning(cs::fin_wait2::skip)>("skip", 0);
        all.watch(8s);
        return all.told();
    });
}

TEST_CASE("network: each ending moves the kernel's counters as it should") {
    check_in_own_network([]() -> std::string {
        std::string wrong;
        wrong += check_counters<cs::policies::abortive>("abort in ESTABLISHED", {{"TCPAbortOnData", 1}, {"OutRsts", 1}},
                                                        close_now);
        wrong += check_counters<cs::policies::abortive>("abort in CLOSE-WAIT", {{"TCPAbortOnData", 1}, {"OutRsts", 1}},
                                                        peer_closes_then_close);
        wrong += check_counters<cs::policies::system>(
            "close(2) over unread input", {{"TCPAbortOnClose", 1}, {"OutRsts", 1}}, [](auto& c) {
                c.peer.send(1);
                kv::eventually([&] {
                    char byte;
                    return ::recv(c.stream->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
                });
                close_now(c);
            });
        wrong += check_counters<without_draining(cs::fin_wait2::skip)>(
            "skip, closed in ESTABLISHED", {{"TCPAbortOnData", 1}, {"OutRsts", 1}}, close_now);
        wrong += check_counters<orphaning(cs::fin_wait2::skip)>("skip, closed in FIN-WAIT-2",
                                                                {{"TCPAbortOnLinger", 1}, {"OutRsts", 1}}, close_now);
        wrong += check_counters<cs::policies::graceful>("active close: TIME-WAIT here", {{"TW", 1}}, [](auto& c) {
            c.stream->async_close(asio::detached);
            c.local_becomes(kv::fin_wait2);
            c.peer.close();
            c.io.run();
        });
        wrong +=
            check_counters<cs::policies::peer_first>("passive close: TIME-WAIT at the peer", {{"TW", 1}}, [](auto& c) {
                c.peer.close();
                close_now(c);
            });
        wrong += check_counters<orphaning(2s)>("an orphan for 2 s", {{"TWKilled", 1}}, close_now);
        return wrong.empty() ? "as expected" : wrong;
    });
}

TEST_CASE("network: until_acked sleeps through lost acknowledgements and completes with the one that arrives") {
    check_in_own_network([]() -> std::string {
        if (std::system("nft list tables 2>/dev/null") != 0) return "as expected: SKIPPED, no nftables here";
        connection<patient_for_acks> c;
        std::string port = std::to_string(c.peer.local().port());
        return wait_for_acks(
            c,
            [&] {
                const std::string rules = "nft 'add table inet lossy; add chain inet lossy in "
                                          "{ type filter hook input priority 0; }; "
                                          "add rule inet lossy in tcp sport " +
                                          port + " drop'";
                if (std::system(rules.c_str()) != 0) throw std::runtime_error(rules);
                asio::write(*c.stream, asio::buffer("reply", 5));
            },
            [] {
                if (std::system("nft delete table inet lossy") != 0) throw std::runtime_error("nft delete table");
            },
            [] {});
    });
}

TEST_CASE("network: until_acked sleeps through a closed window and completes when the peer has read everything") {
    check_in_own_network([]() -> std::string {
        connection<patient_for_acks> c;
        return wait_for_acks(
            c, [&] { c.fill_send_queue(); }, [] {}, [&] { c.peer.read_available(); });
    });
}
