// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_DATA_CONNECTED_PAIR_HPP
#define CLOSESIDE_BENCHMARK_DATA_CONNECTED_PAIR_HPP

namespace benchmark_data {

/// A connection over the loopback.
class connected_pair {
public:
    connected_pair();
    connected_pair(const connected_pair&) = delete;
    connected_pair& operator=(const connected_pair&) = delete;
    /// Closes the other end.
    ~connected_pair();

    /// The end to be measured, non-blocking, accepted; whoever makes a socket of it closes it.
    int measured() const noexcept { return measured_; }
    /// Blocking, at most 10 s.
    int other() const noexcept { return other_; }

    /// Until so many bytes are in the receive queue of the measured end.
    /** @throws std::runtime_error after 10 s. */
    void wait_for_input(int bytes) const;

private:
    int measured_ = -1;
    int other_ = -1;
};

} // namespace benchmark_data

#endif
