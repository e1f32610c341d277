// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT
#include "network/packets/script.hpp"

#include "observation/own_network.hpp"
#include "observation/sysctl.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <memory>

#include <unistd.h>

namespace packets {

namespace {

std::unique_ptr<tun> interface;

constexpr int skipped = 77; // CTest's SKIP_RETURN_CODE

int skip(const char* why) {
    std::fprintf(stderr, "SKIPPED: %s\n", why);
    return skipped;
}

/// What would make a segment depend on the time, or on scripts before.
void make_repeatable() {
    // A kernel that does not have one does not do what it switches off.
    observation::write_sysctl("net.ipv4.tcp_early_retrans", "0");
    observation::write_sysctl("net.ipv4.tcp_invalid_ratelimit", "0");
    observation::write_sysctl("net.ipv4.tcp_no_metrics_save", "1");
    observation::write_sysctl("net.ipv4.tcp_autocorking", "0");
}

} // namespace

tun& wire() { return *interface; }

} // namespace packets

int main(int argc, char** argv) {
    doctest::Context context(argc, argv);
    // While there is one thread: a user namespace takes no other.
    if (observation::enter_own_network() == observation::network::shared)
        return packets::skip("no right to a network namespace, neither as root nor through user namespaces");
    try {
        packets::interface = std::make_unique<packets::tun>();
    } catch (const std::exception& e) {
        return packets::skip(e.what());
    }
    packets::make_repeatable();
    ::alarm(100); // what hangs is ended, whatever it is stuck in
    return context.run();
}
