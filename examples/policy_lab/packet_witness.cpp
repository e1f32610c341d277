// SPDX-License-Identifier: BSL-1.0
#include "packet_witness.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace policy_lab {

namespace {

constexpr std::uint8_t fin_flag = 0x01;
constexpr std::uint8_t rst_flag = 0x04;
constexpr std::uint8_t ack_flag = 0x10;
constexpr unsigned snap_length = 80; // the longest IPv4 header and the fixed part of the TCP header

// Outgoing copies only (loopback shows each packet twice), IPv4, first fragment, TCP, FIN or RST.
sock_filter only_fin_and_rst[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 11),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 8),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
    BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, fin_flag | rst_flag, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, snap_length),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

std::chrono::system_clock::time_point time_stamp(msghdr& message) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec t{};
        std::memcpy(&t, CMSG_DATA(c), sizeof t);
        const auto since_epoch = std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
        return std::chrono::system_clock::time_point(
            std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch));
    }
    return std::chrono::system_clock::now();
}

std::uint16_t port_at(const std::uint8_t* bytes) { return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]); }

} // namespace

packet_witness::packet_witness() {
    // Protocol 0: nothing is delivered before the filter is attached and the socket is bound to lo.
    socket_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) throw std::system_error(errno, std::generic_category(), "AF_PACKET socket");
    const int on = 1;
    const int receive_buffer = 8 << 20;
    const sock_fprog program{.len = static_cast<unsigned short>(std::size(only_fin_and_rst)),
                             .filter = only_fin_and_rst};
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL); // outgoing packets are shown to ETH_P_ALL sockets alone
    address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
    if (::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0)
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        ::setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        const int error = errno;
        ::close(socket_);
        throw std::system_error(error, std::generic_category(), "AF_PACKET socket on lo");
    }
}

packet_witness::~packet_witness() { ::close(socket_); }

std::vector<segment> packet_witness::between(std::uint16_t a, std::uint16_t b) {
    const std::lock_guard lock(mutex_);
    collect();
    std::vector<segment> found;
    for (const segment& s : seen_)
        if ((s.from == a && s.to == b) || (s.from == b && s.to == a)) found.push_back(s);
    return found;
}

std::uint32_t packet_witness::dropped() {
    const std::lock_guard lock(mutex_);
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    // Reading the statistics resets them.
    if (::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) dropped_ += statistics.tp_drops;
    return dropped_;
}

void packet_witness::collect() {
    for (;;) {
        std::uint8_t bytes[snap_length];
        alignas(cmsghdr) char control[128];
        iovec data{.iov_base = bytes, .iov_len = sizeof bytes};
        msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t size = ::recvmsg(socket_, &message, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return;
        const std::size_t ip_header = 4u * (bytes[0] & 0x0fu);
        if (static_cast<std::size_t>(size) < ip_header + 14) continue;
        const std::uint8_t* const tcp = bytes + ip_header;
        const std::uint8_t flags = tcp[13];
        seen_.push_back({time_stamp(message), port_at(tcp), port_at(tcp + 2), (flags & fin_flag) != 0,
                         (flags & rst_flag) != 0, (flags & ack_flag) != 0});
    }
}

} // namespace policy_lab
