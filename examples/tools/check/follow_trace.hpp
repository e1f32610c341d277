// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_TRACE_HPP
#define CLOSESIDE_CHECK_FOLLOW_TRACE_HPP

#include "follow_directory.hpp"
#include "follow_event.hpp"
#include "follow_format.hpp"

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace check::follow {

/// The kernel's events about endings of TCP connections, of every network namespace.
class trace {
public:
    /// `port`: only connections with this local port, as far as the kernel can tell; 0: all.
    /** Throws std::exception if this tracefs cannot be used. */
    trace(const std::string& tracefs, std::uint16_t port);

    bool gives_reasons() const { return reader_.gives_reasons(); }

    /// Appends what has come since, in any order.
    void read(std::vector<trace_event>& into);

    /// How many records the kernel has dropped for want of room, and pages that could not be read.
    std::uint64_t lost() const;

private:
    void enable(const event_name& event, std::uint16_t port);
    void open_pipes();

    instance_directory directory_;
    event_reader reader_;
    page_layout layout_;
    std::vector<closeside::detail::owned_descriptor> pipes_; // closed before the directory goes
    std::vector<std::string> stats_;
    std::vector<std::uint8_t> page_;
    std::uint64_t malformed_ = 0;
};

} // namespace check::follow

#endif
