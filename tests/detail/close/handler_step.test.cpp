// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/handler_step.hpp>

#include "observation/wait.hpp"
#include "support/connection.hpp"
#include "support/scarce_memory.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/connect.hpp>
#include <closeside/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/execution/blocking.hpp>
#include <asio/execution/context.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace cs = closeside;
using namespace std::chrono_literals;
using namespace tests;

namespace {

constexpr cs::close_policy policy = cs::policies::graceful;
using stream_type = cs::stream<policy>;

/// An executor of a program's own, which lets nobody say where its memory comes from.
struct plain_executor {
    asio::io_context* io;

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *io; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    template <class Function>
    void execute(Function&& function) const {
        asio::post(*io, std::forward<Function>(function));
    }
    friend bool operator==(const plain_executor&, const plain_executor&) noexcept = default;
};

struct contexts {
    asio::io_context io, other;
    asio::thread_pool pool{1};
    asio::any_io_executor of_connections = io.get_executor();

    template <class Done>
    bool run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io.restart();
            io.run_one_for(1ms);
            other.restart();
            other.poll();
        }
        return true;
    }
};

const tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};

/// Each has made what it needs before memory runs out; another() happens when it has begun.
struct closing {
    explicit closing(contexts& c)
        : listener(c.of_connections, loopback), peer(listener.local_endpoint()), stream(listener.accept()) {}
    template <class Handler>
    void begin(Handler&& handler) {
        stream.async_close(std::forward<Handler>(handler));
    }
    void go_on() { peer.close(); }

    cs::acceptor<policy> listener;
    test_peer peer;
    stream_type stream;
};

struct accepting {
    explicit accepting(contexts& c) : listener(c.of_connections, loopback) {}
    template <class Handler>
    void begin(Handler&& handler) {
        listener.async_accept(std::forward<Handler>(handler));
    }
    void go_on() { peer.emplace(listener.local_endpoint()); }

    cs::acceptor<policy> listener;
    std::optional<test_peer> peer;
};

/// The first endpoint refuses.
struct connecting {
    explicit connecting(contexts& c)
        : executor(c.of_connections), refuses(c.io, loopback),
          listener(c.io, loopback), to{refuses.local_endpoint(), listener.local_endpoint()} {}
    template <class Handler>
    void begin(Handler&& handler) {
        cs::async_connect<policy>(executor, to, std::forward<Handler>(handler));
    }
    void go_on() {}

    asio::any_io_executor executor;
    tcp::socket refuses;
    tcp::acceptor listener;
    std::vector<tcp::endpoint> to;
};

/// What a handler is bound to.
struct nothing {};
struct own_context {
    static auto of(contexts& c) { return c.io.get_executor(); }
};
struct other_context {
    static auto of(contexts& c) { return c.other.get_executor(); }
};
struct strand {
    static auto of(contexts& c) { return asio::make_strand(c.io); }
};
struct thread_pool {
    static auto of(contexts& c) { return c.pool.get_executor(); }
};
struct strand_of_pool {
    static auto of(contexts& c) { return asio::make_strand(c.pool); }
};
struct systems_executor {
    /// Makes its threads first: without memory for all of them, Asio's destructor waits for those that there are.
    static auto of(contexts&) {
        static_cast<void>(asio::query(asio::system_executor(), asio::execution::context));
        return asio::system_executor();
    }
};
struct programs_executor {
    static auto of(contexts& c) { return plain_executor{&c.other}; }
};
template <class Bound>
struct erased {
    static auto of(contexts& c) { return asio::any_io_executor(Bound::of(c)); }
};

template <class Bound, class Handler>
auto bind([[maybe_unused]] contexts& c, Handler&& handler) {
    if constexpr (std::is_same_v<Bound, nothing>)
        return std::forward<Handler>(handler);
    else
        return asio::bind_executor(Bound::of(c), std::forward<Handler>(handler));
}

/// Lets `times` allocations fail, from each in turn on: of the call that begins the operation, and until its end.
template <class Operation, class Bound>
void check_every_allocation(int times, bool on_strand) {
    CAPTURE(times);
    CAPTURE(on_strand);
    bool memory_was_enough = false;
    for (int n = 0; !memory_was_enough; ++n) {
        CAPTURE(n);
        REQUIRE(n < 60);
        std::atomic<int> calls = 0;
        const auto alive = std::make_shared<int>();
        bool thrown = false, thrown_by_run = false, complete = false;
        {
            contexts c;
            if (on_strand) c.of_connections = asio::make_strand(c.io);
            Operation operation(c);
            {
                auto handler = bind<Bound>(c, [alive, &calls](auto&&...) { ++calls; });
                const scarce_memory scarce(n, times);
                try {
                    operation.begin(std::move(handler));
                } catch (const std::bad_alloc&) {
                    thrown = true;
                }
                operation.go_on();
                try {
                    if (!thrown) complete = c.run_until([&] { return calls == 1; });
                } catch (const std::exception&) {
                    thrown_by_run = true;
                }
                memory_was_enough = scarce_memory::failures() == 0;
            }
            CHECK_FALSE(thrown_by_run);
            CHECK(complete == !thrown);
            c.pool.join();
            // Nobody joins the system's threads, and a connection in the handler's arguments must not outlive its context.
            CHECK(observation::eventually([&] { return alive.use_count() == 1; }, 5s));
        }
        CHECK(calls == (thrown ? 0 : 1));
    }
}

template <class Operation, class Bound>
void check_every_allocation() {
    for (const bool on_strand : {false, true})
        for (const int times : {1, 2, 5}) check_every_allocation<Operation, Bound>(times, on_strand);
}

} // namespace

TEST_CASE_TEMPLATE("whichever allocation fails, what begins an operation throws, or its handler is called once", Bound,
                   nothing, own_context, other_context, strand, thread_pool, strand_of_pool, systems_executor,
                   programs_executor, erased<own_context>, erased<other_context>, erased<strand>, erased<thread_pool>,
                   erased<strand_of_pool>, erased<programs_executor>) {
    SUBCASE("close") { check_every_allocation<closing, Bound>(); }
    SUBCASE("accept") { check_every_allocation<accepting, Bound>(); }
    SUBCASE("connect") { check_every_allocation<connecting, Bound>(); }
}

TEST_CASE("whichever allocation fails once a coroutine waits for a close, it goes on once") {
    for (const int times : {1, 2, 5}) {
        bool memory_was_enough = false;
        for (int n = 0; !memory_was_enough; ++n) {
            CAPTURE(times);
            CAPTURE(n);
            REQUIRE(n < 60);
            contexts c;
            closing operation(c);
            int calls = 0;
            bool thrown_by_run = false;
            std::optional<scarce_memory> scarce;
            const auto close = [&]() -> asio::awaitable<void> {
                const cs::close_report report = co_await operation.stream.async_close(asio::use_awaitable);
                memory_was_enough = scarce_memory::failures() == 0;
                scarce.reset(); // what follows is Asio's own: the end of the coroutine
                ++calls;
                CHECK(report.ended_by == cs::ending::fin);
            };
            asio::co_spawn(asio::make_strand(c.other), close, asio::detached);
            c.run_until([&] { return !operation.stream.is_open(); });
            scarce.emplace(n, times);
            operation.go_on();
            try {
                c.run_until([&] { return calls == 1; });
            } catch (const std::exception&) {
                thrown_by_run = true;
            }
            scarce.reset();
            CHECK_FALSE(thrown_by_run);
            CHECK(calls == 1);
            c.pool.join();
        }
    }
}

TEST_CASE("whichever allocation fails once a future waits for a close, it is ready") {
    bool memory_was_enough = false;
    for (int n = 0; !memory_was_enough; ++n) {
        CAPTURE(n);
        REQUIRE(n < 60);
        contexts c;
        c.of_connections = asio::make_strand(c.io);
        closing operation(c);
        auto future = operation.stream.async_close(asio::use_future);
        const scarce_memory scarce(n, 2);
        operation.go_on();
        const bool ready = c.run_until([&] { return future.wait_for(0s) == std::future_status::ready; });
        memory_was_enough = scarce_memory::failures() == 0;
        REQUIRE(ready);
        CHECK(future.get().ended_by == cs::ending::fin);
        c.pool.join();
    }
}
