// SPDX-License-Identifier: BSL-1.0
#ifndef POLICY_LAB_PACKET_WITNESS_HPP
#define POLICY_LAB_PACKET_WITNESS_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace policy_lab {

/// A TCP segment with FIN or RST that left a socket on the loopback interface.
struct segment {
    std::chrono::system_clock::time_point when; ///< the kernel's time stamp
    std::uint16_t from = 0;
    std::uint16_t to = 0;
    bool fin = false;
    bool rst = false;
    bool ack =
        false; ///< on a RST: sent by a close or an abort; without it: the answer to a segment (RFC 9293, 3.10.7.1)
};

/// Records every FIN and RST on `lo` of this network namespace, in the order of sending.
/** An AF_PACKET socket with a classic BPF filter: CAP_NET_RAW is needed, data segments never reach user space. It sees
 *  a segment as it leaves, inside the sender's own system call or softirq, so a segment that a socket call sent is on
 *  record when that call returns. Thread-safe. */
class packet_witness {
public:
    /// Throws std::system_error; EPERM without CAP_NET_RAW.
    packet_witness();
    ~packet_witness();
    packet_witness(const packet_witness&) = delete;
    packet_witness& operator=(const packet_witness&) = delete;

    /// Everything recorded so far between these two ports, either direction.
    std::vector<segment> between(std::uint16_t a, std::uint16_t b);

    /// Segments that the kernel could not queue for us; anything but 0 makes the record worthless.
    std::uint32_t dropped();

private:
    void collect();

    int socket_ = -1;
    std::mutex mutex_;
    std::vector<segment> seen_;
    std::uint32_t dropped_ = 0;
};

} // namespace policy_lab

#endif
