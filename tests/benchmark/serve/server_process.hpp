// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_SERVER_PROCESS_HPP
#define CLOSESIDE_BENCHMARK_SERVE_SERVER_PROCESS_HPP

#include "contender.hpp"

#include <chrono>
#include <cstdint>

#include <sys/types.h>

namespace benchmark_serve {

/// A contender in a process of its own on the first processor, killed at the latest with the one that started it.
class server_process {
public:
    /// Returns when it accepts connections.
    /** @throws std::runtime_error if it has ended before that, or takes longer than five seconds. */
    server_process(const contender& c, std::uint16_t port);
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    ~server_process();

    /// Stops it, and lets it go on; what arrives in between waits for it in the kernel.
    void hold();
    void release();

    struct times {
        std::chrono::nanoseconds running;
        /// Could have run, but the processor was another's.
        std::chrono::nanoseconds ready;
    };
    /// Since it was started; user and system.
    times used() const;

private:
    void wait_until_listening(std::uint16_t port);
    void kill() noexcept;

    pid_t pid_;
};

} // namespace benchmark_serve

#endif
