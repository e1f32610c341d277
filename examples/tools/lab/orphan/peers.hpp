// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_ORPHAN_PEERS_HPP
#define CLOSESIDE_LAB_ORPHAN_PEERS_HPP

#include "../support/observed.hpp"

#include "observation/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab::orphan {

/// Connections to a server that read what comes, or some of it at a time, and never close.
class peers {
public:
    static constexpr std::size_t everything = ~std::size_t{0};

    /// Connects from the calling thread's host. Who reads `at_once` bytes at a time has the smallest receive window.
    /** Throws std::system_error. */
    peers(observation::endpoint server, std::size_t count, std::size_t at_once);

    /// Reads what has come, or that much of it; never blocks.
    void read();

    /// Closes after all.
    void close() noexcept { connections_.clear(); }

    std::uint64_t received() const noexcept { return received_; } ///< bytes
    std::size_t ends() const noexcept { return ends_; }           ///< FINs of the server that were read
    std::size_t resets() const noexcept { return resets_; }       ///< by the server, seen so far

private:
    struct connection {
        descriptor socket;
        bool end_seen = false;
        bool over = false;
    };
    void read(connection& from);

    std::vector<connection> connections_;
    std::size_t at_once_;
    std::uint64_t received_ = 0;
    std::size_t ends_ = 0;
    std::size_t resets_ = 0;
};

} // namespace lab::orphan

#endif
