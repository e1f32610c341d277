// SPDX-License-Identifier: BSL-1.0
#include "segment_capture.hpp"

#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

namespace observation {

namespace {

constexpr unsigned snap_length = 120; // the longest IPv4 header and the longest TCP header; more than IPv6 needs

unsigned flags_of(recorded what) {
    switch (what) {
    case recorded::fin_and_rst: return 0x05;
    case recorded::beginnings_and_ends: return 0x07;
    case recorded::every_segment: break;
    }
    return 0xff;
}

bool attach_filter(int socket, bool outgoing_only, unsigned flags) {
    const std::uint8_t incoming = outgoing_only ? 16 : 0;
    constexpr unsigned ipv6_header = 40, flags_of_tcp = 13;
    // IPv4, first fragment, or IPv6; TCP; one of the flags.
    sock_filter wanted[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, incoming),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 7),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 11),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 9, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, flags_of_tcp),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 5, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ipv6_header + flags_of_tcp),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, snap_length),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const sock_fprog program{.len = static_cast<unsigned short>(std::size(wanted)), .filter = wanted};
    return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

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

} // namespace

segment_capture::segment_capture(const std::string& interface, recorded what, std::size_t room) : room_(room) {
    seen_.reserve(room);
    const bool all = interface == any_interface;
    const unsigned index = ::if_nametoindex(all ? "lo" : interface.c_str());
    if (index == 0) throw std::system_error(errno, std::generic_category(), "interface " + interface);
    if (all) loopback_ = static_cast<int>(index);
    // Protocol 0: nothing is delivered before the filter is attached and the socket is bound to the interface.
    socket_ = descriptor(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) throw std::system_error(errno, std::generic_category(), "AF_PACKET socket");
    const int on = 1;
    const int receive_buffer = 8 << 20;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL); // outgoing packets are shown to ETH_P_ALL sockets alone
    address.sll_ifindex = all ? 0 : static_cast<int>(index);
    const int fd = socket_.get();
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) < 0)
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        !attach_filter(fd, interface == "lo", flags_of(what)) ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        throw std::system_error(errno, std::generic_category(), "AF_PACKET socket on " + interface);
}

void segment_capture::record() {
    const std::lock_guard lock(mutex_);
    collect();
}

std::vector<segment> segment_capture::all() {
    const std::lock_guard lock(mutex_);
    collect();
    return seen_;
}

std::vector<segment> segment_capture::between(std::uint16_t a, std::uint16_t b) {
    const std::lock_guard lock(mutex_);
    collect();
    std::vector<segment> found;
    for (const segment& s : seen_)
        if ((s.from.port == a && s.to.port == b) || (s.from.port == b && s.to.port == a)) found.push_back(s);
    return found;
}

const std::vector<segment>& segment_capture::seen() {
    record();
    return seen_;
}

void segment_capture::forget() {
    const std::lock_guard lock(mutex_);
    collect();
    seen_.clear();
}

std::size_t segment_capture::dropped() {
    const std::lock_guard lock(mutex_);
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    // Reading the statistics resets them.
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
        dropped_ += statistics.tp_drops;
    return dropped_;
}

void segment_capture::collect() {
    for (;;) {
        std::uint8_t bytes[snap_length];
        alignas(cmsghdr) char control[128];
        sockaddr_ll source{};
        iovec data{.iov_base = bytes, .iov_len = sizeof bytes};
        msghdr message{};
        message.msg_name = &source;
        message.msg_namelen = sizeof source;
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return;
        if (source.sll_ifindex == loopback_ && source.sll_pkttype != PACKET_OUTGOING) continue;
        std::optional<segment> seen = parse_segment(bytes, static_cast<std::size_t>(size));
        if (!seen || (room_ != 0 && seen_.size() == room_)) {
            ++dropped_;
            continue;
        }
        seen->when = time_stamp(message);
        seen->outgoing = source.sll_pkttype == PACKET_OUTGOING;
        seen_.push_back(*seen);
    }
}

} // namespace observation
