// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LOCAL_PORTS_HPP
#define CLOSESIDE_DETAIL_LOCAL_PORTS_HPP

#include <closeside/detail/time_wait_table.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <arpa/inet.h>

namespace closeside::detail {

/// An address and a port in network order; IPv4 in the first four bytes.
struct destination {
    int family = AF_INET;
    std::array<unsigned char, 16> address{};
    in_port_t port = 0;

    friend auto operator<=>(const destination&, const destination&) = default;
};

inline destination destination_of(const inet_diag_msg& m) noexcept {
    destination d{m.idiag_family, {}, m.id.idiag_dport};
    std::memcpy(d.address.data(), m.id.idiag_dst, m.idiag_family == AF_INET ? 4 : 16);
    return d;
}

inline std::string destination_text(const destination& d) {
    char text[INET6_ADDRSTRLEN] = "?";
    ::inet_ntop(d.family, d.address.data(), text, sizeof text);
    const std::string address = d.family == AF_INET ? text : "[" + std::string(text) + "]";
    return address + ":" + std::to_string(ntohs(d.port));
}

/// The destination that ports last ran out for. A std::error_code has no room for it, and its message wants it.
class [[gnu::visibility("default")]] exhausted_destination {
public:
    static void remember(const destination& d) {
        exhausted_destination& it = instance();
        const std::lock_guard lock(it.mutex_);
        it.last_ = d;
    }
    static std::optional<destination> last() {
        exhausted_destination& it = instance();
        const std::lock_guard lock(it.mutex_);
        return it.last_;
    }

private:
    static exhausted_destination& instance() {
        static exhausted_destination it;
        return it;
    }

    std::mutex mutex_;
    std::optional<destination> last_;
};

/// ", 28231 in TIME-WAIT to 192.0.2.1:80"; empty where the kernel does not say.
inline std::string time_wait_text(const destination& to) {
    std::size_t count = 0;
    const bool told = for_each_time_wait(to.family, to.port, [&](const inet_diag_msg& m) {
        if (destination_of(m) == to) ++count;
    });
    return told ? ", " + std::to_string(count) + " in TIME-WAIT to " + destination_text(to) : std::string();
}

/// net.ipv4.ip_local_port_range of this network namespace.
inline std::optional<std::pair<unsigned, unsigned>> local_port_range() {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"), &std::fclose);
    unsigned low = 0, high = 0;
    if (!file || std::fscanf(file.get(), "%u %u", &low, &high) != 2 || high < low) return std::nullopt;
    return std::pair(low, high);
}

/// What an operator needs to know when connect(2) finds no local port.
inline std::string ports_exhausted_text() {
    std::string text = "no local port is left to connect from";
    if (const auto range = local_port_range())
        text += ": net.ipv4.ip_local_port_range is " + std::to_string(range->first) + "-" +
                std::to_string(range->second) + ", " + std::to_string(range->second - range->first + 1) + " ports";
    if (const auto to = exhausted_destination::last()) text += time_wait_text(*to);
    return text;
}

} // namespace closeside::detail

#endif
