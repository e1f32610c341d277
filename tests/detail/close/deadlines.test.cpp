// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/deadlines.hpp>

#include "support/scarce_memory.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using closeside::detail::close_deadlines;
using clock_type = close_deadlines::clock;

struct probe final : close_deadlines::entry {
    explicit probe(std::vector<const probe*>& ended) : over(&ended) {}
    void deadline_over() noexcept override { over->push_back(this); }
    bool shed() noexcept override { return false; }
    void reconsider() noexcept override {}
    int watched_descriptor() noexcept override { return -1; }
    std::vector<const probe*>* over;
};

void insert(close_deadlines& d, probe& p, clock_type::time_point at) {
    const std::lock_guard lock(d.mutex);
    const bool inserted = d.insert(p, at);
    CHECK(inserted);
}

void remove(close_deadlines& d, probe& p) {
    const std::lock_guard lock(d.mutex);
    d.remove(p);
}

} // namespace

TEST_CASE("deadlines end in their order, whatever the order in which they came, and removed ones never") {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        asio::io_context io;
        auto& deadlines = close_deadlines::of(io.get_executor());
        std::vector<const probe*> ended;
        std::list<probe> probes;
        std::vector<probe*> expected;
        const auto now = clock_type::now();
        for (int i = 0; i < 64; ++i) {
            insert(deadlines, probes.emplace_back(ended), now - std::chrono::microseconds(random() % 32));
            expected.push_back(&probes.back());
        }
        for (int i = 0; i < 32; ++i) {
            const auto victim = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
            remove(deadlines, **victim);
            remove(deadlines, **victim); // once more does nothing
            expected.erase(victim);
        }
        io.run();
        REQUIRE(ended.size() == expected.size());
        CHECK(std::ranges::is_sorted(ended, {}, [](const probe* p) { return p->deadline(); }));
        for (const probe* p : expected) CHECK(std::ranges::count(ended, p) == 1);
    }
}

TEST_CASE("deadlines that end at once, in whatever number, leave the context its turns for others") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(io.get_executor());
    std::vector<const probe*> ended;
    std::list<probe> probes;
    const auto now = clock_type::now();
    for (int i = 0; i < 1000; ++i) insert(deadlines, probes.emplace_back(ended), now);
    int others = 0;
    std::size_t before = 0;
    const std::function<void()> other = [&] {
        if (ended.size() > before) ++others;
        CHECK(ended.size() - before <= 128);
        before = ended.size();
        if (before < 1000) asio::post(io, other);
    };
    asio::post(io, other);
    io.run();
    CHECK(ended.size() == 1000);
    CHECK(others == 8);
}

TEST_CASE("the deadlines of a context are not mistaken for those of one before it at the same address") {
    alignas(asio::io_context) std::byte memory[sizeof(asio::io_context)];
    for (int i = 0; i < 3; ++i) {
        auto* const io = ::new (static_cast<void*>(memory)) asio::io_context;
        close_deadlines& found = close_deadlines::of(io->get_executor());
        CHECK(&found.context() == io);
        CHECK(&found == &asio::use_service<close_deadlines>(*io));
        CHECK(&close_deadlines::of(io->get_executor()) == &found);
        asio::io_context another;
        CHECK(&close_deadlines::of(another.get_executor()) == &asio::use_service<close_deadlines>(another));
        CHECK(&close_deadlines::of(io->get_executor()) == &found);
        io->~io_context();
    }
}

TEST_CASE("the timer wakes for a deadline that is earlier than the one it was set for") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(io.get_executor());
    std::vector<const probe*> ended;
    probe late(ended), early(ended);
    const auto start = clock_type::now();
    insert(deadlines, late, start + 1h);
    insert(deadlines, early, start + 5ms);
    while (ended.empty()) REQUIRE(io.run_one_for(5s) == 1);
    CHECK(ended == std::vector<const probe*>{&early});
    CHECK(clock_type::now() - start >= 5ms);
    remove(deadlines, late);
    deadlines.rest();
    io.run_for(5s);
    CHECK(io.stopped()); // nothing keeps the context at work when nobody waits
}

TEST_CASE("a context has one set of deadlines, whichever executor asks") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(io.get_executor());
    CHECK(&close_deadlines::of(asio::any_io_executor(io.get_executor())) == &deadlines);
    CHECK(&close_deadlines::of(asio::make_strand(io)) == &deadlines);
    asio::thread_pool pool(1);
    CHECK(&close_deadlines::of(pool.get_executor()) != &deadlines);
}

TEST_CASE("the timer runs on a thread of the context while every strand of it is busy") {
    asio::io_context io(2);
    const auto strand = asio::make_strand(io);
    auto& deadlines = close_deadlines::of(strand);
    std::vector<const probe*> ended;
    probe p(ended);
    bool ended_meanwhile = false;
    asio::post(strand, [&] {
        insert(deadlines, p, clock_type::now());
        const auto limit = clock_type::now() + 5s;
        while (ended.empty() && clock_type::now() < limit) io.poll_one();
        ended_meanwhile = !ended.empty();
    });
    io.run();
    CHECK(ended_meanwhile);
}

TEST_CASE("a context that is being destroyed takes no deadline any more, and makes no timer anew") {
    std::vector<const probe*> ended;
    probe early(ended), late(ended);
    int refused = 0;
    struct at_destruction {
        std::function<void()> act;
        ~at_destruction() { act(); }
    };
    for (const bool was_used : {false, true}) {
        asio::io_context io;
        auto& deadlines = close_deadlines::of(io.get_executor());
        if (was_used) {
            insert(deadlines, early, clock_type::now() + 1h);
            remove(deadlines, early);
        }
        asio::post(io, [owned = std::make_unique<at_destruction>([&] {
                            const std::lock_guard lock(deadlines.mutex);
                            refused += deadlines.insert(late, clock_type::now() + 1ms) ? 0 : 1;
                            deadlines.rest_locked();
                        })] {});
    }
    CHECK(refused == 2);
    CHECK(ended.empty());
}

TEST_CASE("where no memory is left for the timer the entry is not there, and a later one is") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(io.get_executor());
    std::vector<const probe*> ended;
    probe p(ended);
    int failed = 0;
    for (bool inserted = false; !inserted;) {
        const tests::scarce_memory scarce(failed, 1);
        try {
            insert(deadlines, p, clock_type::now());
            inserted = true;
        } catch (const std::bad_alloc&) {
            ++failed;
            REQUIRE(failed < 50);
            remove(deadlines, p);
        }
    }
    CHECK(failed > 0);
    io.run();
    CHECK(ended.size() == 1);
}

TEST_CASE("where no memory is left for an earlier timer the deadlines that were there still end") {
    for (int failing = 0, succeeded = 0; succeeded == 0; ++failing) {
        REQUIRE(failing < 50);
        asio::io_context io;
        auto& deadlines = close_deadlines::of(io.get_executor());
        std::vector<const probe*> ended;
        probe late(ended), early(ended);
        insert(deadlines, late, clock_type::now() + 30ms);
        try {
            const tests::scarce_memory scarce(failing, 1);
            insert(deadlines, early, clock_type::now() + 5ms);
            succeeded = 1;
        } catch (const std::bad_alloc&) {
        }
        io.run_for(5s);
        CHECK(io.stopped());
        CHECK(ended.size() == (succeeded == 1 ? 2 : 1));
        CHECK(ended.back() == &late);
    }
}

TEST_CASE("the timer goes on for a close that waits again, and stops when none is left") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(io.get_executor());
    std::vector<const probe*> ended;
    probe p(ended);
    insert(deadlines, p, clock_type::now() + 1h);
    remove(deadlines, p);
    io.poll();
    CHECK_FALSE(io.stopped());
    insert(deadlines, p, clock_type::now() + 1h);
    deadlines.rest(); // there is one
    io.poll();
    CHECK_FALSE(io.stopped());
    remove(deadlines, p);
    deadlines.rest();
    io.run_for(5s);
    CHECK(io.stopped());
    CHECK(ended.empty());
}

TEST_CASE("a timer that goes on after the last close is no work of the context, and is again for the next close") {
    asio::io_context io;
    auto& deadlines = close_deadlines::of(asio::any_io_executor(io.get_executor()));
    std::vector<const probe*> ended;
    probe p(ended);
    const auto wait_and_rest = [&](clock_type::duration until) {
        asio::post(io, [&, until] {
            insert(deadlines, p, clock_type::now() + until);
            remove(deadlines, p);
            deadlines.leave(p);
        });
    };
    SUBCASE("run() returns") {
        wait_and_rest(1h);
        CHECK(io.run_for(5s) == 1);
        CHECK(io.stopped());
    }
    SUBCASE("it runs out, and the context's other work keeps run() from returning as before") {
        auto other_work = asio::make_work_guard(io);
        wait_and_rest(1ms);
        CHECK(io.run_one_for(5s) == 1);
        CHECK(io.run_one_for(5s) == 1); // the timer
        CHECK_FALSE(io.stopped());
        other_work.reset();
        CHECK(io.run_for(5s) == 0);
        CHECK(io.stopped());
        CHECK(ended.empty());
    }
    SUBCASE("run() waits for the next close, whose deadline is later") {
        wait_and_rest(1ms);
        io.run_for(5s);
        io.restart();
        insert(deadlines, p, clock_type::now() + 20ms);
        io.run_for(5s);
        CHECK(ended == std::vector<const probe*>{&p});
        CHECK(io.stopped());
    }
    SUBCASE("... and for one whose deadline is earlier") {
        wait_and_rest(1h);
        io.run_for(5s);
        io.restart();
        insert(deadlines, p, clock_type::now() + 20ms);
        io.run_for(5s);
        CHECK(ended == std::vector<const probe*>{&p});
        CHECK(io.stopped());
    }
    SUBCASE("it stays no work when a close that was never waited for is over") {
        wait_and_rest(1h);
        io.run_for(5s);
        deadlines.rest();
        deadlines.leave(p);
        io.restart();
        auto other_work = asio::make_work_guard(io);
        CHECK(io.poll() == 0);
        CHECK_FALSE(io.stopped());
    }
    SUBCASE("on another context, too, nothing keeps join() from returning") {
        asio::thread_pool pool(1);
        auto& others = close_deadlines::of(pool.get_executor());
        asio::post(pool, [&] {
            insert(others, p, clock_type::now() + 1h);
            remove(others, p);
            others.leave(p);
        });
        pool.join();
        CHECK(ended.empty());
    }
}

TEST_CASE("a context may be destroyed while deadlines are set") {
    std::vector<const probe*> ended;
    probe p(ended);
    {
        asio::io_context io;
        insert(close_deadlines::of(io.get_executor()), p, clock_type::now() + 1h);
    }
    CHECK(ended.empty());
}
