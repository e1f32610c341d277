// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_COUNTER_HPP
#define CLOSESIDE_HOST_COUNTER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace closeside::host {

/// The kernel's event counters that tell whether a risk has become a fact; all are of one network namespace.
enum class counter : std::uint8_t {
    paws_passive,
    paws_active,
    paws_estab,
    paws_timewait,
    paws_old_ack,
    tsecr_rejected,
    tw,
    tw_recycled,
    tw_killed,
    tw_overflow,
    ack_skipped_time_wait,
    ack_skipped_fin_wait2,
    listen_overflows,
    listen_drops,
    req_q_full_do_cookies,
    req_q_full_drop,
    syncookies_sent,
    syncookies_failed,
    embryonic_rsts,
    abort_on_close,
    abort_on_data,
    abort_on_linger,
    abort_on_memory,
    abort_on_timeout,
    abort_failed,
    active_opens,
    passive_opens,
    attempt_fails,
    estab_resets,
    out_rsts
};

namespace detail {

struct counter_facts {
    counter id;
    /// The group: the word that the two lines begin with in /proc/net/netstat ("TcpExt") or /proc/net/snmp ("Tcp").
    std::string_view group;
    /// As in the first of these lines, and as nstat(8) prints it after the group.
    std::string_view name;
};

/// Every counter, in the order of the enumeration. Names: net/ipv4/proc.c.
inline constexpr std::array counter_table{
    counter_facts{counter::paws_passive, "TcpExt", "PAWSPassive"}, // until 4.11: tcp_tw_recycle dropped a SYN
    counter_facts{counter::paws_active, "TcpExt", "PAWSActive"},
    counter_facts{counter::paws_estab, "TcpExt", "PAWSEstab"},       // until 6.15 also what is now PAWSTimewait
    counter_facts{counter::paws_timewait, "TcpExt", "PAWSTimewait"}, // since 6.16: a SYN that TIME-WAIT refused
    counter_facts{counter::paws_old_ack, "TcpExt", "PAWSOldAck"},
    counter_facts{counter::tsecr_rejected, "TcpExt", "TSEcrRejected"},
    counter_facts{counter::tw, "TcpExt", "TW"},
    counter_facts{counter::tw_recycled, "TcpExt", "TWRecycled"}, // an outgoing connection took a TIME-WAIT over
    counter_facts{counter::tw_killed, "TcpExt", "TWKilled"},     // mini-sockets made for 4 s or less
    counter_facts{counter::tw_overflow, "TcpExt", "TCPTimeWaitOverflow"},
    counter_facts{counter::ack_skipped_time_wait, "TcpExt", "TCPACKSkippedTimeWait"},
    counter_facts{counter::ack_skipped_fin_wait2, "TcpExt", "TCPACKSkippedFinWait2"},
    counter_facts{counter::listen_overflows, "TcpExt", "ListenOverflows"},
    counter_facts{counter::listen_drops, "TcpExt", "ListenDrops"},
    counter_facts{counter::req_q_full_do_cookies, "TcpExt", "TCPReqQFullDoCookies"},
    counter_facts{counter::req_q_full_drop, "TcpExt", "TCPReqQFullDrop"},
    counter_facts{counter::syncookies_sent, "TcpExt", "SyncookiesSent"},
    counter_facts{counter::syncookies_failed, "TcpExt", "SyncookiesFailed"},
    counter_facts{counter::embryonic_rsts, "TcpExt", "EmbryonicRsts"},
    counter_facts{counter::abort_on_close, "TcpExt", "TCPAbortOnClose"},
    counter_facts{counter::abort_on_data, "TcpExt", "TCPAbortOnData"},
    counter_facts{counter::abort_on_linger, "TcpExt", "TCPAbortOnLinger"},
    counter_facts{counter::abort_on_memory, "TcpExt", "TCPAbortOnMemory"},
    counter_facts{counter::abort_on_timeout, "TcpExt", "TCPAbortOnTimeout"},
    counter_facts{counter::abort_failed, "TcpExt", "TCPAbortFailed"},
    counter_facts{counter::active_opens, "Tcp", "ActiveOpens"},
    counter_facts{counter::passive_opens, "Tcp", "PassiveOpens"},
    counter_facts{counter::attempt_fails, "Tcp", "AttemptFails"},
    counter_facts{counter::estab_resets, "Tcp", "EstabResets"},
    counter_facts{counter::out_rsts, "Tcp", "OutRsts"},
};

constexpr const counter_facts& facts(counter c) noexcept { return counter_table[static_cast<std::size_t>(c)]; }

/// By length first: that decides most comparisons without a look at the letters.
constexpr bool comes_before(std::string_view a, std::string_view b) noexcept {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

inline constexpr auto counters_by_name = [] {
    auto sorted = counter_table;
    for (std::size_t i = 1; i != sorted.size(); ++i)
        for (std::size_t j = i; j != 0 && comes_before(sorted[j].name, sorted[j - 1].name); --j)
            std::swap(sorted[j], sorted[j - 1]);
    return sorted;
}();

/// The counter of that group and name; nothing if it is not among them.
constexpr std::optional<counter> find_counter(std::string_view group, std::string_view name) noexcept {
    const auto found = std::lower_bound(
        counters_by_name.begin(), counters_by_name.end(), name,
        [](const counter_facts& facts, std::string_view wanted) { return comes_before(facts.name, wanted); });
    const bool is_it = found != counters_by_name.end() && found->name == name && found->group == group;
    return is_it ? std::optional(found->id) : std::nullopt;
}

constexpr bool counters_stand_in_order() noexcept {
    for (std::size_t i = 0; i != counter_table.size(); ++i)
        if (static_cast<std::size_t>(counter_table[i].id) != i) return false;
    return true;
}
static_assert(counters_stand_in_order(), "counter_table must list every counter in the order of the enumeration");

constexpr bool names_differ() noexcept {
    for (std::size_t i = 1; i != counters_by_name.size(); ++i)
        if (counters_by_name[i - 1].name == counters_by_name[i].name) return false;
    return true;
}
static_assert(names_differ(), "find_counter knows a counter by its name, whatever the group");

} // namespace detail

/// Every counter that the host check reads.
inline constexpr auto all_counters = [] {
    std::array<counter, detail::counter_table.size()> counters{};
    for (std::size_t i = 0; i != counters.size(); ++i) counters[i] = detail::counter_table[i].id;
    return counters;
}();

/// The name as in /proc/net/netstat or snmp.
constexpr std::string_view to_string(counter c) noexcept { return detail::facts(c).name; }

} // namespace closeside::host

#endif
