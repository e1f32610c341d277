// SPDX-License-Identifier: BSL-1.0
#include "support/packets/tun.hpp"

#include "observation/wait.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace packets {

namespace {

int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

observation::descriptor any_socket(int family) {
    return observation::descriptor(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void set_address(::ifreq interface, const observation::descriptor& socket) {
    const address local = at(tun::local_v4, 0), mask = at("255.255.255.0", 0);
    std::memcpy(&interface.ifr_addr, local.get(), sizeof interface.ifr_addr);
    checked(::ioctl(socket.get(), SIOCSIFADDR, &interface), "SIOCSIFADDR");
    std::memcpy(&interface.ifr_netmask, mask.get(), sizeof interface.ifr_netmask);
    checked(::ioctl(socket.get(), SIOCSIFNETMASK, &interface), "SIOCSIFNETMASK");
}

void bring_up(::ifreq interface, const observation::descriptor& socket) {
    checked(::ioctl(socket.get(), SIOCGIFFLAGS, &interface), "SIOCGIFFLAGS");
    interface.ifr_flags = static_cast<short>(interface.ifr_flags | IFF_UP);
    checked(::ioctl(socket.get(), SIOCSIFFLAGS, &interface), "SIOCSIFFLAGS");
}

/// False where the kernel has no IPv6, or it is switched off.
bool set_v6_address(::ifreq interface, const observation::descriptor& v4) {
    const observation::descriptor v6 = any_socket(AF_INET6);
    if (!v6) return false;
    checked(::ioctl(v4.get(), SIOCGIFINDEX, &interface), "SIOCGIFINDEX");
    const address local = at(tun::local_v6, 0);
    ::in6_ifreq request{};
    request.ifr6_addr = reinterpret_cast<const ::sockaddr_in6*>(local.get())->sin6_addr;
    request.ifr6_prefixlen = 64;
    request.ifr6_ifindex = interface.ifr_ifindex;
    if (::ioctl(v6.get(), SIOCSIFADDR, &request) != 0) return false;
    // The address is tentative until a worker of the kernel has seen that the interface needs no detection of duplicates.
    return observation::eventually([&] { return ::bind(v6.get(), local.get(), sizeof(::sockaddr_in6)) == 0; },
                                   std::chrono::seconds(10), std::chrono::milliseconds(1));
}

} // namespace

tun::tun() : device_(checked(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun")) {
    ::ifreq interface {};
    std::strcpy(interface.ifr_name, "script0");
    interface.ifr_flags = IFF_TUN | IFF_NO_PI;
    checked(::ioctl(device_.get(), TUNSETIFF, &interface), "TUNSETIFF");
    const observation::descriptor socket = any_socket(AF_INET);
    checked(socket.get(), "socket");
    set_address(interface, socket);
    bring_up(interface, socket);
    has_v6_ = set_v6_address(interface, socket);
}

void tun::write(const bytes& packet) {
    const ssize_t n = ::write(device_.get(), packet.data(), packet.size());
    if (n != static_cast<ssize_t>(packet.size()))
        throw std::system_error(errno, std::generic_category(), "write to tun");
}

std::optional<bytes> tun::read(std::chrono::milliseconds limit) {
    bytes packet(65536);
    ::pollfd readable{device_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return std::nullopt;
    const ssize_t n = ::read(device_.get(), packet.data(), packet.size());
    if (n <= 0) return std::nullopt;
    packet.resize(static_cast<std::size_t>(n));
    return packet;
}

} // namespace packets
