// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_TIME_WAIT_COUNT_HPP
#define CLOSESIDE_DETAIL_KERNEL_TIME_WAIT_COUNT_HPP

#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/detail/kernel/sockstat.hpp>

#include <cerrno>
#include <cstdint>
#include <optional>

namespace closeside::detail {

/// `tw` of the file sockstat in that directory: sockets in TIME-WAIT, and orphans in FIN-WAIT-2. Without it, `error` is
/// set.
inline std::optional<std::uint64_t> read_time_wait_count(int proc_net, int& error) noexcept {
    try {
        const file_content file = read_regular_file(proc_net, "sockstat");
        error = file.error;
        if (error != 0) return std::nullopt;
        const std::optional<std::int64_t> count = interpret_sockstat(file.bytes, {}).time_wait;
        if (count && *count >= 0) return static_cast<std::uint64_t>(*count);
        error = EBADMSG;
    } catch (...) {
        error = ENOMEM;
    }
    return std::nullopt;
}

} // namespace closeside::detail

#endif
