// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_CLOSING_LOAD_HPP
#define CLOSESIDE_HOST_CLOSING_LOAD_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/snapshot.hpp>

#include <cstdint>
#include <optional>

// What connections that begin and end at a steady rate, at random times, come to in the long run. Formulas, without a kernel;
// closeside-check capacity prints them, and its simulation and the labs `pool` and `port` are what they are held against.
namespace closeside::host {

/// What the kernel takes for one TIME-WAIT: an object of the slab tw_sock_TCP, 16 a page (measured on Linux 6.18, x86-64).
inline constexpr double time_wait_bytes = 256;

/// What it takes besides for a local port that it chose: tcp_bind_bucket and tcp_bind2_bucket, 128 bytes each (the same).
/** Connections that were accepted share those of their listener. */
inline constexpr double bound_port_bytes = 256;

/// Of the connects that meet another host's TIME-WAIT, those whose timestamp, or without timestamps whose sequence number,
/// is the older one: both begin at random, so it is one of two. (Linux net/core/secure_seq.c.)
inline constexpr double older_share = 0.5;

/// For how long a client goes on with its SYNs: with tcp_syn_retries = 6, the default, until 67 s; 63 s before
/// tcp_syn_linear_timeouts. (Linux Documentation/networking/ip-sysctl.rst.)
inline constexpr double client_persists_seconds = 67;

/// How much TIME-WAIT this host has room for, and what ends one early.
struct time_wait_limits {
    std::optional<double> buckets{}; ///< tcp_max_tw_buckets; nothing: no limit
    bool ignores_resets = false;     ///< tcp_rfc1337: a client's RST does not end it

    friend bool operator==(const time_wait_limits&, const time_wait_limits&) = default;
};

/// The limits that a host's values set; nothing if a value that decides it could not be read.
[[gnu::cold]] CLOSESIDE_DECL std::optional<time_wait_limits> time_wait_limits_of(const snapshot& s);

/// The share of connections that leave TIME-WAIT on this host: that of the first FIN, and none after RST.
/** `peers_in_time`: of the peers, those that close within patience; 0 to 1. */
constexpr double time_wait_share(const close_policy& p, double peers_in_time) noexcept {
    if (!can_hold_time_wait(p)) return 0;
    return p.closes_first == side::local ? 1 : 1 - peers_in_time;
}

/// How the port of a new connection is chosen from those that are free.
enum class port_choice : std::uint8_t {
    random,    ///< each is as likely: Linux's NAT, and RFC 6056
    sequential ///< that which has been free for longest: one after the other
};

/// The name of a value, as it is printed.
constexpr const char* to_string(port_choice c) noexcept { return c == port_choice::random ? "random" : "sequential"; }

/// Connections to one address and port of this host.
struct accepted_load {
    double per_second = 0;      ///< of all addresses together
    double time_wait_share = 1; ///< of those that were made: see the function
    double open_seconds = 0;    ///< from the SYN to the close
    std::int64_t addresses = 1; ///< that they come from, evenly: clients', a NAT's, a balancer's
    std::int64_t ports = 28232; ///< that each of these addresses has; Linux's ip_local_port_range
    double reuse_seconds =
        120; ///< until the port of a closed connection is given out anew; a NAT on Linux: its time-out
    port_choice choice = port_choice::random; ///< by which their ports are chosen
};

/// What comes of it. Shares are from 0 to 1.
struct accepted_forecast {
    double refused = 0;            ///< of the connects, those for which the NAT has no port
    double meet = 0;               ///< of the others, those whose address and port is in TIME-WAIT here
    double challenged = 0;         ///< … and that are answered by an ACK first
    double timed_out = 0;          ///< … and that never get through, since tcp_rfc1337 is set
    double time_waits = 0;         ///< how many there are, on average
    double without_time_wait = 0;  ///< of the closes that would leave one, those beyond tcp_max_tw_buckets
    double ports_held = 0;         ///< of each address, by connections and by what the NAT remembers
    double address_per_second = 0; ///< the connects that one address has ports for
};

/// What connections to this host come to.
[[gnu::cold]] CLOSESIDE_DECL accepted_forecast forecast(const accepted_load& load, const time_wait_limits& limits);

/// The connects a second from one address of which this share meets a TIME-WAIT; `per_second` and `addresses` do not matter.
/** Nothing: there is no such rate, since the ports come back too late for any, or each is taken by then. */
[[gnu::cold]] CLOSESIDE_DECL std::optional<double> rate_at_meet(const accepted_load& load, double share) noexcept;

/// Connections that this host opens, to destinations of one address and port each, evenly.
struct opened_load {
    double per_second = 0;                   ///< to all destinations together
    double time_wait_share = 1;              ///< of those that were made: see the function
    double open_seconds = 0;                 ///< from the SYN to the close
    std::int64_t destinations = 1;           ///< each of one address and port
    std::int64_t ports = 28232;              ///< that connect(2) may choose: capacity::local_ports
    double hold_seconds = time_wait_seconds; ///< for which a TIME-WAIT binds its port: port_hold_seconds_of()
};

/// For how long a TIME-WAIT binds its port to its destination: 60 s, or tcp_tw_reuse_delay where tcp_tw_reuse applies.
/** Nothing if tcp_tw_reuse or tcp_timestamps could not be read. */
[[gnu::cold]] CLOSESIDE_DECL std::optional<double> port_hold_seconds_of(const snapshot& s, bool to_loopback) noexcept;

/// What comes of it. The share is from 0 to 1.
struct opened_forecast {
    double refused = 0;    ///< of the connects, those that find no port: EADDRNOTAVAIL
    double ports_held = 0; ///< for each destination
    double per_second = 0; ///< the connects a second, in the long run, that there are ports for; infinite: any number
    double time_waits = 0; ///< how many there are here, on average
};

/// What connections from this host come to.
[[gnu::cold]] CLOSESIDE_DECL opened_forecast forecast(const opened_load& load, const time_wait_limits& limits);

namespace detail {

/// Erlang's loss formula: the share of arrivals that find all of `places` taken, if each takes one for a time and
/// `offered` are wanted on average. It holds for any distribution of that time.
[[gnu::cold]] CLOSESIDE_DECL double erlang_loss(double offered, std::int64_t places) noexcept;

} // namespace detail

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/closing_load.ipp>
#endif

#endif
