// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/listen/accept_op.hpp>

#include "support/connection.hpp"
#include "support/in_child.hpp"
#include "support/interposed_calls.hpp"
#include "support/kernel_view.hpp"
#include "support/scarce_memory.hpp"

#include <closeside/acceptor.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

namespace cs = closeside;
using namespace std::chrono_literals;
using namespace tests;

namespace {

using steady = std::chrono::steady_clock;
using acceptor_type = cs::acceptor<cs::policies::graceful>;
using stream_type = acceptor_type::stream_type;

const tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};

struct accept_result {
    int calls = 0;
    cs::error_code ec;
    std::optional<stream_type> stream;

    auto handler() {
        return [this](cs::error_code e, stream_type s) {
            ++calls;
            ec = e;
            stream.emplace(std::move(s));
        };
    }
};

/// A move-only handler that brings its allocator along.
struct thrifty_handler {
    using allocator_type = counting_allocator<void>;
    allocator_type get_allocator() const noexcept { return allocator_type(*memory); }

    void operator()(cs::error_code ec, stream_type) const {
        *bytes_in_handler = memory->bytes;
        *result = ec;
    }

    ledger* memory;
    std::size_t* bytes_in_handler;
    std::optional<cs::error_code>* result;
    std::unique_ptr<int> move_only = std::make_unique<int>();
};

void run_for(asio::io_context& io, std::chrono::milliseconds time) {
    run_until(
        io, [] { return false; }, time);
}

std::chrono::microseconds cpu_time() {
    ::timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::seconds(t.tv_sec) +
                                                                 std::chrono::nanoseconds(t.tv_nsec));
}

} // namespace

TEST_CASE("A cancelled accept completes once, takes no connection and leaves the others alone") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total, asio::cancellation_type::all}) {
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        asio::cancellation_signal signal;
        accept_result cancelled, other;
        acceptor.async_accept(asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
        acceptor.async_accept(other.handler());
        io.poll();
        signal.emit(asio::cancellation_type::none);
        io.poll();
        CHECK(cancelled.calls == 0);
        signal.emit(type);
        CHECK(cancelled.calls == 0);
        io.poll();
        CHECK(cancelled.calls == 1);
        CHECK(cancelled.ec == asio::error::operation_aborted);
        CHECK_FALSE(cancelled.stream->is_open());
        signal.emit(type);
        io.poll();
        CHECK(cancelled.calls == 1);
        CHECK(other.calls == 0);
        const test_peer peer(acceptor.local_endpoint());
        REQUIRE(run_until(io, [&] { return other.calls == 1; }));
        CHECK_FALSE(other.ec);
    }
}

TEST_CASE("A cancellation in the same moment as a connection leaves the connection to the next accept") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    asio::cancellation_signal signal;
    accept_result cancelled, next;
    acceptor.async_accept(asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
    io.poll();
    const test_peer peer(acceptor.local_endpoint());
    signal.emit(asio::cancellation_type::total);
    REQUIRE(run_until(io, [&] { return cancelled.calls == 1; }));
    CHECK(cancelled.ec == asio::error::operation_aborted);
    acceptor.async_accept(next.handler());
    REQUIRE(run_until(io, [&] { return next.calls == 1; }));
    CHECK(next.stream->socket().remote_endpoint() == peer.local());
}

TEST_CASE("An accept that pauses for want of resources is cancelled, closed or destroyed without delay") {
    for (const int way : {0, 1, 2}) {
        asio::io_context io;
        std::optional<acceptor_type> acceptor(std::in_place, io, loopback);
        const failing_accept4 exhausted(ENFILE);
        asio::cancellation_signal signal;
        accept_result result, other;
        acceptor->async_accept(asio::bind_cancellation_slot(signal.slot(), result.handler()));
        acceptor->async_accept(other.handler());
        io.poll();
        CHECK(result.calls == 0);
        if (way == 0) signal.emit(asio::cancellation_type::total);
        if (way == 1) acceptor->close();
        if (way == 2) acceptor.reset();
        CHECK(result.calls == 0);
        io.poll(); // no waiting: were the pause waited for, this would not be enough
        CHECK(result.calls == 1);
        CHECK(result.ec == asio::error::operation_aborted);
        CHECK(other.calls == (way == 0 ? 0 : 1));
        acceptor.reset();
        io.restart();
        io.run();
        CHECK(result.calls == 1);
        CHECK(other.calls == 1);
        CHECK(other.ec == asio::error::operation_aborted);
    }
}

TEST_CASE("Accepts that pause together are not aborted by one that begins a pause of its own") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    accept_result results[3];
    {
        const failing_accept4 exhausted(EMFILE);
        acceptor.async_accept(results[0].handler());
        acceptor.async_accept(results[1].handler());
        io.poll();
        // Their pause ends before the third begins, and the reactor does not see it in between.
        const auto end = steady::now() + 110ms;
        asio::post(io, [&] { REQUIRE(kernel_view::eventually([&] { return steady::now() > end; })); });
        acceptor.async_accept(results[2].handler());
        io.poll();
        for (const auto& r : results) CHECK(r.calls == 0);
    }
    const test_peer a(acceptor.local_endpoint()), b(acceptor.local_endpoint()), c(acceptor.local_endpoint());
    REQUIRE(run_until(io, [&] { return results[0].calls + results[1].calls + results[2].calls == 3; }));
    for (const auto& r : results) CHECK_FALSE(r.ec);
}

TEST_CASE("Each error that accept4 may pass on neither completes the accept nor loses a connection") {
    for (const int error : {EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                            EOPNOTSUPP, ENETUNREACH, ETIMEDOUT, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        INFO(error);
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        const test_peer peer(acceptor.local_endpoint());
        accept_result result;
        const failing_accept4 failing(error, 3);
        acceptor.async_accept(result.handler());
        REQUIRE(run_until(io, [&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        CHECK(result.stream->socket().remote_endpoint() == peer.local());
    }
}

TEST_CASE("An error that no retry can cure completes the accept") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    accept_result result;
    const failing_accept4 failing(EINVAL);
    acceptor.async_accept(result.handler());
    CHECK(result.calls == 0);
    io.run();
    CHECK(result.calls == 1);
    CHECK(result.ec == asio::error::invalid_argument);
    CHECK_FALSE(result.stream->is_open());
    cs::error_code ec;
    CHECK_FALSE(acceptor.accept(ec).is_open());
    CHECK(ec == asio::error::invalid_argument);
}

TEST_CASE("accept4 that refuses for good neither spins nor ends the accept; accept() gives the error") {
    for (const int error : {EPERM, EMFILE}) {
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        const test_peer peer(acceptor.local_endpoint());
        accept_result result;
        {
            const failing_accept4 refused(error);
            acceptor.async_accept(result.handler());
            const auto cpu = cpu_time();
            const int calls = accept4_calls;
            io.run_for(300ms);
            CHECK(result.calls == 0);
            CHECK(cpu_time() - cpu < 20ms);
            CHECK(accept4_calls - calls <= 4 * cs::detail::most_vanished);
            cs::error_code ec;
            CHECK_FALSE(acceptor.accept(ec).is_open());
            CHECK(ec.value() == error);
            CHECK_THROWS(acceptor.accept());
        }
        REQUIRE(run_until(io, [&] { return result.calls == 1; }));
        CHECK(result.stream->socket().remote_endpoint() == peer.local());
    }
}

TEST_CASE("Out of descriptors, an accept waits without spinning and goes on as soon as one is free") {
    const std::string said = in_child([]() -> std::string {
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        std::vector<std::unique_ptr<test_peer>> peers;
        for (int i = 0; i < 4; ++i) peers.push_back(std::make_unique<test_peer>(acceptor.local_endpoint()));
        ::rlimit limit{128, 128};
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return "setrlimit";
        std::vector<int> taken;
        for (int fd; (fd = ::dup(acceptor.native_handle())) >= 0;) taken.push_back(fd);

        std::vector<stream_type> accepted;
        int errors = 0;
        std::function<void()> loop = [&] {
            acceptor.async_accept([&](cs::error_code ec, stream_type stream) {
                if (ec) {
                    ++errors;
                    return;
                }
                accepted.push_back(std::move(stream));
                loop();
            });
        };
        loop();
        const auto cpu = cpu_time();
        const int calls = accept4_calls;
        io.run_for(300ms);
        const auto used = cpu_time() - cpu;
        if (used >= 20ms) return "spins: " + std::to_string(used.count()) + " us of CPU time in 300 ms";
        if (accept4_calls - calls > 4) return "spins: accept4 called " + std::to_string(accept4_calls - calls);
        if (errors != 0 || !accepted.empty()) return "completed without a descriptor";

        for (std::size_t n = 1; n <= peers.size(); ++n) {
            ::close(taken.back());
            taken.pop_back();
            const auto freed = steady::now();
            if (!run_until(io, [&] { return accepted.size() == n; })) return "not accepted";
            if (steady::now() - freed > 250ms) return "accepted late";
            run_for(io, 20ms);
            if (accepted.size() != n) return "more connections than descriptors";
        }
        if (errors != 0) return "completed with an error";
        peers[3]->send(3);
        char data[3];
        return accepted[3].read_some(asio::buffer(data)) == 3 ? "served" : "not served";
    });
    CHECK(said == "served");
}

TEST_CASE("Connections that come one by one cost one accept4 each, but for a look in vain now and then") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    constexpr int connections = 200;
    const int calls = accept4_calls;
    for (int i = 0; i < connections; ++i) {
        accept_result result;
        acceptor.async_accept(result.handler());
        io.restart();
        io.poll();
        CHECK(result.calls == 0);
        const test_peer peer(acceptor.local_endpoint());
        REQUIRE(run_until(io, [&] { return result.calls == 1; }));
        REQUIRE_FALSE(result.ec);
        CHECK(result.stream->socket().remote_endpoint() == peer.local());
    }
    CHECK(accept4_calls - calls >= connections);
    CHECK(accept4_calls - calls < connections + 10);
}

TEST_CASE("Connections that come together are all taken, in their order, after any number of single ones") {
    for (const int singles : {0, 1, 2, 9}) {
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        for (int i = 0; i < singles; ++i) {
            accept_result result;
            acceptor.async_accept(result.handler());
            io.restart();
            io.poll();
            const test_peer peer(acceptor.local_endpoint());
            REQUIRE(run_until(io, [&] { return result.calls == 1; }));
        }
        std::vector<std::unique_ptr<test_peer>> peers;
        for (int i = 0; i < 50; ++i) peers.push_back(std::make_unique<test_peer>(acceptor.local_endpoint()));
        for (const auto& peer : peers) {
            accept_result result;
            acceptor.async_accept(result.handler());
            REQUIRE(run_until(io, [&] { return result.calls == 1; }));
            REQUIRE_FALSE(result.ec);
            CHECK(result.stream->socket().remote_endpoint() == peer->local());
        }
    }
}

TEST_CASE("Clients that reset before they are accepted do not end the loop") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    for (int i = 0; i < 5; ++i) test_peer(acceptor.local_endpoint()).reset();
    const test_peer peer(acceptor.local_endpoint());
    // Linux hands out connections that have been reset; their first read tells.
    bool found = false;
    for (int i = 0; i < 6 && !found; ++i) {
        accept_result result;
        acceptor.async_accept(result.handler());
        REQUIRE(run_until(io, [&] { return result.calls == 1; }));
        REQUIRE_FALSE(result.ec);
        cs::error_code ec;
        found = result.stream->socket().remote_endpoint(ec) == peer.local();
    }
    CHECK(found);
}

TEST_CASE("Many accepts on two threads take every connection once") {
    asio::io_context io(2);
    acceptor_type acceptor(io, loopback);
    const tcp::endpoint at = acceptor.local_endpoint();
    std::mutex mutex;
    std::vector<stream_type> accepted;
    std::atomic<int> ended = 0, failed = 0;
    std::function<void()> accept_next = [&] {
        acceptor.async_accept([&](cs::error_code ec, stream_type stream) {
            if (ec) {
                // bad_descriptor: begun after close(), which does not wait for the last handler.
                ++(ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor ? ended : failed);
                return;
            }
            {
                const std::lock_guard lock(mutex);
                accepted.push_back(std::move(stream));
            }
            accept_next();
        });
    };
    constexpr int concurrent = 6;
    constexpr std::size_t connections = 300;
    for (int i = 0; i < concurrent; ++i) accept_next();
    std::thread threads[] = {std::thread([&] { io.run(); }), std::thread([&] { io.run(); })};
    std::vector<std::unique_ptr<test_peer>> peers;
    for (std::size_t i = 0; i < connections; ++i) peers.push_back(std::make_unique<test_peer>(at));
    CHECK(kernel_view::eventually([&] {
        const std::lock_guard lock(mutex);
        return accepted.size() == connections;
    }));
    acceptor.close();
    for (std::thread& t : threads) t.join();
    std::multiset<tcp::endpoint> made, seen;
    for (const auto& peer : peers) made.insert(peer->local());
    for (const stream_type& stream : accepted) seen.insert(stream.socket().remote_endpoint());
    CHECK(seen == made);
    CHECK(ended == concurrent);
    CHECK(failed == 0);
}

TEST_CASE("A handler runs on the polymorphic executor it is bound to, whatever is behind that") {
    for (const bool queued : {false, true}) {
        asio::io_context io;
        acceptor_type acceptor(io, loopback);
        asio::thread_pool pool(2);
        auto strand = asio::make_strand(pool);
        std::optional<test_peer> peer;
        if (queued) peer.emplace(acceptor.local_endpoint());
        std::atomic<int> inside = 0, outside = 0;
        const auto handler = [&](cs::error_code ec, stream_type stream) {
            ++(!ec && stream.is_open() && strand.running_in_this_thread() ? inside : outside);
        };
        acceptor.async_accept(asio::bind_executor(asio::any_io_executor(strand), handler));
        if (!queued) peer.emplace(acceptor.local_endpoint());
        REQUIRE(run_until(io, [&] { return inside + outside == 1; }));
        CHECK(inside == 1);

        const asio::any_io_executor of_pool = pool.get_executor();
        acceptor.async_accept(asio::bind_executor(of_pool, [&](cs::error_code ec, stream_type) {
            ++(!ec && pool.get_executor().running_in_this_thread() ? inside : outside);
        }));
        const test_peer another(acceptor.local_endpoint());
        REQUIRE(run_until(io, [&] { return inside + outside == 2; }));
        CHECK(inside == 2);
        pool.join(); // the handlers' streams are closed on its threads
    }
}

TEST_CASE("While the handler's context has the accept, the acceptor's has work") {
    asio::io_context io, elsewhere;
    acceptor_type acceptor(io, loopback);
    accept_result result;
    acceptor.async_accept(asio::bind_executor(elsewhere, result.handler()));
    io.poll();
    CHECK_FALSE(io.stopped()); // the accept is on its way to the other context, and comes back to wait
    elsewhere.poll();
    const test_peer peer(acceptor.local_endpoint());
    REQUIRE(kernel_view::eventually([&] {
        io.poll();
        CHECK_FALSE(io.stopped());
        CHECK(result.calls == 0);
        return elsewhere.poll_one() == 1;
    }));
    CHECK(result.calls == 1);
    CHECK_FALSE(result.ec);
    io.poll();
    CHECK(io.stopped());
    elsewhere.poll();
    CHECK(elsewhere.stopped());
}

TEST_CASE("The one allocation of an accept is by its handler's allocator, and given back before the handler runs") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    for (const bool queued : {true, false}) {
        ledger memory;
        std::size_t bytes_in_handler = 1;
        std::optional<cs::error_code> result;
        std::optional<test_peer> peer;
        if (queued) peer.emplace(acceptor.local_endpoint());
        acceptor.async_accept(thrifty_handler{&memory, &bytes_in_handler, &result});
        io.restart();
        io.poll();
        if (!queued) peer.emplace(acceptor.local_endpoint());
        REQUIRE(run_until(io, [&] { return result.has_value(); }));
        CHECK_FALSE(*result);
        CHECK(memory.allocations == 1);
        CHECK(bytes_in_handler == 0);
    }
}

TEST_CASE_TEMPLATE("An accept that waits allocates only its operation, whichever executors are in play", Executor,
                   asio::any_io_executor, asio::io_context::executor_type, asio::strand<asio::any_io_executor>) {
    asio::io_context io;
    const Executor executor = [&] {
        if constexpr (std::is_same_v<Executor, asio::strand<asio::any_io_executor>>)
            return asio::make_strand(asio::any_io_executor(io.get_executor()));
        else
            return Executor(io.get_executor());
    }();
    cs::basic_acceptor<cs::policies::graceful, asio::io_context::executor_type> acceptor(io, loopback);
    int completed = 0, waited = 0;
    constexpr int accepts = 40;
    for (int i = 0; i < accepts; ++i) {
        const int allocations_before = allocations(), looks_before = accept4_calls;
        acceptor.async_accept(asio::bind_executor(executor, [&](cs::error_code, auto) { ++completed; }));
        io.poll();
        if (accept4_calls != looks_before) continue;
        ++waited;
        CHECK(allocations() - allocations_before == 1);
    }
    CHECK(waited > accepts / 2);
    acceptor.close();
    io.restart();
    io.run();
    CHECK(completed == accepts);
}

TEST_CASE("A cancellation after the completion does nothing, also where the acceptor is gone by then") {
    asio::io_context io;
    std::optional<acceptor_type> acceptor(std::in_place, io, loopback);
    asio::cancellation_signal signal;
    accept_result result;
    acceptor->async_accept(asio::bind_cancellation_slot(signal.slot(), result.handler()));
    io.poll();
    const test_peer peer(acceptor->local_endpoint());
    REQUIRE(run_until(io, [&] { return result.calls == 1; }));
    acceptor.reset();
    signal.emit(asio::cancellation_type::all);
    io.restart();
    io.run();
    CHECK(result.calls == 1);
    CHECK(result.stream->is_open());
}

TEST_CASE("Every allocation of an accept may fail: it throws or completes once, and nobody waits for the mutex") {
    enum class stage { starting, waiting, pausing };
    for (const stage at : {stage::starting, stage::waiting, stage::pausing}) {
        bool enough = false;
        for (int n = 0; !enough; ++n) {
            INFO("stage " << static_cast<int>(at) << ", allocation " << n);
            REQUIRE(n < 40);
            asio::io_context io;
            asio::cancellation_signal signal;
            int calls = 0;
            cs::error_code ec;
            // The handler owns the acceptor, so that it goes with the handler.
            auto acceptor = std::make_shared<acceptor_type>(io, loopback);
            acceptor_type& listener = *acceptor;
            const std::weak_ptr<acceptor_type> alive = acceptor;
            std::optional<failing_accept4> exhausted;
            if (at == stage::pausing) exhausted.emplace(EMFILE);
            auto handler = asio::bind_cancellation_slot(
                signal.slot(), [&, acceptor = std::move(acceptor)](cs::error_code e, stream_type) {
                    ++calls;
                    ec = e;
                });
            bool threw = false;
            std::optional<scarce_memory> scarce;
            if (at == stage::starting) scarce.emplace(n, 1);
            try {
                listener.async_accept(std::move(handler));
                if (at != stage::starting) scarce.emplace(n, 1);
                io.poll();
            } catch (const std::bad_alloc&) {
                threw = true;
            }
            enough = scarce_memory::failures() == 0;
            scarce.reset();
            exhausted.reset();
            if (threw) {
                CHECK(calls == 0);
            } else if (calls == 0) {
                CHECK(enough);
                signal.emit(asio::cancellation_type::total);
                REQUIRE(run_until(io, [&] { return calls == 1; }));
                CHECK(ec == asio::error::operation_aborted);
            } else {
                CHECK(ec == asio::error::no_memory);
            }
            CHECK(calls <= 1);
            CHECK((at == stage::starting || !threw)); // nobody would go on accepting
            io.restart();
            io.run();
            CHECK(alive.expired());
        }
    }
}
