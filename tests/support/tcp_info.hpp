// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_TCP_INFO_HPP
#define CLOSESIDE_TESTS_SUPPORT_TCP_INFO_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <linux/tcp.h> // not beside Asio, which includes the C library's <netinet/tcp.h>; that one lacks the counters
#include <netinet/in.h>
#include <sys/socket.h>

namespace tests {

/// TCP_INFO, and how much of it this kernel gives.
struct tcp_information : ::tcp_info {
    std::size_t size = 0;

    explicit tcp_information(int fd) : ::tcp_info{} {
        socklen_t room = sizeof(::tcp_info);
        if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, static_cast<::tcp_info*>(this), &room) != 0)
            throw std::system_error(errno, std::generic_category(), "TCP_INFO");
        size = room;
    }

    /// Since Linux 4.19.
    bool counts_sent_bytes() const { return size >= offsetof(::tcp_info, tcpi_dsack_dups); }
    /// Since Linux 5.4, which tells a FIN by TCP_INQ too (that since 5.1).
    bool tells_window() const { return size >= offsetof(::tcp_info, tcpi_snd_wnd) + sizeof(tcpi_snd_wnd); }

    std::int64_t sent_once() const { return static_cast<std::int64_t>(tcpi_bytes_sent - tcpi_bytes_retrans); }
    /// What the peer has acknowledged beyond the data: our SYN if we connected, and our FIN.
    std::int64_t acknowledged_beyond_data() const { return static_cast<std::int64_t>(tcpi_bytes_acked) - sent_once(); }
};

} // namespace tests

#endif
