// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/read_texts.hpp>
#include <closeside/host/key.hpp>

#include "host/judge_host.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a fix has set can be set on the kernel that it is for: the key is there, can be written to, and takes the value.

using namespace tests;
namespace sysctl_d = host::detail::sysctl_d;

namespace {

/// Of a kernel at its defaults but for these lines.
host::snapshot host_of(const std::string& lines, std::string_view release) {
    const std::vector<sysctl_d::settings_text> texts{{"a.conf", lines, false}};
    return sysctl_d::after_texts(sysctl_d::read_texts(texts, release), release);
}

/// The assignments in the commands of a text: `sysctl -w key=value`, with or without quotes.
std::vector<host::finding::setting> commands_in(std::string_view text) {
    constexpr std::string_view command = "sysctl -w ";
    std::vector<host::finding::setting> all;
    for (std::size_t at = text.find(command); at != text.npos; at = text.find(command, at + 1)) {
        std::string_view words = text.substr(at + command.size());
        words = words.substr(0, words.find('`'));
        const std::size_t equals = words.find('=');
        if (equals == words.npos) continue;
        std::string_view value = words.substr(equals + 1);
        if (value.starts_with('"')) value = value.substr(1, value.find('"', 1) - 1);
        all.push_back({std::string(words.substr(0, equals)), std::string(value)});
    }
    return all;
}

/// Why the kernel does not take that; empty if it does.
std::string refusal(const host::finding::setting& s, std::string_view release) {
    const auto kernel = host::detail::parse_kernel_version(release);
    const auto id = host::find_key(s.key);
    const auto* const history = id ? host::detail::history_of(*id) : nullptr;
    if (!kernel || !history) return "unknown key";
    if (!host::detail::has_key(*history, *kernel)) return "no such key";
    if (*id == key::conntrack_count || *id == key::tcp_ehash_entries) return "read-only";
    if (*id == key::conntrack_buckets && *kernel < host::detail::kernel_version{4, 7}) return "read-only";
    const auto written = sysctl_d::write_value(sysctl_d::with_slashes(s.key), s.value, {{}, 1024, kernel});
    return written.accepted ? std::string() : written.reason;
}

void check_fixes(const std::string& lines, std::string_view release, const host::program& program) {
    for (const host::finding& f : host::audit(host_of(lines, release), program)) {
        auto wanted = commands_in(f.fix);
        wanted.insert(wanted.end(), f.settings.begin(), f.settings.end());
        for (const host::finding::setting& s : wanted)
            CHECK_MESSAGE(refusal(s, release).empty(), std::string(release), ": ", lines, f.code, " ", s.key, " = ",
                          s.value, ": ", refusal(s, release));
    }
}

} // namespace

TEST_CASE("every fix, in words or as a setting, can be done on the kernel that it is for") {
    host::program busy{.accepts_per_second = 1e5, .connects_per_second = 2000, .backlog = 100000};
    busy.listening_ports = {40000};
    const std::vector<host::program> programs{{}, {.peers = exposure::loopback, .connects_per_second = 2000}, busy};
    for (const char* const release : {"3.10.0-1160.el7.x86_64", "3.16.0-4-amd64", "4.4.0-210-generic",
                                      "4.14.336-257.amzn2.x86_64", "6.1.0-18-amd64"})
        for (const host::detail::key_history& h : host::detail::key_histories)
            for (const char* const value : {"-1", "0", "1", "5", "1000000", "1\t2\t3"}) {
                const std::string line = std::string(to_string(h.id)) + " = " + value + "\n";
                for (const host::program& program : programs) {
                    check_fixes(line, release, program);
                    if (value[0] == '1') check_fixes(line + "net.ipv4.tcp_timestamps = 0\n", release, program);
                }
            }
}

TEST_CASE("a fix that cannot be done would be noticed") {
    const char* const old = "4.4.0-210-generic";
    CHECK(refusal({"net.netfilter.nf_conntrack_buckets", "9"}, old) == "read-only");
    CHECK(refusal({"net.ipv4.tcp_tw_reuse_delay", "1000"}, old) == "no such key");
    CHECK_FALSE(refusal({"net.core.somaxconn", "65536"}, "3.16.0-4-amd64").empty());
    CHECK(refusal({"net.ipv4.tcp_tw_reuse", "2"}, old).empty());
    const auto commands = commands_in("run `sysctl -w a.b=1` as root; or `sysctl -w c.d=\"2 3\"`");
    CHECK(commands == std::vector<host::finding::setting>{{"a.b", "1"}, {"c.d", "2 3"}});
}
