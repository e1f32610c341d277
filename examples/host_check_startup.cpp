// SPDX-License-Identifier: BSL-1.0
// How a server looks at its host before it serves: `host_check_startup [port]`. It says what it does and how its clients
// reach it, logs what they will suffer from, and does not start where they would be locked out.
#include <closeside/host.hpp>
#include <closeside/policy.hpp>

#include "number.hpp"

#include <cstdint>
#include <exception>
#include <iostream>
#include <system_error>

#include <sysexits.h>

namespace cs = closeside;

// What the server closes its connections with: those of its clients, and those to the servers behind it.
inline constexpr cs::close_policy front_end = cs::policies::graceful;
inline constexpr cs::close_policy upstream = cs::policies::peer_first;

int main(int argc, char** argv) {
    try {
        const std::uint16_t port = argc > 1 ? number<std::uint16_t>(argv[1], 1) : 7007;
        const cs::host::startup_options stated{
            .exposure = cs::host::exposure::nat, // many clients may share one address
            .program = {.accepts_per_second = 500, .backlog = 4096, .listening_ports = {port}},
        };
        // In the journal of systemd each line has its level; elsewhere they are plain lines on standard error.
        const std::error_code unsafe = cs::check_at_startup<front_end, upstream>(cs::host::stderr_sink(), stated);
        if (unsafe) {
            std::cerr << "host_check_startup: not starting: " << unsafe.message() << '\n';
            return EX_CONFIG; // systemd: RestartPreventExitStatus=CONFIG. Starting again changes nothing.
        }
        std::cout << "this host will do; a server would now listen on port " << port << '\n';
    } catch (const std::exception& e) {
        std::cerr << "host_check_startup: " << e.what() << '\n';
        return EX_USAGE;
    }
}
