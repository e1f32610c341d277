// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/listen/endpoint_text.hpp>

#include "support/in_child.hpp"

#include <asio/ip/address.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

using closeside::detail::endpoint_text;

namespace {

/// Of an interface that is down.
bool rename_interface(const char* from, const char* to) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::ifreq request{};
    std::strcpy(request.ifr_name, from);
    std::strcpy(request.ifr_newname, to);
    const bool renamed = ::ioctl(fd, SIOCSIFNAME, &request) == 0;
    ::close(fd);
    return renamed;
}

} // namespace

TEST_CASE("Endpoints are written as they are typed") {
    CHECK(endpoint_text({asio::ip::make_address("192.0.2.7"), 80}) == "192.0.2.7:80");
    CHECK(endpoint_text({asio::ip::make_address("2001:db8::7"), 443}) == "[2001:db8::7]:443");
}

TEST_CASE("network: the name of an interface in an endpoint does not reach the terminal as it is") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!rename_interface("lo", "\x1b[31mlo")) return "not renamed";
        auto address = asio::ip::make_address_v6("fe80::1");
        address.scope_id(::if_nametoindex("\x1b[31mlo"));
        return endpoint_text({address, 80});
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(*text == R"([fe80::1%\x1b[31mlo]:80)");
}
