// SPDX-License-Identifier: BSL-1.0
#include <closeside/statistics.hpp>

#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

#include <closeside/close.hpp>
#include <closeside/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace kv = kernel_view;
using cs::close_counters;
using cs::close_limit;
using cs::ending;
using cs::fin_sender;
using cs::open_metrics;
using cs::time_wait_holder;

// To ask whether it can be copied must not ask whether it is an executor, which asks whether it can be copied.
static_assert(!std::is_copy_constructible_v<cs::statistics> && std::is_move_constructible_v<cs::statistics>);
static_assert(std::is_constructible_v<cs::statistics, asio::io_context&>);
static_assert(std::is_constructible_v<cs::statistics, asio::any_io_executor>);
static_assert(!std::is_constructible_v<cs::statistics, int>);
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy brief{.drain_time = 50ms};
constexpr cs::close_policy brief_or_reset{.drain_time = 50ms, .on_limit = cs::limit_action::abort};
constexpr cs::close_policy at_once_on_drop{.on_destroy = cs::destroy_action::close};
constexpr cs::close_policy aborted_on_drop{.on_destroy = cs::destroy_action::abort};
constexpr cs::close_policy peer_first{.closes_first = cs::side::peer, .patience = 2s};

/// What the counters must have gained: one ending with these labels.
struct one {
    ending ended_by;
    fin_sender first_fin;
    time_wait_holder time_wait;
    close_limit limit = close_limit::none;
};

constexpr one unknown{ending::unknown, fin_sender::unknown, time_wait_holder::unknown};
constexpr one active{ending::fin, fin_sender::local, time_wait_holder::local};
constexpr one passive{ending::fin, fin_sender::peer, time_wait_holder::peer};

/// A connection whose context is counted; every ending is observed as it is counted.
template <cs::close_policy P>
struct counted : connection<P> {
    counted() {
        figures.on_end([this](const cs::close_report& r) {
            ++told;
            last = r;
        });
    }

    void check(const one& expected) {
        const close_counters c = figures.snapshot();
        INFO(to_string(c));
        CHECK(c.total() == 1);
        CHECK(c.count(expected.ended_by) == 1);
        CHECK(c.count(expected.first_fin) == 1);
        CHECK(c.count(expected.time_wait) == 1);
        CHECK(c.count(expected.limit) == 1);
        std::uint64_t took = 0;
        for (const auto n : c.took) took += n;
        CHECK(took == 1);
        CHECK(c.waiting == 0);
        CHECK(told == 1);
        CHECK(last.ended_by == expected.ended_by);
        CHECK(last.limit == expected.limit);
    }

    /// Runs the context until so many ends have been told.
    void run_until_told(int n = 1) {
        REQUIRE(this->run_until([&] { return told == n; }));
    }

    cs::statistics figures{this->io};
    std::atomic<int> told{0};
    cs::close_report last;
};

} // namespace

TEST_CASE("statistics: an attended close counts as its report says, before its handler runs") {
    counted<graceful> c;
    close_result told;
    std::uint64_t in_handler = 0;
    const auto handler = [&](cs::error_code ec, const cs::close_report& r) {
        told.handler()(ec, r);
        in_handler = c.figures.snapshot().total();
    };
    SUBCASE("the peer has closed") {
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream->async_close(handler);
        REQUIRE(c.run_until([&] { return told.calls == 1; }));
        c.check(passive);
    }
    SUBCASE("the peer closes when it has our FIN, and has sent 100 bytes") {
        c.peer.send(100);
        c.stream->async_close(handler);
        CHECK(c.figures.snapshot().waiting == 1);
        REQUIRE(c.peer_becomes(kv::close_wait));
        c.peer.close();
        REQUIRE(c.run_until([&] { return told.calls == 1; }));
        c.check(active);
        CHECK(c.figures.snapshot().discarded == 100);
    }
    CHECK(in_handler == 1);
    CHECK(c.last == told.report);
}

TEST_CASE("statistics: nothing is counted before somebody asks, and from then on everything") {
    connection<graceful> c;
    test_peer other(c.listener.local_endpoint());
    auto second = c.listener.accept();
    c.stream->abort();
    cs::statistics figures(c.io.get_executor());
    CHECK(figures.snapshot() == close_counters{});
    second.abort();
    CHECK(figures.snapshot().total() == 1);
    const cs::statistics same_figures(c.io);
    CHECK(same_figures.snapshot() == figures.snapshot());
}

TEST_CASE("statistics: of another context nothing is counted") {
    asio::io_context other;
    cs::statistics figures(asio::make_strand(other));
    connection<graceful> c;
    c.stream->abort();
    c.stream.reset();
    CHECK(figures.snapshot().total() == 0);
}

TEST_CASE("statistics: a dropped stream that closes first") {
    counted<graceful> c;
    SUBCASE("and whose peer closes then") {
        c.stream.reset();
        CHECK(c.figures.snapshot().waiting == 1);
        CHECK(c.figures.snapshot().total() == 0);
        REQUIRE(c.peer_becomes(kv::close_wait));
        c.peer.close();
        c.run_until_told();
        c.check(active);
        CHECK(c.local_state() == kv::time_wait);
    }
    SUBCASE("with input, and more of it behind our FIN") {
        c.peer.send(100);
        c.stream.reset();
        REQUIRE(c.peer_becomes(kv::close_wait));
        c.peer.send(1);
        REQUIRE(kv::eventually([&] { return c.io.poll() > 0; }));
        c.peer.close();
        c.run_until_told();
        CHECK(c.figures.snapshot().count(ending::fin) == 1);
        CHECK(c.figures.snapshot().discarded == 101);
    }
    SUBCASE("with input, and the peer's FIN behind it") {
        c.peer.send(100);
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream.reset();
        c.run_until_told();
        c.check({ending::fin, fin_sender::unknown, time_wait_holder::unknown});
    }
}

TEST_CASE("statistics: a dropped stream at whose first look everything is over") {
    counted<graceful> c;
    SUBCASE("by the peer's FIN") {
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream.reset();
        c.check(unknown);
    }
    SUBCASE("by a RST that the program has read, which looks the same") {
        c.peer.reset();
        char byte;
        cs::error_code ec;
        c.stream->read_some(asio::buffer(&byte, 1), ec);
        REQUIRE(ec == asio::error::connection_reset);
        c.stream.reset();
        c.check(unknown);
    }
    SUBCASE("by a RST") {
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        c.stream.reset();
        c.check({ending::reset_by_peer, fin_sender::unknown, time_wait_holder::nobody});
    }
}

TEST_CASE("statistics: a dropped stream under side::peer, which looks for its own sake") {
    counted<peer_first> c;
    SUBCASE("whose peer has closed") {
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream.reset();
    }
    SUBCASE("whose peer closes later") {
        c.stream.reset();
        c.peer.close();
    }
    c.run_until_told();
    c.check(passive);
}

TEST_CASE("statistics: a limit that runs out") {
    SUBCASE("then close(2)") {
        counted<brief> c;
        c.stream.reset();
        c.run_until_told();
        c.check({ending::fin, fin_sender::local, time_wait_holder::left_to_kernel, close_limit::drain_time});
        CHECK(c.last.elapsed >= 50ms);
    }
    SUBCASE("then RST") {
        counted<brief_or_reset> c;
        c.stream.reset();
        c.run_until_told();
        c.check({ending::reset_by_us, fin_sender::local, time_wait_holder::nobody, close_limit::drain_time});
    }
}

TEST_CASE("statistics: a close that is cancelled, by a signal or by the end of its context") {
    SUBCASE("by a signal") {
        counted<graceful> c;
        asio::cancellation_signal signal;
        close_result told;
        const auto handler = [&](cs::error_code ec, const cs::close_report& r) {
            CHECK(c.told == 1);
            told.handler()(ec, r);
        };
        c.stream->async_close(asio::bind_cancellation_slot(signal.slot(), handler));
        signal.emit(asio::cancellation_type::terminal);
        REQUIRE(c.run_until([&] { return told.calls == 1; }));
        c.check({ending::fin, fin_sender::local, time_wait_holder::left_to_kernel, close_limit::cancelled});
    }
    SUBCASE("by the end of its context, which the figures outlive") {
        std::optional<asio::io_context> io(std::in_place);
        std::optional<cs::acceptor<graceful>> listener(std::in_place, *io,
                                                       tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        const test_peer waits(listener->local_endpoint());
        std::optional<cs::stream<graceful>> first(listener->accept());
        const test_peer lives(listener->local_endpoint());
        asio::co_spawn(
            *io,
            [](cs::stream<graceful> mine) -> asio::awaitable<void> {
                char byte;
                co_await mine.async_read_some(asio::buffer(&byte, 1), asio::use_awaitable);
            }(listener->accept()),
            asio::detached);
        io->poll();
        cs::statistics figures(*io);
        int told = 0;
        figures.on_end([&](const cs::close_report&) { ++told; });
        first.reset();
        CHECK(figures.snapshot().waiting == 1);
        listener.reset();
        io.reset();
        const close_counters c = figures.snapshot();
        CHECK(c.total() == 2);
        CHECK(told == 2);
        CHECK(c.count(close_limit::cancelled) == 2);
        CHECK(c.count(ending::fin) == 2);
        CHECK(c.count(fin_sender::local) == 2);
        CHECK(c.waiting == 0);
    }
}

TEST_CASE("statistics: ways out that look at nothing are counted once, and as unknown") {
    SUBCASE("abort") {
        counted<graceful> c;
        c.stream->abort();
        c.stream->abort();
        c.stream.reset();
        c.check(unknown);
    }
    SUBCASE("on_destroy = abort") {
        counted<aborted_on_drop> c;
        c.stream.reset();
        c.check(unknown);
    }
    SUBCASE("policies::abortive") {
        counted<cs::policies::abortive> c;
        c.stream->close();
        c.check(unknown);
    }
    SUBCASE("policies::system") {
        counted<cs::policies::system> c;
        c.stream->close();
        c.check(unknown);
    }
}

TEST_CASE("statistics: close_and_wait, on_destroy = close, asio::detached, a plain socket") {
    SUBCASE("close_and_wait") {
        counted<brief> c;
        cs::error_code ec;
        const cs::close_report report = c.stream->close_and_wait(ec);
        c.check({ending::fin, fin_sender::local, time_wait_holder::left_to_kernel, close_limit::drain_time});
        CHECK(c.last == report);
    }
    SUBCASE("on_destroy = close") {
        counted<at_once_on_drop> c;
        c.stream.reset();
        c.check({ending::fin, fin_sender::local, time_wait_holder::left_to_kernel, close_limit::cancelled});
    }
    SUBCASE("asio::detached") {
        counted<brief> c;
        c.stream->async_close(asio::detached);
        c.run_until_told();
        c.check({ending::fin, fin_sender::local, time_wait_holder::left_to_kernel, close_limit::drain_time});
    }
    SUBCASE("a plain socket") {
        counted<graceful> c;
        close_result told;
        cs::async_close(c.stream->release_socket(), cs::policies::abortive, told.handler());
        REQUIRE(c.run_until([&] { return told.calls == 1; }));
        c.check({ending::reset_by_us, fin_sender::none, time_wait_holder::nobody});
    }
}

TEST_CASE("statistics: what is no ending is not counted") {
    counted<graceful> c;
    const int copy = ::dup(c.stream->native_handle());
    c.stream->disown();
    c.stream->close();
    c.stream.reset();
    CHECK(c.figures.snapshot().total() == 0);
    CHECK(c.told == 0);
    ::close(copy);
}

TEST_CASE("statistics: a socket that never was connected has failed") {
    counted<graceful> c;
    cs::stream<graceful> s(c.io, tcp::v4());
    s.close();
    c.run_until_told();
    c.check({ending::failed, fin_sender::none, time_wait_holder::nobody});
}

TEST_CASE("statistics: several observers see each ending, may end connections themselves, and go with their object") {
    counted<graceful> c;
    std::vector<cs::stream<graceful>> more;
    std::vector<std::unique_ptr<test_peer>> peers;
    for (int i = 0; i < 3; ++i) {
        peers.push_back(std::make_unique<test_peer>(c.listener.local_endpoint()));
        more.push_back(c.listener.accept());
    }
    auto second = std::make_unique<cs::statistics>(c.io);
    int seen = 0;
    second->on_end([&](const cs::close_report&) {
        ++seen;
        if (!more.empty()) {
            cs::stream<graceful> next = std::move(more.back());
            more.pop_back();
            next.abort();
        }
        if (seen == 4) second.reset(); // from inside itself, four calls deep
    });
    c.stream->abort();
    CHECK(seen == 4);
    CHECK(c.told == 4);
    CHECK(second == nullptr);
    peers.push_back(std::make_unique<test_peer>(c.listener.local_endpoint()));
    auto last = c.listener.accept();
    last.abort();
    CHECK(seen == 4);
    CHECK(c.told == 5);
}

TEST_CASE("statistics: connections end on many threads while observers come and go") {
    asio::io_context io;
    cs::acceptor<graceful> listener(io, {asio::ip::address_v4::loopback(), 0});
    constexpr int threads = 3, each = 40;
    std::vector<std::unique_ptr<test_peer>> peers;
    std::vector<std::vector<cs::stream<graceful>>> streams(threads);
    for (auto& of_thread : streams)
        for (int i = 0; i < each; ++i) {
            peers.push_back(std::make_unique<test_peer>(listener.local_endpoint()));
            of_thread.push_back(listener.accept());
        }
    cs::statistics figures(io);
    std::atomic<int> told{0}, left{threads}, late{0};
    figures.on_end([&](const cs::close_report&) { ++told; });
    std::vector<std::thread> running;
    for (auto& of_thread : streams)
        running.emplace_back([&] {
            for (auto& s : of_thread) s.abort();
            --left;
        });
    do {
        std::atomic<bool> alive = true;
        cs::statistics passing(io);
        passing.on_end([&](const cs::close_report&) { late += alive ? 0 : 1; });
        passing = cs::statistics(io);
        alive = false;
    } while (left != 0);
    for (auto& t : running) t.join();
    CHECK(late == 0);
    CHECK(told == threads * each);
    CHECK(figures.snapshot().total() == threads * each);
    CHECK(figures.snapshot().count(ending::unknown) == threads * each);
}

TEST_CASE("statistics: who destroys the object waits for a call that is under way") {
    counted<graceful> c;
    std::atomic<bool> inside{false}, destroying{false}, over{false};
    auto other = std::make_unique<cs::statistics>(c.io);
    other->on_end([&](const cs::close_report&) {
        inside = true;
        kv::eventually([&] { return destroying.load(); });
        for (int i = 0; i < 100; ++i) std::this_thread::yield(); // the destructor is in its wait by then, or soon is
        over = true;
    });
    std::thread ends([&] { c.stream->abort(); });
    REQUIRE(kv::eventually([&] { return inside.load(); }));
    destroying = true;
    other.reset();
    CHECK(over);
    ends.join();
}

TEST_CASE("statistics: the line for a log, sums and differences") {
    CHECK(to_string(close_counters{}) == "ended=0 waiting=0");
    close_counters c;
    c.ended_by = {2, 1, 0, 0, 0};
    c.first_fin = {1, 2, 0, 0};
    c.time_wait = {1, 1, 0, 0, 1, 0};
    c.limit[static_cast<std::size_t>(close_limit::none)] = 2;
    c.limit[static_cast<std::size_t>(close_limit::shed)] = 1;
    c.took_in_all = 3ms;
    c.discarded = 7;
    c.waiting = 4;
    CHECK(to_string(c) == "ended=3 fin=2 reset_by_us=1 first_fin_none=1 first_fin_local=2 time_wait_nobody=1 "
                          "time_wait_local=1 time_wait_left_to_kernel=1 limit_none=2 limit_shed=1 discarded=7 "
                          "mean_us=1000 waiting=4");
    CHECK(c.shed() == 1);
    const close_counters twice = c + c;
    CHECK(twice.total() == 6);
    CHECK(twice.waiting == 8);
    close_counters rest = twice - c;
    CHECK(rest.waiting == 8);
    rest.waiting = 4;
    CHECK(rest == c);
}

TEST_CASE("statistics: buckets hold what is up to their bound") {
    static_assert(close_counters::bucket_of(0us) == 0 && close_counters::bucket_of(1000us) == 0);
    static_assert(close_counters::bucket_of(1001us) == 1 && close_counters::bucket_of(2ms) == 1);
    static_assert(close_counters::bucket_of(65536ms) == 16 && close_counters::bucket_of(65537ms) == 17);
    static_assert(close_counters::bucket_of(24h) == 17);
    for (std::size_t i = 0; i + 1 < close_counters::buckets; ++i) {
        CHECK(close_counters::bucket_of(close_counters::bound(i)) == i);
        CHECK(close_counters::bucket_of(close_counters::bound(i) + 1us) == i + 1);
    }
}

namespace {

/// What OpenMetrics 1.0 asks of the text, of what we use of it; nothing, or the first line that is wrong.
std::string wrong_line(const std::string& text) {
    std::istringstream lines(text);
    std::string line, family, type;
    bool ended = false;
    const std::regex metadata("# (TYPE|UNIT|HELP) ([a-z_]+) (.+)");
    const std::regex sample("([a-z_]+?)(_total|_bucket|_count|_sum)?(\\{([a-z_]+=\"[a-zA-Z0-9_.+]+\",?)+\\})? [0-9.]+");
    while (std::getline(lines, line)) {
        if (ended) return "behind the end: " + line;
        std::smatch m;
        if (line == "# EOF") {
            ended = true;
        } else if (std::regex_match(line, m, metadata)) {
            if (m[1] == "TYPE") family = m[2], type = m[3];
            if (m[2] != family) return "of another family: " + line;
            if (m[1] == "UNIT" && !family.ends_with("_" + m[3].str())) return "not the unit of its name: " + line;
        } else if (std::regex_match(line, m, sample)) {
            if (m[1] != family) return "of another family: " + line;
            const bool total = m[2] == "_total", of_histogram = m[2].matched && !total;
            if (total != (type == "counter") || of_histogram != (type == "histogram")) return "wrong suffix: " + line;
        } else {
            return line;
        }
    }
    return ended ? "" : "no # EOF";
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// The format before OpenMetrics, which is what promtool reads.
std::string as_prometheus(const std::string& text) {
    std::string result;
    std::istringstream lines(text);
    std::string counter;
    for (std::string line; std::getline(lines, line);) {
        std::smatch m;
        if (std::regex_match(line, m, std::regex("# TYPE ([a-z_]+) counter"))) counter = m[1];
        if (line.starts_with("# UNIT") || line == "# EOF") continue;
        if (line[0] == '#' && !counter.empty())
            line = std::regex_replace(line, std::regex(" " + counter + " "), " " + counter + "_total ");
        result += line + "\n";
    }
    return result;
}

} // namespace

TEST_CASE("statistics: the OpenMetrics text") {
    close_counters c;
    c.ended_by[0] = 3;
    c.took[0] = 1;
    c.took[2] = 1;
    c.took[17] = 1;
    c.took_in_all = 90'500'100us;
    c.waiting = 2;
    c.discarded = 10;
    const std::string text = open_metrics(c);
    CHECK(wrong_line(text) == "");
    CHECK(has_line(text, "closeside_connection_ends_total{network_transport=\"tcp\",ended_by=\"fin\"} 3"));
    CHECK(has_line(text, "closeside_connection_ends_total{network_transport=\"tcp\",ended_by=\"unknown\"} 0"));
    CHECK(has_line(text, "closeside_connections_closing{network_transport=\"tcp\"} 2"));
    const std::string took = "closeside_connection_close_duration_seconds";
    CHECK(has_line(text, took + "_bucket{le=\"0.001\"} 1"));
    CHECK(has_line(text, took + "_bucket{le=\"0.002\"} 1"));
    CHECK(has_line(text, took + "_bucket{le=\"65.536\"} 2"));
    CHECK(has_line(text, took + "_bucket{le=\"+Inf\"} 3"));
    CHECK(has_line(text, took + "_count 3"));
    CHECK(has_line(text, took + "_sum 90.5001"));
    CHECK(wrong_line(open_metrics({}, false)) == "no # EOF");
    CHECK(open_metrics(c, false) + "# EOF\n" == text);
    CHECK(wrong_line(text + "x 1\n") != "");
    CHECK(wrong_line("# TYPE a counter\na 1\n# EOF\n") != "");
}

TEST_CASE("statistics: promtool finds nothing to say about the text") {
    if (std::string_view(PROMTOOL).empty()) {
        MESSAGE("SKIPPED: promtool is not installed (Debian: prometheus)");
        return;
    }
    const tests::temporary_directory directory;
    const auto said_of = [&](const std::string& text) {
        const std::string file = directory.write("metrics", text);
        const tests::program_result r =
            tests::run_program({"/bin/sh", "-c", "exec \"$0\" check metrics <\"$1\"", PROMTOOL, file});
        return std::to_string(r.status) + r.out + r.err;
    };
    CHECK(said_of(as_prometheus(open_metrics({}))) == "0");
    CHECK(said_of("# TYPE a gauge\na{b=} 1\n") != "0");
}
