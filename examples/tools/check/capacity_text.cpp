// SPDX-License-Identifier: BSL-1.0
#include "capacity.hpp"

#include "fill.hpp"

#include <closeside/detail/kernel/printable_text.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>

namespace check {

namespace {

namespace host = closeside::host;

std::string formatted(const char* format, double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

/// Whole, but for small ones, which have two more digits.
std::string number(double value) {
    if (!std::isfinite(value)) return "no limit";
    const bool whole = value >= 100 || std::abs(value - std::round(value)) < 0.005;
    return formatted(whole ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
}

std::string percent(double share) {
    if (share <= 0) return "0 %";
    if (share < 0.0005) return "<0.1 %";
    const double tenths = std::round(share * 1000);
    return formatted(std::fmod(tenths, 10) == 0 ? "%.0f %%" : "%.1f %%", tenths / 10);
}

std::string bytes(double value) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 != units.size(); ++unit) value /= 1024;
    return formatted(value < 10 && unit != 0 ? "%.1f " : "%.0f ", value) + units[unit];
}

struct writer {
    std::string text{};
    std::size_t width;

    void line(const std::string& words, std::string_view first = "", std::size_t indent = 2) {
        fill(text, first, indent, closeside::detail::readable(words), width);
    }
    void gap() { text += "\n"; }

    /// The last cells of a line, each to the right of its column.
    template <std::size_t N>
    void row(std::string first, std::size_t first_width, const std::array<std::string, N>& cells,
             const std::array<std::size_t, N>& widths) {
        first.resize(std::max(first.size(), first_width), ' ');
        for (std::size_t i = 0; i != N; ++i)
            first += std::string(widths[i] - std::min(widths[i], cells[i].size()), ' ') + cells[i];
        text += first.substr(0, first.find_last_not_of(' ') + 1) + "\n";
    }
};

constexpr std::size_t name_width = 11;
constexpr std::array<std::size_t, 7> accepted_widths{10, 12, 10, 9, 9, 9, 9};

std::string right(const std::string& text) {
    return std::string(10 - std::min<std::size_t>(10, text.size()), ' ') + text;
}

void accepted_rows(writer& to, const capacity_answer& a) {
    to.row("", name_width,
           std::array<std::string, 7>{"connects/s", "TIME-WAITs", "memory", "no port", "meet one", "late", "fail"},
           accepted_widths);
    to.row("addresses", name_width, std::array<std::string, 7>{"from each", "here", "", "there", "", "", ""},
           accepted_widths);
    for (const accepted_answer& one : a.accepted) {
        const host::accepted_forecast& f = one.foretold;
        to.row(right(number(static_cast<double>(one.load.addresses))), name_width,
               std::array<std::string, 7>{number(one.load.per_second / static_cast<double>(one.load.addresses)),
                                          number(f.time_waits), bytes(f.time_waits * a.memory.bytes),
                                          percent(f.refused), percent(f.meet), percent(f.challenged - f.timed_out),
                                          percent(f.timed_out)},
               accepted_widths);
        if (!one.seen) continue;
        const simulated& s = *one.seen;
        const double time_waits = s.time_waits / one.how->scale;
        to.row(right("simulated"), name_width,
               std::array<std::string, 7>{"", number(time_waits), bytes(time_waits * a.memory.bytes),
                                          percent(s.refused_share()), percent(s.met_share()),
                                          percent(s.challenged_share() - s.timed_out_share()),
                                          percent(s.timed_out_share())},
               accepted_widths);
    }
}

std::string who_holds(const capacity_answer& a) {
    if (a.share >= 1) return "this host closes first, and each leaves a TIME-WAIT here for 60 s";
    if (a.share <= 0) return "none leaves a TIME-WAIT here";
    return percent(a.share) + " of them leave a TIME-WAIT here for 60 s, where the peer does not close in time";
}

void about_addresses(writer& to, const capacity_answer& a) {
    const host::accepted_load& load = a.accepted.front().load;
    const host::accepted_forecast& first = a.accepted.front().foretold;
    bool refused = false;
    for (const accepted_answer& one : a.accepted) refused = refused || one.foretold.refused >= 0.0005;
    if (std::isfinite(first.address_per_second))
        to.line("An address has ports for " + number(first.address_per_second) +
                " connects a second: " + number(static_cast<double>(load.ports)) + ", each taken for " +
                number(load.open_seconds + load.reuse_seconds) + " s." +
                (refused ? " `no port there`: those beyond, which the NAT drops; Linux's, since 6.8, gives them ports "
                           "that it remembers instead."
                         : ""));
    const auto one = host::rate_at_meet(load, 0.01), tenth = host::rate_at_meet(load, 0.1),
               half = host::rate_at_meet(load, 0.5);
    if (load.reuse_seconds >= static_cast<double>(host::time_wait_seconds)) {
        to.line(
            "None meets a TIME-WAIT here, since each port rests for longer than 60 s. One that rests for less, after "
            "nf_conntrack_tcp_timeout_time_wait has been lowered or in a balancer, changes that: --nat-reuse.");
    } else if (load.choice == host::port_choice::sequential && one) {
        to.line("The ports of one address come round within 60 s from " + number(*one) +
                " connects a second on: below that none meets a TIME-WAIT, above it all that can.");
    } else if (one) {
        to.line("From one address, 1 % of the connects meet a TIME-WAIT at " + number(*one) + " a second" +
                (tenth ? ", 10 % at " + number(*tenth) : "") + (half ? ", 50 % at " + number(*half) : "") + ".");
    }
}

void about_meeting(writer& to, const capacity_answer& a) {
    bool met = false;
    double without = 0;
    for (const accepted_answer& one : a.accepted) {
        met = met || one.foretold.meet > 0;
        without = std::max(without, one.foretold.without_time_wait);
    }
    if (met)
        to.line(
            a.limits.ignores_resets
                ? "`fail`: tcp_rfc1337 is 1, so that of those that meet one the half with the older timestamp cannot "
                  "connect, for as long as they try, and TIME-WAIT begins anew. With 0 they are 10 ms late."
                : "`late`: of those that meet one the half with the older timestamp is answered by an ACK, sends RST, "
                  "and connects 10 ms later, or 1 s with a client as old as Linux 5.4. They fail where a firewall "
                  "drops that RST, or with tcp_rfc1337 = 1.");
    if (without > 0.0005)
        to.line("tcp_max_tw_buckets is " + number(*a.limits.buckets) + ": up to " + percent(without) +
                " of those closes leave no TIME-WAIT, so that a peer which sends its FIN again gets RST, and a late "
                "segment can hit a new connection (CS122).");
}

void about_ports(writer& to, const capacity_answer& a) {
    const opened_answer& o = *a.opened;
    const host::opened_forecast& f = o.foretold;
    const std::string ports = number(static_cast<double>(o.load.ports));
    to.line("Each destination has " + ports +
            " local ports (ip_local_port_range without ip_local_reserved_ports). A "
            "TIME-WAIT binds its port to its destination for " +
            number(o.load.hold_seconds) + " s" +
            (o.load.hold_seconds < static_cast<double>(host::time_wait_seconds)
                 ? ", after which tcp_tw_reuse takes it over."
                 : (a.asked.to_loopback ? ": tcp_tw_reuse is 0, or there are no timestamps."
                                        : ": tcp_tw_reuse = 1 with timestamps would let it be taken after a second.")));
    to.gap();
    constexpr std::array<std::size_t, 4> widths{14, 12, 10, 12};
    to.row("", name_width, std::array<std::string, 4>{"ports held", "TIME-WAITs", "memory", "no port"}, widths);
    to.row("formula", name_width,
           std::array<std::string, 4>{percent(f.ports_held / static_cast<double>(o.load.ports)), number(f.time_waits),
                                      bytes(a.bytes(o)), percent(f.refused)},
           widths);
    if (o.seen)
        to.row("simulated", name_width,
               std::array<std::string, 4>{"", number(o.seen->time_waits / o.how->scale), "",
                                          percent(o.seen->refused_share())},
               widths);
    to.gap();
    to.line("There are ports for " + number(f.per_second) + " connects a second in the long run" +
            (o.load.destinations == 1
                 ? ""
                 : ", " + number(f.per_second / static_cast<double>(o.load.destinations)) + " to each destination") +
            "; beyond, connect(2) fails with EADDRNOTAVAIL.");
    const double each = a.asked.closes_per_second / static_cast<double>(o.load.destinations);
    if (each * static_cast<double>(o.load.destinations) > f.per_second)
        to.line("At this rate the first fails after " + number(static_cast<double>(o.load.ports) / each) +
                " s. What helps: let the peer close first, keep connections open, or more local addresses.");
}

void policies_table(writer& to, const capacity_answer& a) {
    constexpr std::size_t policy_width = 22;
    to.gap();
    if (a.opened) {
        constexpr std::array<std::size_t, 4> widths{12, 12, 10, 14};
        to.row("policy", policy_width, std::array<std::string, 4>{"leave one", "TIME-WAITs", "no port", "connects/s"},
               widths);
        for (const policy_answer& p : a.policies)
            to.row(p.name, policy_width,
                   std::array<std::string, 4>{percent(p.share), number(p.opened.foretold.time_waits),
                                              percent(p.opened.foretold.refused), number(p.opened.foretold.per_second)},
                   widths);
    } else {
        constexpr std::array<std::size_t, 4> widths{12, 12, 10, 10};
        const double addresses = static_cast<double>(a.accepted.back().load.addresses);
        to.row("policy", policy_width, std::array<std::string, 4>{"leave one", "TIME-WAITs", "memory", "meet one"},
               widths);
        for (const policy_answer& p : a.policies)
            to.row(p.name, policy_width,
                   std::array<std::string, 4>{percent(p.share), number(p.accepted.foretold.time_waits),
                                              bytes(p.accepted.foretold.time_waits * a.memory.bytes),
                                              percent(p.accepted.foretold.meet)},
                   widths);
        to.line("(from " + number(addresses) + (addresses == 1 ? " address)" : " addresses)"));
    }
    to.line("peer_first: if " + percent(a.asked.peers_in_time) +
            " of the peers close in time (--peers-in-time). abortive loses what is under way.");
}

} // namespace

void print_capacity_text(std::ostream& out, const capacity_answer& a, const terminal& on) {
    writer to{.width = on.width};
    to.line(number(a.asked.closes_per_second) + " connections a second are " +
            (a.opened ? "opened by this host to " + number(static_cast<double>(a.opened->load.destinations)) +
                            (a.opened->load.destinations == 1 ? " destination" : " destinations")
                      : "accepted") +
            " and closed, as `" + a.asked.assumed + "` does: " + who_holds(a) + ".");
    to.gap();
    if (a.opened) {
        about_ports(to, a);
    } else {
        accepted_rows(to, a);
        to.gap();
        about_addresses(to, a);
        about_meeting(to, a);
    }
    policies_table(to, a);
    to.gap();
    to.line("A TIME-WAIT takes " + number(a.memory.bytes) + " bytes (" +
            (a.memory.measured ? "this host's /proc/slabinfo" : "Linux 6.18; root sees this host's in /proc/slabinfo") +
            ")" + (a.opened ? ", its port 256 more" : "") + ".");
    const auto* const how = a.opened                 ? (a.opened->how ? &*a.opened->how : nullptr)
                            : a.accepted.front().how ? &*a.accepted.front().how
                                                     : nullptr;
    if (how)
        to.line("simulated: connections one by one, at random times, seed " + std::to_string(how->seed) +
                "; what is large at a smaller scale, which --format json tells.");
    out << to.text;
}

} // namespace check
