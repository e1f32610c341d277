// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_HOST_JUDGE_HOST_HPP
#define CLOSESIDE_TESTS_HOST_JUDGE_HOST_HPP

#include <closeside/host/audit.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/policy.hpp>

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Short ways to ask what the rules say of a host.
namespace tests {

namespace host = closeside::host;
namespace policies = closeside::policies;
using closeside::close_policy;
using host::counter;
using host::exposure;
using host::key;
using host::key_status;
using host::severity;

using settings = std::vector<std::pair<key, const char*>>;
using policy_list = std::vector<close_policy>;

inline const policy_list local{policies::graceful};
/// TIME-WAIT here is the exception, or never.
inline const policy_list peer{policies::peer_first};
inline const policy_list peer_or_reset{policies::peer_first_or_reset};
inline const policy_list abortive{policies::abortive};
inline const policy_list mixed{policies::peer_first, policies::graceful};

inline constexpr std::array every_exposure{exposure::nat, exposure::balancer, exposure::direct, exposure::loopback};

/// Linux 6.18 at its defaults, on a machine of 24 GiB, with these values in place of its own.
inline host::snapshot host_with(const settings& values) {
    host::snapshot s;
    s.kernel = "6.18.0";
    s.space = host::network_namespace::initial;
    const auto set = [&](key k, const char* text) {
        s[k] = host::detail::interpret(host::detail::facts(k).shape, text);
    };
    set(key::tcp_tw_reuse, "2");
    set(key::tcp_tw_reuse_delay, "1000");
    set(key::tcp_timestamps, "1");
    set(key::tcp_fin_timeout, "60");
    set(key::tcp_max_tw_buckets, "131072");
    set(key::tcp_rfc1337, "0");
    set(key::tcp_syncookies, "1");
    set(key::tcp_max_orphans, "131072");
    set(key::tcp_orphan_retries, "0");
    set(key::tcp_mem, "287901\t383869\t575802");
    set(key::tcp_abort_on_overflow, "0");
    set(key::tcp_max_syn_backlog, "2048");
    set(key::tcp_migrate_req, "0");
    set(key::somaxconn, "4096");
    set(key::tcp_syn_retries, "6");
    set(key::tcp_synack_retries, "5");
    set(key::tcp_retries2, "15");
    set(key::tcp_rto_max_ms, "120000");
    set(key::tcp_invalid_ratelimit, "500");
    set(key::tcp_keepalive_time, "7200");
    set(key::tcp_keepalive_intvl, "75");
    set(key::tcp_keepalive_probes, "9");
    set(key::ip_local_port_range, "32768\t60999");
    set(key::ip_local_reserved_ports, "");
    set(key::ip_autobind_reuse, "0");
    set(key::tcp_ehash_entries, "262144");
    set(key::tcp_child_ehash_entries, "0");
    for (const auto& [k, text] : values) set(k, text);
    return s;
}

inline std::uint64_t& set_count(host::snapshot& s, counter c, std::uint64_t events) {
    return s.counters[static_cast<std::size_t>(c)].emplace(events);
}

inline std::optional<host::finding> find(std::span<const host::finding> findings, std::string_view code) {
    const auto found = std::ranges::find(findings, code, &host::finding::code);
    return found == findings.end() ? std::nullopt : std::optional(*found);
}

/// Its texts are printable sentences without a line end, and what was observed belongs to its keys.
inline bool is_complete(const host::finding& f) {
    bool complete = f.keys.size() == f.observed.size();
    for (const std::string& text : {f.message, f.consequence, f.fix, f.source})
        complete = complete && text.size() > 3 && text.back() != '.' && text.find('\n') == text.npos &&
                   text.find("  ") == text.npos;
    for (std::size_t i = 0; complete && i != f.keys.size(); ++i)
        complete = f.observed[i].key == f.keys[i] &&
                   (f.observed[i].where.find("/proc/sys/net/") != std::string::npos ||
                    (f.when == host::moment::next_boot && f.observed[i].where.find(':') != std::string::npos)) &&
                   // The one list that can be empty.
                   (!f.observed[i].value.empty() || f.keys[i] == to_string(key::ip_local_reserved_ports));
    return complete;
}

/// What one rule says; whatever any rule says on the way must be complete.
inline std::optional<host::finding> judge(std::string_view code, const host::snapshot& seen, host::program program) {
    const auto findings = host::audit(seen, std::move(program));
    for (const host::finding& f : findings) {
        CAPTURE(f.code);
        CAPTURE(f.message);
        CAPTURE(f.fix);
        CHECK(is_complete(f));
    }
    return find(findings, code);
}

inline std::optional<host::finding> judge(std::string_view code, const settings& values, exposure peers = exposure::nat,
                                          const policy_list& program = local) {
    return judge(code, host_with(values), host::program{.peers = peers, .policies = program});
}

/// "critical", …, or "nothing".
inline std::string level(const std::optional<host::finding>& f) { return f ? to_string(f->severity) : "nothing"; }

inline std::string level(std::string_view code, const host::snapshot& seen, host::program program) {
    return level(judge(code, seen, std::move(program)));
}

inline std::string level(std::string_view code, const settings& values, exposure peers = exposure::nat,
                         const policy_list& program = local) {
    return level(judge(code, values, peers, program));
}

} // namespace tests

#endif
