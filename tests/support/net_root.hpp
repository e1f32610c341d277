// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_NET_ROOT_HPP
#define CLOSESIDE_TESTS_SUPPORT_NET_ROOT_HPP

#include "support/fake_root.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace tests {

// /proc/net/tcp, tcp6 and sockstat as the kernel prints them.

inline const std::string heading4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode               "
    "                                      \n";
inline const std::string heading6 =
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

inline std::string two_digits(unsigned n) {
    const char* const digits = "0123456789ABCDEF";
    return {digits[n >> 4 & 15], digits[n & 15]};
}

inline std::string four_digits(unsigned n) { return two_digits(n >> 8) + two_digits(n); }

inline std::string row4(unsigned state, unsigned port = 8080, unsigned timer = 0) {
    return "   0: 0100007F:" + four_digits(port) + " 0100007F:D431 " + two_digits(state) + " 00000000:00000000 " +
           two_digits(timer) + ":00000176 00000000     0        0 0 3 00000000a2d1b6f8                      \n";
}

inline std::string row6(unsigned state, unsigned port = 8080, unsigned timer = 0) {
    return "12345: 00000000000000000000000001000000:" + four_digits(port) + " 00000000000000000000000001000000:D431 " +
           two_digits(state) + " 00000000:00000000 " + two_digits(timer) +
           ":00000176 00000000     0        0 0 3 00000000a2d1b6f8\n";
}

inline const std::string sockstat =
    "sockets: used 170\nTCP: inuse 5 orphan 1 tw 42 alloc 8 mem 1\nUDP: inuse 0 mem 0\n";

/// A root whose proc/thread-self/net, or another directory of it, has these files.
class net_root {
public:
    explicit net_root(const std::string& directory = "proc/thread-self/net") : directory_(directory) {
        std::filesystem::create_directories(root_.path() / directory_);
    }
    net_root& file(const std::string& name, std::string_view content) {
        root_.add((directory_ / name).string(), content);
        return *this;
    }
    std::filesystem::path operator/(const std::string& name) const { return root_.path() / directory_ / name; }
    net_root& set(std::string_view key, std::string_view value) {
        root_.set(key, value);
        return *this;
    }
    std::string path() const { return root_.path(); }

private:
    fake_root root_;
    std::filesystem::path directory_;
};

} // namespace tests

#endif
