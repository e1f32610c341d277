// SPDX-License-Identifier: BSL-1.0
#include "support/in_child.hpp"
#include "support/own_network.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include <sysexits.h>

namespace {

/// What the program prints in a network of its own, in which a key has that value, after its exit status.
std::string with(const std::string& key, const std::string& value) {
    const auto text = tests::in_own_network([&]() -> std::string {
        std::ofstream(std::string("/proc/sys/net/ipv4/") + key) << value << std::flush;
        const auto ran = tests::run_program({CLOSESIDE_HOST_CHECK_STARTUP});
        return std::to_string(ran.status) + "\n" + ran.out + ran.err;
    });
    return text.value_or("SKIPPED: no right to make a network namespace");
}

} // namespace

TEST_CASE("network: host_check_startup starts on a host that will do, and not on one that locks clients out") {
    const std::string good = with("tcp_rfc1337", "0"), bad = with("tcp_rfc1337", "1");
    if (bad.starts_with("SKIPPED")) {
        MESSAGE(bad);
        return;
    }
    CHECK(good.starts_with("0\n"));
    CHECK(good.find("this host will do; a server would now listen on port 7007\n") != std::string::npos);
    CHECK(bad.starts_with(std::to_string(EX_CONFIG) + "\n"));
    CHECK(bad.find("CS101 critical: ") != std::string::npos);
    CHECK(bad.find("host_check_startup: not starting: ") != std::string::npos);
}

TEST_CASE("host_check_startup names a port that there is not") {
    for (const char* const port : {"0", "65536", "http"}) {
        const auto ran = tests::run_program({CLOSESIDE_HOST_CHECK_STARTUP, port});
        CHECK(ran.status == EX_USAGE);
        CHECK(ran.err.starts_with("host_check_startup: "));
    }
    CHECK(tests::run_program({CLOSESIDE_HOST_CHECK_STARTUP, "65536"}).err ==
          "host_check_startup: '65536' is not a number from 1 to 65535\n");
}
