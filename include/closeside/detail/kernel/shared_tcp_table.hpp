// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SHARED_TCP_TABLE_HPP
#define CLOSESIDE_DETAIL_KERNEL_SHARED_TCP_TABLE_HPP

#include <closeside/detail/exceptions.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/detail/kernel/sysctl_text.hpp>

#include <optional>
#include <string>

#include <fcntl.h>

namespace closeside::detail {

/// Does this network namespace keep its connections in the host's table? Then a walk steps over all of the host's.
/** net.ipv4.tcp_ehash_entries is negative there (proc_tcp_ehash_entries). Nothing if the key cannot be read; before
 *  Linux 6.1, which brought it, every namespace shares the table. The initial one, whose table it is, does not say. */
inline std::optional<bool> shares_tcp_table(const std::string& root = "/") noexcept {
    try {
        const auto top = open_directory(AT_FDCWD, root.c_str());
        if (!top) return std::nullopt;
        const auto file = read_regular_file(top.get(), "proc/sys/net/ipv4/tcp_ehash_entries");
        if (file.error != 0) return std::nullopt;
        const auto entries = parse_number(file.bytes);
        if (!entries || *entries == 0) return std::nullopt;
        return *entries < 0;
    } catch (...) {
        return std::nullopt;
    }
}

} // namespace closeside::detail

#endif
