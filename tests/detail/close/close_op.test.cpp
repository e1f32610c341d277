// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/start_close.hpp>

#include "support/connection.hpp"
#include "support/failing_calls.hpp"
#include "support/interposed_calls.hpp"
#include "support/scarce_memory.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/error.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>

#if ASIO_VERSION >= 102300
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
#else
#include <asio/experimental/as_tuple.hpp>
#endif

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

#if ASIO_VERSION >= 102300
namespace tuples = asio;
#else
namespace tuples = asio::experimental;
#endif

using plain_socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

int open_descriptors() {
    return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// Both ends of a connection over loopback; the near one is a bare descriptor at first.
struct ends {
    ends() : ends(asio::io_context()) {}

    template <class Socket>
    Socket near_end(const typename Socket::executor_type& executor) {
        return Socket(executor, tcp::v4(), std::exchange(fd, -1));
    }
    kv::tcp_state near_state() const { return kv::state(local, peer.local()); }

    int fd;
    tcp::endpoint local;
    test_peer peer;

private:
    explicit ends(asio::io_context&& io) : ends(tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0})) {}
    explicit ends(tcp::acceptor&& listener)
        : fd(-1), local(listener.local_endpoint()), peer(listener.local_endpoint()) {
        fd = ::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        REQUIRE(fd >= 0);
    }
};

/// What became of a probe.
struct fate {
    int calls = 0;
    int destroyed = 0;
    cs::error_code ec;
    cs::close_report report;
    std::size_t bytes_at_call = 0;
    int descriptors_at_call = 0;
    bool may_be_called = false;
};

/// A move-only handler with an allocator and a cancellation slot of its own, that leaves word of its fate.
class probe {
public:
    using allocator_type = counting_allocator<void>;
    using cancellation_slot_type = asio::cancellation_slot;

    probe(fate& f, ledger& memory, cancellation_slot_type slot = {})
        : fate_(&f, [](fate* of) { ++of->destroyed; }), memory_(&memory), slot_(slot) {}

    allocator_type get_allocator() const noexcept { return allocator_type(*memory_); }
    cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    void operator()(cs::error_code ec, const cs::close_report& report) {
        CHECK(fate_->may_be_called);
        fate_->bytes_at_call = memory_->bytes;
        fate_->descriptors_at_call = open_descriptors();
        ++fate_->calls;
        fate_->ec = ec;
        fate_->report = report;
    }

private:
    std::unique_ptr<fate, void (*)(fate*)> fate_;
    ledger* memory_;
    cancellation_slot_type slot_;
};

constexpr cs::close_duration nothing{0};
// The machine takes part of a second for until_acked, which the rules refuse, since SO_LINGER cannot.
constexpr cs::lingering briefly = cs::lingering::until_acked(60ms);

constexpr cs::close_policy graceful_policy = cs::policies::graceful;

/// A policy, and what the peer does before each handler runs.
struct scenario {
    std::string name;
    cs::close_policy policy;
    int bytes = 0; ///< trickled one by one
    enum { stays, closes, resets } then = stays;
    bool full_queue = false;
    bool reads = false;
    std::uint32_t last_bytes = 0;
};

const scenario scenarios[] = {
    {"graceful, silent", {.drain_time = 30ms}},
    {"graceful, trickling", {.drain_time = 30ms}, 3},
    {"graceful, over drain_bytes", {.drain_time = 5s, .drain_bytes = 2}, 4},
    {"graceful, closing", {}, 0, scenario::closes},
    {"graceful, trickling and closing", {}, 2, scenario::closes},
    {"graceful, resetting", {}, 1, scenario::resets},
    {"graceful that aborts, silent", {.drain_time = 30ms, .on_limit = cs::limit_action::abort}},
    {"graceful, a full send queue and a reset", {}, 0, scenario::resets, true},
    {"peer_first, silent", {.closes_first = cs::side::peer, .patience = 30ms, .drain_time = 30ms}},
    {"peer_first, trickling", {.closes_first = cs::side::peer, .patience = 30ms, .drain_time = 30ms}, 3},
    {"peer_first, trickling and closing", {.closes_first = cs::side::peer}, 2, scenario::closes},
    {"peer_first, resetting", {.closes_first = cs::side::peer}, 1, scenario::resets},
    {"peer_first that aborts, silent",
     {.closes_first = cs::side::peer, .patience = 30ms, .on_limit = cs::limit_action::abort}},
    {"peer_first, a full send queue",
     {.closes_first = cs::side::peer, .patience = 30ms, .drain_time = 30ms},
     0,
     scenario::stays,
     true},
    {"until_acked, not acknowledged", {.linger = briefly, .drain_time = nothing}, 0, scenario::stays, true},
    {"until_acked, reading",
     {.linger = cs::lingering::until_acked(5s), .drain_time = nothing},
     0,
     scenario::stays,
     true,
     true},
    {"until_acked, resetting",
     {.linger = cs::lingering::until_acked(5s), .drain_time = nothing},
     0,
     scenario::resets,
     true},
    {"until_acked and draining, reading, trickling and closing",
     {.linger = cs::lingering::until_acked(5s)},
     2,
     scenario::closes,
     true,
     true},
    {"until_acked that aborts, draining, silent",
     {.linger = briefly, .drain_time = 30ms, .on_limit = cs::limit_action::abort},
     0,
     scenario::stays,
     true},
    {"peer_first and until_acked, closing",
     {.closes_first = cs::side::peer, .linger = briefly},
     1,
     scenario::closes,
     true},
    {"graceful, last bytes, closing", {}, 0, scenario::closes, false, false, 100},
    {"graceful, last bytes, a full send queue, reading", {}, 0, scenario::closes, true, true, 100},
    {"peer_first, last bytes, a full send queue",
     {.closes_first = cs::side::peer, .patience = 30ms, .drain_time = 30ms},
     0,
     scenario::stays,
     true,
     false,
     100},
    {"graceful, last bytes, a full send queue and a reset", {}, 0, scenario::resets, true, false, 100},
};

/// One close under a scenario, run handler by handler.
class run {
public:
    explicit run(const scenario& s) : scenario_(s), socket_(connection.near_end<plain_socket>(io->get_executor())) {
        context_descriptors = open_descriptors() - descriptors_before;
        socket_.non_blocking(true);
        if (s.last_bytes != 0) last_bytes_ = std::make_unique<std::byte[]>(s.last_bytes);
        if (!s.full_queue) return;
        const std::string data(1u << 20, 'r');
        for (cs::error_code ec; !ec;) socket_.write_some(asio::buffer(data), ec);
    }

    /// `new_fails`: which call of operator new fails.
    void start(asio::cancellation_slot slot = {}, std::optional<int> new_fails = {}) {
        start([&] {
            std::optional<scarce_memory> scarce;
            if (new_fails) scarce.emplace(*new_fails, 1);
            start_close(slot);
        });
    }

    template <class Start>
    void start(Start start_now) requires std::is_invocable_v<Start> {
        peer_acts();
        descriptors_before = open_descriptors();
        start_now();
        CHECK(outcome.calls == 0);
        outcome.may_be_called = true;
        started_ = true;
    }

    void start_close(asio::cancellation_slot slot = {}) {
        cs::detail::start_close(std::move(socket_), scenario_.policy, probe(outcome, memory, slot),
                                {.last_bytes = scenario_.last_bytes}, std::move(last_bytes_));
    }

    /// Lets one handler run; false when there is none any more.
    bool step() {
        peer_acts();
        const auto end = std::chrono::steady_clock::now() + 5s;
        do {
            if (scenario_.reads && connection.peer.fd() >= 0) connection.peer.read_available();
            if (io->run_one_for(2ms) > 0) return true;
        } while (!io->stopped() && std::chrono::steady_clock::now() < end);
        return false;
    }

    void finish() {
        while (step()) {
        }
    }

    std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>();
    ends connection;
    fate outcome;
    ledger memory;
    int descriptors_before = open_descriptors();
    int context_descriptors = 0;

private:
    void peer_acts() {
        test_peer& peer = connection.peer;
        if (sent_ < scenario_.bytes) {
            ++sent_;
            const char byte = 'p';
            ::send(peer.fd(), &byte, 1, MSG_NOSIGNAL); // in vain where the close has reset it
        } else if (started_ && !ended_) {
            ended_ = true;
            if (scenario_.then == scenario::closes) peer.half_close();
            if (scenario_.then == scenario::resets) {
                peer.reset();
                --descriptors_before;
            }
        }
    }

    const scenario& scenario_;
    plain_socket socket_;
    cs::detail::last_bytes_memory last_bytes_;
    int sent_ = 0;
    bool started_ = false;
    bool ended_ = false;
};

/// The connection is over on this side, and the peer sees what `aborted` says.
void check_ended(run& r, bool aborted) {
    const kv::tcp_state state = r.connection.near_state();
    if (!aborted) return;
    CHECK((state == kv::none || state == kv::time_wait));
}

void check_complete(run& r) {
    CHECK(r.outcome.calls == 1);
    CHECK(r.outcome.destroyed == 1);
    CHECK(r.outcome.bytes_at_call == 0);
    CHECK(r.memory.bytes == 0);
    CHECK(r.outcome.descriptors_at_call == r.descriptors_before - 1);
}

} // namespace

TEST_CASE("cancelled at every point where it can be suspended, a close completes once and leaves nothing behind") {
    for (const scenario& s : scenarios) {
        CAPTURE(s.name);
        run undisturbed(s);
        undisturbed.start();
        undisturbed.finish();
        check_complete(undisturbed);
        const cs::error_code without = undisturbed.outcome.ec;

        for (const auto type :
             {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
            CAPTURE(static_cast<int>(type));
            bool came_too_late = false;
            for (int k = 0; !came_too_late; ++k) {
                CAPTURE(k);
                REQUIRE(k < 100);
                run r(s);
                asio::cancellation_signal signal;
                r.start(signal.slot());
                for (int i = 0; i < k; ++i) r.step();
                came_too_late = r.outcome.calls > 0;
                CHECK(signal.slot().has_handler() == !came_too_late);
                signal.emit(asio::cancellation_type::none);
                signal.emit(type);
                CHECK(r.outcome.calls == (came_too_late ? 1 : 0));
                signal.emit(type);
                r.finish();
                check_complete(r);

                const cs::close_report& report = r.outcome.report;
                if (r.outcome.ec == cs::error::cancelled) {
                    CHECK_FALSE(came_too_late);
                    CHECK(report.limit == cs::close_limit::cancelled);
                    CHECK(report.ended_by != cs::ending::failed);
                    const bool aborts = s.policy.on_limit == cs::limit_action::abort;
                    check_ended(r, aborts);
                    if (!aborts && s.bytes == 0) CHECK(report.ended_by != cs::ending::reset_by_us);
                } else {
                    // What had come before the cancellation stands; the peer's FIN or RST may have come with it.
                    CHECK((r.outcome.ec == without || !r.outcome.ec || r.outcome.ec == cs::error::reset_by_peer));
                }
            }
        }
    }
}

TEST_CASE("a context destroyed at any point destroys the handler uncalled and ends the connection by on_limit") {
    for (const scenario& s : scenarios) {
        CAPTURE(s.name);
        bool completed = false;
        for (int k = 0; !completed; ++k) {
            CAPTURE(k);
            REQUIRE(k < 100);
            run r(s);
            {
                asio::cancellation_signal signal;
                r.start(signal.slot());
                for (int i = 0; i < k; ++i) r.step();
                completed = r.outcome.calls > 0;
                r.outcome.may_be_called = false;
                r.io.reset();
                r.descriptors_before -= r.context_descriptors;
                signal.emit(asio::cancellation_type::terminal); // meets nobody
            }
            CHECK(r.outcome.calls == (completed ? 1 : 0));
            CHECK(r.outcome.destroyed == 1);
            CHECK(r.memory.bytes == 0);
            CHECK(open_descriptors() == r.descriptors_before - 1);
            if (completed) continue;
            if (s.policy.on_limit == cs::limit_action::abort && s.then != scenario::closes)
                CHECK(r.connection.near_state() == kv::none);
            else if (s.then == scenario::stays && s.bytes == 0)
                CHECK(r.connection.peer.read().error == 0);
        }
    }
}

TEST_CASE("a close takes one allocation, whether and however often it waits") {
    const auto allocations = [](const scenario& s) {
        run r(s);
        r.start();
        r.finish();
        check_complete(r);
        return r.memory.allocations.load();
    };
    CHECK(allocations({"aborting", cs::policies::abortive}) == 1);
    CHECK(allocations({"system", cs::policies::system}) == 1);
    CHECK(allocations({"silent", {.drain_time = 30ms}}) == 1);
    CHECK(allocations({"trickling and closing", {}, 3, scenario::closes}) == 1);
    CHECK(allocations({"not acknowledged", {.linger = briefly, .drain_time = nothing}, 0, scenario::stays, true}) == 1);
}

TEST_CASE("an acknowledgement that comes just before the close waits for it completes it") {
    static const scenario s{"", {.linger = cs::lingering::until_acked(5s), .drain_time = nothing}};
    run r(s);
    after_epoll_create1([&] { CHECK(kv::eventually([&] { return r.connection.near_state() == kv::fin_wait2; })); });
    r.start();
    CHECK(r.memory.allocations == 2); // the operation and the completion, but no wait
    r.finish();
    check_complete(r);
    CHECK_FALSE(r.outcome.ec);
    CHECK(r.outcome.report.unacknowledged == 0);
    CHECK(r.connection.near_state() == kv::fin_wait2);
}

TEST_CASE("where no descriptor can be had to watch for acknowledgements with, on_limit is carried out at once") {
    static const scenario s{
        "", {.linger = cs::lingering::until_acked(5s), .drain_time = nothing}, 0, scenario::stays, true};
    run r(s);
    r.start([&] {
        ::rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        const ::rlimit none{0, before.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
        r.start_close();
        ::setrlimit(RLIMIT_NOFILE, &before);
    });
    r.finish();
    check_complete(r);
    CHECK(r.outcome.ec == cs::error::cancelled);
    CHECK(r.outcome.report.elapsed < 1s);
    CHECK(r.connection.near_state() == kv::fin_wait1); // the kernel goes on
}

TEST_CASE("where the handler's allocator fails, async_close throws or completes, and the connection ends by on_limit") {
    for (const scenario& s : scenarios) {
        CAPTURE(s.name);
        bool memory_was_enough = false;
        for (int n = 0; !memory_was_enough; ++n) {
            CAPTURE(n);
            REQUIRE(n < 100);
            run r(s);
            asio::cancellation_signal signal;
            r.memory.fails_at = n;
            bool thrown = false;
            try {
                r.start(signal.slot());
            } catch (const std::bad_alloc&) {
                thrown = true;
            }
            if (thrown) CHECK_FALSE(signal.slot().has_handler());
            r.finish();
            memory_was_enough = r.memory.allocations <= n;
            CHECK(r.outcome.calls == (thrown ? 0 : 1));
            CHECK(r.outcome.destroyed == 1);
            CHECK(r.memory.bytes == 0);
            CHECK(open_descriptors() == r.descriptors_before - 1);
            if (!memory_was_enough && s.policy.on_limit == cs::limit_action::abort)
                check_ended(r, s.then != scenario::closes);
        }
    }
}

TEST_CASE("where operator new fails, async_close throws or completes, and nothing leaks") {
    for (const scenario& s : scenarios) {
        CAPTURE(s.name);
        bool memory_was_enough = false;
        for (int n = 0; !memory_was_enough; ++n) {
            CAPTURE(n);
            REQUIRE(n < 200);
            run r(s);
            asio::cancellation_signal signal;
            bool thrown = false;
            try {
                r.start(signal.slot(), n);
            } catch (const std::bad_alloc&) {
                thrown = true;
            }
            memory_was_enough = scarce_memory::failures() == 0;
            r.finish();
            CHECK(r.outcome.calls == (thrown ? 0 : 1));
            CHECK(r.outcome.destroyed == 1);
            CHECK(r.memory.bytes == 0);
            CHECK(open_descriptors() == r.descriptors_before - 1);
        }
    }
}

TEST_CASE(
    "whichever system call fails, a close completes once, leaves nothing behind and throws nothing out of run()") {
    for (scenario s : scenarios) {
        CAPTURE(s.name);
        s.policy.patience = s.policy.drain_time = std::min<cs::close_duration>(s.policy.drain_time, 30ms);
        if (s.policy.linger.time.count != 0) s.policy.linger = briefly;
        for (const int error : {ENOMEM}) {
            bool none_failed = false;
            for (int n = 0; !none_failed; ++n) {
                CAPTURE(n);
                REQUIRE(n < 400);
                run r(s);
                bool thrown = false;
                const char* name = nullptr;
                try {
                    const failing_call fails(n, error);
                    r.start();
                    name = fails.failed();
                } catch (const std::exception&) {
                    thrown = true; // from the initiating function; nothing has begun
                }
                while (true) {
                    const failing_call fails(n, error); // counted anew for each handler
                    CHECK_NOTHROW(none_failed = !r.step());
                    if (fails.failed() != nullptr) name = fails.failed();
                    if (none_failed) break;
                }
                none_failed = name == nullptr && !thrown;
                CAPTURE(std::string(name == nullptr ? "none" : name));
                CHECK(r.outcome.calls == (thrown ? 0 : 1));
                CHECK(r.outcome.destroyed == 1);
                CHECK(r.memory.bytes == 0);
                CHECK(open_descriptors() == r.descriptors_before - 1);
                // What the kernel has of the connection does not contradict the report.
                if (r.outcome.report.time_wait == cs::time_wait_holder::local)
                    CHECK(r.connection.near_state() == kv::time_wait);
                if (r.outcome.report.ended_by == cs::ending::reset_by_us) CHECK(r.connection.near_state() == kv::none);
            }
        }
    }
}

TEST_CASE("whichever system call fails, an accept gives a connection or an error, once") {
    for (const int error : {ENOMEM, EINVAL, ECONNABORTED, EMFILE}) {
        bool none_failed = false;
        for (int n = 0; !none_failed; ++n) {
            CAPTURE(n);
            REQUIRE(n < 100);
            asio::io_context io;
            cs::acceptor<graceful_policy> listener(io, {asio::ip::address_v4::loopback(), 0});
            const int before = open_descriptors();
            test_peer peer(listener.local_endpoint());
            int calls = 0;
            cs::error_code ec;
            {
                const failing_call fails(n, error);
                listener.async_accept([&](cs::error_code e, cs::stream<graceful_policy> s) {
                    ++calls;
                    ec = e;
                    s.abort();
                });
                const auto end = std::chrono::steady_clock::now() + 5s;
                while (calls == 0 && std::chrono::steady_clock::now() < end) CHECK_NOTHROW(io.run_one_for(50ms));
                none_failed = fails.failed() == nullptr;
            }
            CHECK(calls == 1);
            peer.close();
            CHECK(open_descriptors() == before);
        }
    }
}

TEST_CASE("a destructor without memory does not throw and keeps the promise") {
    SUBCASE("graceful: FIN") {
        connection<cs::policies::graceful> c;
        c.peer.send(10);
        {
            const scarce_memory none(0);
            c.stream.reset();
        }
        CHECK(scarce_memory::failures() > 0);
        CHECK(c.peer.read().error == 0);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("peer_first_or_reset: RST") {
        connection<cs::policies::peer_first_or_reset> c;
        {
            const scarce_memory none(0);
            c.stream.reset();
        }
        CHECK(scarce_memory::failures() > 0);
        CHECK(c.peer.read().error == ECONNRESET);
        CHECK(c.local_state() == kv::none);
    }
}

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy quick{.drain_time = 30ms};

/// A stream on any executor, and its peer.
template <cs::close_policy P, class Executor>
struct stream_on {
    explicit stream_on(const Executor& executor)
        : stream(std::in_place, connection.near_end<typename cs::basic_stream<P, Executor>::socket_type>(executor)) {}

    ends connection;
    std::optional<cs::basic_stream<P, Executor>> stream;
};

} // namespace

TEST_CASE("the handler runs on its own executor, wherever the connection lives") {
    connection<graceful> c;
    SUBCASE("a strand") {
        const auto strand = asio::make_strand(c.io);
        int calls = 0;
        c.stream->async_close(asio::bind_executor(strand, [&](cs::error_code ec, const cs::close_report&) {
            CHECK_FALSE(ec);
            CHECK(strand.running_in_this_thread());
            ++calls;
        }));
        c.peer.close();
        CHECK(c.run_until([&] { return calls == 1; }));
    }
    SUBCASE("another context, which is stopped for a while") {
        asio::io_context other;
        other.stop();
        close_result result;
        c.stream->async_close(asio::bind_executor(other, result.handler()));
        c.peer.close();
        c.io.run_for(50ms);
        other.poll();
        CHECK(result.calls == 0);
        other.restart();
        while (result.calls == 0 && other.run_one_for(1s) > 0) c.io.poll();
        CHECK(result.calls == 1);
        CHECK_FALSE(result.ec);
        CHECK(c.local_state() == kv::time_wait);
    }
    SUBCASE("another context, which has nothing else to do and is kept at work") {
        asio::io_context other;
        std::atomic<int> calls = 0;
        c.stream->async_close(asio::bind_executor(other, [&](cs::error_code, const cs::close_report&) { ++calls; }));
        std::thread runs([&] { other.run(); });
        c.io.run_for(50ms);
        c.peer.close();
        CHECK(c.run_until([&] { return calls == 1; }));
        runs.join();
    }
    SUBCASE("another context, which never runs before the connection's is destroyed: on_limit") {
        asio::io_context other;
        auto io = std::make_unique<asio::io_context>();
        const auto alive = std::make_shared<int>();
        ends e;
        std::optional<cs::stream<cs::policies::peer_first_or_reset>> stream(
            e.near_end<tcp::socket>(io->get_executor()));
        stream->async_close(asio::bind_executor(
            other, [alive](cs::error_code, const cs::close_report&) { FAIL("its context never ran"); }));
        stream.reset();
        io->poll();
        CHECK(alive.use_count() == 2);
        io.reset();
        CHECK(alive.use_count() == 1);
        CHECK(e.peer.read().error == ECONNRESET);
    }
    SUBCASE("the system executor") {
        std::atomic<int> calls = 0;
        const std::thread::id here = std::this_thread::get_id();
        c.stream->async_close(asio::bind_executor(asio::system_executor(), [&](cs::error_code, cs::close_report) {
            calls += std::this_thread::get_id() == here ? 1 : 100; // dispatched, so on the thread of the wait
        }));
        CHECK(calls == 0);
        c.peer.close();
        CHECK(c.run_until([&] { return calls == 1; }));
    }
    SUBCASE("the system executor, with nothing to wait for") {
        std::atomic<int> calls = 0;
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream->async_close(
            asio::bind_executor(asio::system_executor(), [&](cs::error_code, cs::close_report) { ++calls; }));
        CHECK(kv::eventually([&] { return calls == 1; }));
    }
}

TEST_CASE("a system_executor's threads can close connections") {
    ends e;
    cs::basic_stream<quick, asio::system_executor> stream(
        e.near_end<asio::basic_stream_socket<tcp, asio::system_executor>>(asio::system_executor()));
    std::promise<cs::error_code> told;
    stream.async_close([&](cs::error_code ec, const cs::close_report&) { told.set_value(ec); });
    CHECK(told.get_future().get() == cs::error::drain_time_over);
}

TEST_CASE("many closes on four threads, cancelled at random from their strands, complete once each") {
    constexpr int closes = 120;
    struct one {
        explicit one(asio::thread_pool& pool) : strand(asio::make_strand(pool)), end(std::in_place, strand) {}

        asio::strand<asio::thread_pool::executor_type> strand;
        std::optional<stream_on<quick, asio::strand<asio::thread_pool::executor_type>>> end;
        asio::cancellation_signal signal;
        std::atomic<int> calls = 0;
    };
    const int before = open_descriptors();
    {
        asio::thread_pool pool(4);
        std::vector<std::unique_ptr<one>> all;
        for (int i = 0; i < closes; ++i) all.push_back(std::make_unique<one>(pool));
        for (const auto& each : all)
            asio::post(each->strand, [o = each.get()] {
                o->end->stream->async_close(asio::bind_cancellation_slot(
                    o->signal.slot(), asio::bind_executor(o->strand, [o](cs::error_code, const cs::close_report&) {
                        CHECK(o->strand.running_in_this_thread());
                        ++o->calls;
                    })));
            });
        std::minstd_rand random(7);
        for (int round = 0; round < 4 * closes; ++round) {
            one& o = *all[random() % closes];
            const auto what = random() % 8;
            if (what < 3) {
                const auto type = what == 0   ? asio::cancellation_type::terminal
                                  : what == 1 ? asio::cancellation_type::partial
                                              : asio::cancellation_type::total;
                asio::post(o.strand, [&o, type] { o.signal.emit(type); });
            } else if (what == 3) {
                o.end->connection.peer.half_close();
            } else {
                const char byte = 'p';
                ::send(o.end->connection.peer.fd(), &byte, 1, MSG_NOSIGNAL);
            }
        }
        pool.join();
        int completed = 0;
        for (const auto& each : all) completed += each->calls == 1 ? 1 : 0;
        CHECK(completed == closes);
    }
    CHECK(kv::eventually([&] { return open_descriptors() == before; }));
}

TEST_CASE("without a strand too a close completes once, and has returned its memory by then") {
    constexpr int closes = 200;
    struct one {
        explicit one(asio::thread_pool& pool) : end(pool.get_executor()) {}
        stream_on<quick, asio::thread_pool::executor_type> end;
        ledger memory;
        std::atomic<int> calls = 0;
        std::atomic<std::size_t> bytes_at_call = 0;
    };
    struct handler {
        using allocator_type = counting_allocator<void>;
        allocator_type get_allocator() const noexcept { return allocator_type(to->memory); }
        void operator()(cs::error_code, const cs::close_report&) const {
            to->bytes_at_call = to->memory.bytes.load();
            ++to->calls;
        }
        one* to;
    };
    asio::thread_pool pool(4);
    std::vector<std::unique_ptr<one>> all;
    for (int i = 0; i < closes; ++i) all.push_back(std::make_unique<one>(pool));
    for (const auto& each : all) {
        each->end.stream->async_close(handler{each.get()});
        each->end.connection.peer.half_close(); // the readable wait and the cancelled timer meet on two threads
    }
    pool.join();
    int completed = 0, empty = 0;
    for (const auto& each : all) {
        completed += each->calls == 1 ? 1 : 0;
        empty += each->bytes_at_call == 0 ? 1 : 0;
    }
    CHECK(completed == closes);
    CHECK(empty == closes);
}

TEST_CASE("completion tokens") {
    connection<graceful> c;
    c.peer.half_close();
    REQUIRE(c.local_becomes(kv::close_wait));
    SUBCASE("use_future") {
        auto future = c.stream->async_close(asio::use_future);
        c.io.run();
        CHECK(future.get().first_fin == cs::fin_sender::peer);
    }
    SUBCASE("as_tuple(use_awaitable)") {
        std::optional<cs::close_report> report;
        asio::co_spawn(
            c.io,
            [&]() -> asio::awaitable<void> {
                auto [ec, r] = co_await c.stream->async_close(tuples::as_tuple(asio::use_awaitable));
                CHECK_FALSE(ec);
                report = r;
            },
            asio::detached);
        c.io.run();
        REQUIRE(report);
        CHECK(report->first_fin == cs::fin_sender::peer);
    }
    SUBCASE("detached") {
        c.stream->async_close(asio::detached);
        c.io.run();
        CHECK(c.local_state() == kv::none);
    }
    SUBCASE("an executor's default token") {
        using awaiting = asio::use_awaitable_t<>::as_default_on_t<cs::stream<graceful>>;
        awaiting stream(c.stream->release_socket());
        bool done = false;
        asio::co_spawn(
            c.io,
            [&]() -> asio::awaitable<void> {
                const cs::close_report report = co_await stream.async_close();
                CHECK(report.first_fin == cs::fin_sender::peer);
                done = true;
            },
            asio::detached);
        c.io.run();
        CHECK(done);
    }
#if ASIO_VERSION >= 102300
    SUBCASE("deferred") {
        close_result result;
        auto later = c.stream->async_close(asio::deferred);
        CHECK(c.stream->is_open());
        std::move(later)(result.handler());
        CHECK_FALSE(c.stream->is_open());
        c.io.run();
        CHECK(result.calls == 1);
        CHECK_FALSE(result.ec);
    }
#endif
}

TEST_CASE("a coroutine that is cancelled while it closes") {
    connection<graceful> c;
    asio::cancellation_signal signal;
    cs::error_code ec;
    std::optional<cs::close_report> report;
    asio::co_spawn(
        c.io,
        [&]() -> asio::awaitable<void> {
            std::tie(ec, report) = co_await c.stream->async_close(tuples::as_tuple(asio::use_awaitable));
        },
        asio::bind_cancellation_slot(signal.slot(), asio::detached));
    c.io.poll();
    CHECK_FALSE(report);
    signal.emit(asio::cancellation_type::terminal); // co_spawn passes no other on
    REQUIRE(c.run_until([&] { return report.has_value(); }));
    CHECK(ec == cs::error::cancelled);
    CHECK(report->ended_by == cs::ending::fin);
    CHECK(c.local_becomes(kv::fin_wait2));
}

TEST_CASE("a coroutine that has been cancelled before it closes") {
    connection<graceful> c;
    asio::cancellation_signal signal;
    bool cleaned_up = false;
    bool refused = false;
    bool disable = false;
    SUBCASE("disables cancellation, and closes as ever") { disable = true; }
    SUBCASE("does not, so Asio refuses the co_await and the destructor finishes") {}
    asio::co_spawn(
        c.io,
        [&, stream = std::move(*c.stream)]() mutable -> asio::awaitable<void> {
            char byte;
            auto [ec, n] =
                co_await stream.async_read_some(asio::buffer(&byte, 1), tuples::as_tuple(asio::use_awaitable));
            CHECK(ec == asio::error::operation_aborted);
            if (disable) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            try {
                const cs::close_report report = co_await stream.async_close(asio::use_awaitable);
                CHECK(report.time_wait == cs::time_wait_holder::local);
                cleaned_up = true;
            } catch (const cs::system_error& e) {
                CHECK(e.code() == asio::error::operation_aborted);
                CHECK(stream.is_open()); // the close has not even begun
                refused = true;
            }
        },
        asio::bind_cancellation_slot(signal.slot(), asio::detached));
    c.io.poll();
    signal.emit(asio::cancellation_type::terminal);
    c.io.poll();
    CHECK(refused == !disable);
    CHECK(c.local_becomes(kv::fin_wait2)); // either way the close is under way and nothing was reset
    c.peer.close();
    CHECK(c.run_until([&] { return c.local_state() == kv::time_wait; }));
    c.io.restart();
    c.io.run_for(1s);
    CHECK(cleaned_up == disable);
}

TEST_CASE("a handler may destroy the stream, or the context that the connection lived in, or throw") {
    SUBCASE("the stream") {
        connection<graceful> c;
        bool called = false;
        c.stream->async_close([&](cs::error_code, const cs::close_report&) {
            c.stream.reset();
            called = true;
        });
        c.peer.close();
        CHECK(c.run_until([&] { return called; }));
    }
    SUBCASE("the context, from another") {
        asio::io_context other;
        auto io = std::make_shared<asio::io_context>();
        std::weak_ptr<asio::io_context> gone = io;
        ends e;
        std::optional<cs::stream<graceful>> stream(e.near_end<tcp::socket>(io->get_executor()));
        stream->async_close(asio::bind_executor(other, [io](cs::error_code ec, const cs::close_report&) mutable {
            CHECK_FALSE(ec);
            io.reset();
        }));
        stream.reset();
        asio::io_context& runs = *std::exchange(io, nullptr);
        e.peer.close();
        REQUIRE(kv::eventually([&] {
            if (gone.expired()) return true;
            runs.poll();
            other.restart();
            other.poll();
            return false;
        }));
    }
    SUBCASE("throw") {
        connection<graceful> c;
        const int before = open_descriptors();
        const auto alive = std::make_shared<int>();
        c.stream->async_close([alive](cs::error_code, const cs::close_report&) { throw std::domain_error("mine"); });
        c.peer.half_close();
        CHECK_THROWS_AS(c.io.run(), std::domain_error);
        CHECK(alive.use_count() == 1);
        CHECK(open_descriptors() == before - 1);
        CHECK_NOTHROW(c.io.run());
    }
}

TEST_CASE("the stream is free for another connection while its close is running") {
    connection<graceful> c;
    close_result first, second;
    c.stream->async_close(first.handler());
    c.io.poll();
    CHECK(c.local_becomes(kv::fin_wait2));

    cs::stream<graceful> elsewhere = std::move(*c.stream);
    CHECK_FALSE(elsewhere.is_open());
    test_peer next(c.listener.local_endpoint());
    elsewhere = c.listener.accept();
    CHECK(elsewhere.is_open());
    CHECK(c.local_state() == kv::fin_wait2); // the assignment overwrote nothing
    elsewhere.async_close(second.handler());
    c.io.poll();

    next.close();
    REQUIRE(c.run_until([&] { return second.calls == 1; }));
    CHECK_FALSE(second.ec);
    CHECK(first.calls == 0);
    c.peer.close();
    REQUIRE(c.run_until([&] { return first.calls == 1; }));
    CHECK_FALSE(first.ec);
    CHECK(second.calls == 1);
}
