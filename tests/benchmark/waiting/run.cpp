// SPDX-License-Identifier: BSL-1.0
#include "run.hpp"

#include "heap.hpp"
#include "limits.hpp"
#include "peers.hpp"

#include "benchmark/support/process.hpp"

#include "observation/own_network.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

namespace benchmark_waiting {

namespace {

using observation::leave_shared_network;
using observation::network;

constexpr unsigned seconds_for_a_run = 90;

/// Processor time since the last look, in µs.
class stopwatch {
public:
    double lap() {
        const auto now = benchmark_support::own_processor_time();
        const std::chrono::duration<double, std::micro> used = now - last_;
        last_ = now;
        return used.count();
    }

private:
    std::chrono::nanoseconds last_ = benchmark_support::own_processor_time();
};

/// Runs the loop until nothing is left to wait for. Returns the longest turn.
double run_turn_by_turn(asio::io_context& context) {
    double longest = 0;
    for (stopwatch turn; context.run_one() != 0;) longest = std::max(longest, turn.lap());
    return longest;
}

cost measure(server_maker make, unsigned closes, ending e) {
    peers clients; // before this process is bound to a processor, which a child would inherit
    benchmark_support::pin_to_processor(0);
    asio::io_context context(1);
    const auto limit = e == ending::peers_answer ? longest_limit : short_limit(closes);
    const auto servant = make(context, limit);

    const auto heap_before = heap_in_use();
    clients.connect(servant->port(), closes);
    servant->accept(closes);
    clients.await_connected();

    cost c{};
    const auto begun = std::chrono::steady_clock::now();
    stopwatch watch;
    servant->close_all();
    context.poll();
    c.start = watch.lap() / closes;
    c.bytes = static_cast<double>(heap_in_use() - heap_before) / closes;
    if (std::chrono::steady_clock::now() - begun >= limit)
        throw std::runtime_error("the limit was over before all closes had begun: is the machine busy?");

    if (e == ending::peers_answer) clients.close();
    const auto all_over = std::chrono::steady_clock::now() + limit; // the last close has begun by now
    while (e == ending::limits_over_at_once && std::chrono::steady_clock::now() < all_over) std::this_thread::yield();
    watch.lap();
    if (e == ending::limits_over_at_once)
        c.longest_turn = run_turn_by_turn(context);
    else
        context.run(); // until nothing is left to wait for
    c.end = watch.lap() / closes;
    if ((std::chrono::steady_clock::now() - begun >= limit) != (e != ending::peers_answer))
        throw std::runtime_error("closes were ended by something else than what was to end them");
    return c;
}

} // namespace

unsigned descriptors_allowed(unsigned wanted) {
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= wanted) return wanted;
    const ::rlimit raised{wanted, std::max<::rlim_t>(limit.rlim_max, wanted)};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
    const ::rlimit all{limit.rlim_max, limit.rlim_max};
    return static_cast<unsigned>(::setrlimit(RLIMIT_NOFILE, &all) == 0 ? all.rlim_cur : limit.rlim_cur);
}

bool has_right_to_networks() {
    const benchmark_support::forked_child tries(
        [](const benchmark_support::channel& result) { result.send(leave_shared_network() != network::shared); });
    return tries.to().receive<bool>(std::chrono::seconds(10)).value_or(false);
}

cost run(server_maker make, unsigned closes, ending e) {
    const benchmark_support::forked_child alone([&](const benchmark_support::channel& result) {
        ::alarm(seconds_for_a_run); // ends it, and with it the peers
        if (observation::enter_own_network() == network::shared)
            throw std::runtime_error("no network namespace can be made any more");
        result.send(measure(make, closes, e));
    });
    const auto c = alone.to().receive<cost>(std::chrono::seconds(seconds_for_a_run + 5));
    if (!c) throw std::runtime_error("the run with " + std::to_string(closes) + " closes failed");
    return *c;
}

} // namespace benchmark_waiting
