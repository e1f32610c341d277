// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TCP_MEM_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TCP_MEM_HPP

#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

/// The smallest page of any architecture: with larger ones the values mean more memory.
inline constexpr std::int64_t page_kib = 4;

/// The kernel's own are 3/64, 1/16 and 3/32 of the memory (tcp_init_mem): the last is twice the first.
inline constexpr std::int64_t kernels_part = 16;
/// A judgement: tcp_rmem and tcp_wmem span far more than that between their ends, and are in bytes.
inline constexpr std::int64_t spread_of_bytes = 64;
/// A judgement: below a 512th of the memory the limit is a fiftieth of the kernel's.
inline constexpr std::int64_t far_too_small_part = 512;

[[gnu::cold]] inline remedy restore_tcp_mem(const std::optional<std::int64_t>& memory) {
    std::string text =
        "Remove net.ipv4.tcp_mem from the configuration and restart the host: the kernel's own choice goes "
        "by its memory";
    if (memory) {
        const std::int64_t pressure = *memory / page_kib / kernels_part, low = pressure / 4 * 3;
        text += compose("; with pages of 4 KiB about `{} {} {}` on this host", {low, pressure, low * 2});
    }
    return text;
}

inline constexpr rule tcp_mem_unfit{
    "CS125",
    "tcp_mem is given in bytes, or far too small",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto low = in.number(key::tcp_mem), high = in.host[key::tcp_mem].high;
        if (!low || !high) return std::nullopt;
        const auto memory = in.host.memory_kib;
        const bool beyond_memory = memory && *high > *memory / page_kib;
        const bool spread = *low > 0 && *high / *low >= spread_of_bytes;
        const bool tiny = memory ? *high < *memory / page_kib / far_too_small_part : *high <= 0;
        if (!beyond_memory && !spread && !tiny) return std::nullopt;
        return found(
            severity::warning, {key::tcp_mem},
            compose("tcp_mem is {}, in pages and for all connections together{}",
                    {to_be_written(in.host[key::tcp_mem].text),
                     tiny ? std::string(": far less than the kernel's own choice")
                     : beyond_memory
                         ? std::string(": more than there is memory; such numbers are meant as bytes")
                         : std::string(": the ends are as far apart as those of tcp_rmem, which is in bytes")}),
            tiny ? "Windows stop growing under little load, then data is thrown away, and closes with data under "
                   "way become RST; the kernel's log says \"out of memory -- consider tuning tcp_mem\""
            : beyond_memory
                ? "TCP is never told to save memory: many slow readers, or a flood, can take all of it"
                : "Once TCP has begun to save memory, it goes on until next to nothing is used: windows stay "
                  "small, and connections slow",
            restore_tcp_mem(memory), "Linux net/ipv4/tcp.c: tcp_init_mem; tcp(7)");
    },
    {counter::abort_on_memory}};

} // namespace closeside::host::detail::rules

#endif
