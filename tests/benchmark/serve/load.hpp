// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_LOAD_HPP
#define CLOSESIDE_BENCHMARK_SERVE_LOAD_HPP

#include "contender.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace benchmark_serve {

/// The clients of one server.
class load {
public:
    /// Reads one reply, which says how long the others must be.
    /** @throws std::runtime_error if it is not what it should be. */
    load(std::uint16_t port, client behaviour);
    load(load&&) = default;
    load& operator=(load&&) = delete;
    ~load();

    /// So many connections more on which the request has arrived.
    void ask(unsigned connections);

    /// Reads every reply and closes, beginning with the oldest connection; returns the processor time that this took.
    /** Without that of waiting: it polls instead of sleeping, so that the server never pays for waking it up.
     *  @throws std::runtime_error for a reply that is not as long as the first was. */
    std::chrono::nanoseconds finish();

private:
    /// Returns the processor time.
    std::chrono::nanoseconds wait_for_reply(int fd) const;
    void read_reply(int fd) const;

    std::uint16_t port_;
    client behaviour_;
    std::size_t reply_size_;
    std::vector<int> under_way_;
};

} // namespace benchmark_serve

#endif
