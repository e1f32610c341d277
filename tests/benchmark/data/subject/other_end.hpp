// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_DATA_OTHER_END_HPP
#define CLOSESIDE_BENCHMARK_DATA_OTHER_END_HPP

#include "connected_pair.hpp"

#include <cstddef>

namespace benchmark_data {

/// Of one operation.
inline constexpr std::size_t operation_size = 16;
/// So many operations find data, or room, without the other end.
inline constexpr std::size_t operations_ahead = 64;

/// The other end of a connection over the loopback, with blocking calls on this very thread.
class other_end {
public:
    /// The end to be measured, non-blocking; the caller's from here on.
    int release() const noexcept { return ends_.measured(); }

    /// Sends what operations_ahead reads take; it is there when this returns. Not measured.
    void feed();
    /// Reads what operations_ahead writes have sent. Not measured.
    void drain();

private:
    connected_pair ends_;
};

} // namespace benchmark_data

#endif
