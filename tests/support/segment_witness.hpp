// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_SEGMENT_WITNESS_HPP
#define CLOSESIDE_TESTS_SUPPORT_SEGMENT_WITNESS_HPP

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace tests {

/// A segment with FIN or RST that left a socket on the loopback interface.
struct segment {
    std::chrono::system_clock::time_point when; ///< the kernel's time stamp
    std::uint16_t from = 0;
    std::uint16_t to = 0;
    bool fin = false;
    bool rst = false;
    bool has_ack = false;  ///< on a RST: sent by a close or an abort; without: an answer (RFC 9293, 3.10.7.1)
    std::uint32_t end = 0; ///< the sequence number after the last byte of data: that of the FIN
    std::uint32_t acknowledged = 0;
};

/// Records every FIN and RST on `lo` of this network namespace, IPv4 and IPv6, in the order of sending.
/** Packet sockets see a segment as it leaves, inside the sender's own call, so what a system call sent is on record when
 *  the call returns. Needs CAP_NET_RAW. Room for the record is taken at the start, so that recording allocates nothing. */
class segment_witness {
public:
    explicit segment_witness(std::size_t room) {
        seen_.reserve(room);
        socket_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int on = 1;
        const int receive_buffer = 8 << 20;
        ::sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL); // outgoing packets are shown to ETH_P_ALL sockets alone
        address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
        if (socket_ >= 0 &&
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0)
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        // The filter stands before the binding, so that nothing else is ever delivered.
        if (socket_ < 0 || !attach_filter() || ::setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
            ::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
            const int error = errno;
            if (socket_ >= 0) ::close(socket_);
            throw std::system_error(error, std::generic_category(), "packet socket on lo");
        }
    }
    segment_witness(const segment_witness&) = delete;
    segment_witness& operator=(const segment_witness&) = delete;
    ~segment_witness() { ::close(socket_); }

    /// Everything since the last forget().
    const std::vector<segment>& seen() {
        while (receive_one()) {
        }
        return seen_;
    }

    void forget() {
        seen();
        seen_.clear();
    }

    /// Segments that are missing from the record: the kernel had no room for them, or we had none.
    std::size_t dropped() {
        ::tpacket_stats statistics{};
        socklen_t size = sizeof statistics;
        // Reading the statistics resets them.
        if (::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
            dropped_ += statistics.tp_drops;
        return dropped_;
    }

private:
    static constexpr std::size_t snap_length = 80; // the longest IPv4 header, or the IPv6 header, and the fixed TCP one

    bool attach_filter() {
        constexpr auto type_of_packet = static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PKTTYPE);
        constexpr unsigned fin_or_rst = 0x05;
        // Outgoing copies only, since loopback shows each packet twice; IPv4 or IPv6; TCP; FIN or RST.
        ::sock_filter only_fin_and_rst[] = {
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, type_of_packet),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 14),
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
            BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 5),
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 9),
            BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
            BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, fin_or_rst, 5, 6),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 0, 5),
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
            BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40 + 13),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, fin_or_rst, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, snap_length),
            BPF_STMT(BPF_RET | BPF_K, 0),
        };
        const ::sock_fprog program{static_cast<unsigned short>(std::size(only_fin_and_rst)), only_fin_and_rst};
        return ::setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
    }

    static std::uint32_t number(const std::uint8_t* bytes, int count) {
        std::uint32_t value = 0;
        for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
        return value;
    }

    static std::chrono::system_clock::time_point time_stamp(::msghdr& message) {
        using namespace std::chrono;
        for (::cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
            if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
            ::timespec t{};
            std::memcpy(&t, CMSG_DATA(c), sizeof t);
            return system_clock::time_point(
                duration_cast<system_clock::duration>(seconds(t.tv_sec) + nanoseconds(t.tv_nsec)));
        }
        return system_clock::now();
    }

    bool receive_one() {
        std::uint8_t bytes[snap_length] = {};
        alignas(::cmsghdr) char control[128];
        ::iovec data{bytes, sizeof bytes};
        ::msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        ssize_t size = 0;
        do size = ::recvmsg(socket_, &message, MSG_DONTWAIT);
        while (size < 0 && errno == EINTR);
        if (size < 0) return false;
        const bool v4 = bytes[0] >> 4 == 4;
        const std::size_t ip_header = v4 ? 4u * (bytes[0] & 0x0fu) : 40u;
        const std::size_t ip_size = v4 ? number(bytes + 2, 2) : 40u + number(bytes + 4, 2);
        if (static_cast<std::size_t>(size) < ip_header + 20 || seen_.size() == seen_.capacity()) {
            ++dropped_;
            return true;
        }
        const std::uint8_t* const tcp = bytes + ip_header;
        const std::size_t tcp_header = 4u * (tcp[12] >> 4);
        const auto data_size = static_cast<std::uint32_t>(ip_size - ip_header - tcp_header);
        seen_.push_back({.when = time_stamp(message),
                         .from = static_cast<std::uint16_t>(number(tcp, 2)),
                         .to = static_cast<std::uint16_t>(number(tcp + 2, 2)),
                         .fin = (tcp[13] & 0x01) != 0,
                         .rst = (tcp[13] & 0x04) != 0,
                         .has_ack = (tcp[13] & 0x10) != 0,
                         .end = number(tcp + 4, 4) + data_size,
                         .acknowledged = number(tcp + 8, 4)});
        return true;
    }

    int socket_ = -1;
    std::vector<segment> seen_;
    std::size_t dropped_ = 0;
};

} // namespace tests

#endif
