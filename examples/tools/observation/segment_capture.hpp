// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_SEGMENT_CAPTURE_HPP
#define CLOSESIDE_OBSERVATION_SEGMENT_CAPTURE_HPP

#include "descriptor.hpp"
#include "segment.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace observation {

enum class recorded : std::uint8_t {
    fin_and_rst,         ///< how connections end; data segments never reach user space
    beginnings_and_ends, ///< those and SYN
    every_segment ///< headers and options; on a busy interface call record() often, or the kernel runs out of room
};

/// The name for all interfaces of a network namespace, those too that it does not have yet.
inline constexpr const char* any_interface = "any";

/// Records TCP segments on interfaces of the network namespace that it is constructed in, in the order they pass.
/** An AF_PACKET socket with a classic BPF filter; CAP_NET_RAW is needed. A segment is on record when the system call
 *  that sent it returns. On `lo`, which shows each packet twice, the outgoing copies only; elsewhere both directions,
 *  what arrives before any firewall of this host sees it, what leaves after it. Thread-safe but for seen(). */
class segment_capture {
public:
    /// Throws std::system_error; EPERM without CAP_NET_RAW.
    /** `room`, if it is not 0, is taken at once, so that recording allocates nothing; what comes after it is dropped. */
    explicit segment_capture(const std::string& interface = "lo", recorded what = recorded::fin_and_rst,
                             std::size_t room = 0);
    segment_capture(const segment_capture&) = delete;
    segment_capture& operator=(const segment_capture&) = delete;

    /// Takes over what the kernel has queued. The accessors do so too.
    void record();

    std::vector<segment> all();

    /// Everything recorded so far between these two ports, either direction.
    std::vector<segment> between(std::uint16_t a, std::uint16_t b);

    /// The record itself, for a caller that is alone with it.
    const std::vector<segment>& seen();

    /// Begins the record anew.
    void forget();

    /// Segments that are missing: the kernel could not queue them, or there was no room. Anything but 0 makes the record
    /// worthless.
    std::size_t dropped();

private:
    void collect();

    descriptor socket_;
    int loopback_ = 0; ///< the index of `lo`, if other interfaces are recorded beside it
    std::size_t room_;
    std::mutex mutex_;
    std::vector<segment> seen_;
    std::size_t dropped_ = 0;
};

} // namespace observation

#endif
