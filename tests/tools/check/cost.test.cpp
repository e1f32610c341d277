// SPDX-License-Identifier: BSL-1.0
// What a hostile file costs: work in proportion to its size, counted in instructions, which no other load changes.
#include "observation/program.hpp"
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>

#include <unistd.h>

using tests::fake_root;

namespace {

constexpr const char* valgrind = "/usr/bin/valgrind";

/// Of `closeside-check config` on a host whose one file has these lines; callgrind says `Collected : 123`.
double instructions(std::size_t lines, const std::function<std::string(std::size_t)>& line) {
    fake_root root;
    std::string file;
    for (std::size_t i = 0; i != lines; ++i) file += line(i) + "\n";
    root.defaults().add("run/systemd/system/.keep", "").add("etc/sysctl.d/10.conf", file);
    const auto r = observation::run_program({valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                             CLOSESIDE_CHECK, "config", "--root", root.path(), "--output", "/dev/null"},
                                            {.limit = std::chrono::seconds(60)});
    const std::size_t at = r.err.find("Collected : ");
    REQUIRE_MESSAGE(at != r.err.npos, r.err);
    return std::strtod(r.err.c_str() + at + std::string("Collected : ").size(), nullptr);
}

} // namespace

TEST_CASE("ten times the lines of a hostile file take at most twelve times the instructions") {
    if (::access(valgrind, X_OK) != 0) {
        MESSAGE("SKIPPED: valgrind is not installed (Debian: valgrind)");
        return;
    }
    const struct {
        std::string what;
        std::function<std::string(std::size_t)> line;
    } kinds[] = {
        {"misspelt keys", [](std::size_t i) { return "net.ipv4.tcp_fin_timeou" + std::to_string(i) + " = 1"; }},
        {"lines without =", [](std::size_t i) { return "net.ipv4.tcp_fin_timeout " + std::to_string(i); }},
        {"one key again and again", [](std::size_t i) { return "net.ipv4.tcp_fin_timeout = " + std::to_string(i); }},
        {"refused values", [](std::size_t i) { return "net.ipv4.tcp_fin_timeout = x" + std::to_string(i); }},
        {"patterns", [](std::size_t i) { return "net.ipv4.*" + std::to_string(i) + "* = 1"; }},
        {"keys taken away", [](std::size_t i) { return "-net.ipv4.tcp_" + std::to_string(i); }},
        {"interfaces", [](std::size_t i) { return "net.ipv4.conf.eth" + std::to_string(i) + ".rp_filter = 1"; }},
    };
    for (const auto& kind : kinds) {
        CAPTURE(kind.what);
        const double few = instructions(200, kind.line), many = instructions(2000, kind.line);
        CHECK(many / few <= 12);
    }
}
