// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUN_UNTIL_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUN_UNTIL_HPP

#include <asio/io_context.hpp>

#include <chrono>

/// Runs the context until `done` holds; false after `limit`.
template <class Done>
bool run_until(asio::io_context& io, Done done, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        if (io.stopped()) io.restart();
        io.run_one_for(std::chrono::milliseconds(1));
    }
    return true;
}

#endif
