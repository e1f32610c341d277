// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_FINDING_HPP
#define CLOSESIDE_HOST_FINDING_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host {

/// How bad a finding is; ordered.
enum class severity : std::uint8_t {
    note, ///< worth knowing: a setting without effect, or a risk that this program's policies run by exception or not at all
    warning, ///< users can notice it under some load or some network
    critical ///< some users are locked out, or will be
};

/// The name of a value, as it is printed.
constexpr const char* to_string(severity s) noexcept {
    switch (s) {
    case severity::note: return "note";
    case severity::warning: return "warning";
    case severity::critical: return "critical";
    }
    return "?";
}

/// How the program's peers reach it.
enum class exposure : std::uint8_t {
    nat,      ///< many peers behind few addresses, with a large share of ports each: NAT, a carrier's NAT, a proxy
    balancer, ///< every peer comes through an L4 balancer or SNAT: a handful of addresses, whose ports are soon re-used
    direct,   ///< every peer comes from its own address
    loopback  ///< only this host talks to it
};

/// The name of a value, as it is printed.
constexpr const char* to_string(exposure e) noexcept {
    switch (e) {
    case exposure::nat: return "nat";
    case exposure::balancer: return "balancer";
    case exposure::direct: return "direct";
    case exposure::loopback: return "loopback";
    }
    return "?";
}

/// Whether what a finding warns of has been seen to happen, by the counters that would show it.
enum class occurrence : std::uint8_t {
    uncounted, ///< this kernel counts nothing that would show it
    unseen,    ///< the counters stand at 0
    seen,      ///< it has happened since this network namespace was made
    happening  ///< it has happened between the two looks
};

/// The name of a value, as it is printed.
constexpr const char* to_string(occurrence o) noexcept {
    switch (o) {
    case occurrence::uncounted: return "uncounted";
    case occurrence::unseen: return "unseen";
    case occurrence::seen: return "seen";
    case occurrence::happening: return "happening";
    }
    return "?";
}

/// From when on the host is as a finding says.
enum class moment : std::uint8_t {
    now,      ///< it is so
    next_boot ///< it will be so once the configuration files have been applied again
};

/// The name of a value, as it is printed.
constexpr const char* to_string(moment m) noexcept {
    switch (m) {
    case moment::now: return "now";
    case moment::next_boot: return "next boot";
    }
    return "?";
}

/// One thing that the host check has to say. Its texts are sentences for an operator, each on one line.
struct finding {
    /// One value that a finding rests on.
    struct observation {
        std::string key; ///< as sysctl(8) writes it
        /// What the kernel prints, or in brackets why there is no value, as in "(hidden)".
        std::string value;
        /// The file; of a value that comes at the next boot, with the line.
        std::string where;

        friend bool operator==(const observation&, const observation&) = default;
    };

    /// A value that a sysctl should have.
    struct setting {
        /// As sysctl(8) writes it.
        std::string key;
        std::string value; ///< as the kernel takes it

        friend bool operator==(const setting&, const setting&) = default;
    };

    /// Stable from release to release, as in "CS101"; points to storage that lasts as long as the program.
    std::string_view code;
    host::severity severity = host::severity::note; ///< how bad it is for this program
    std::vector<std::string> keys;                  ///< that it rests on
    std::vector<observation> observed;              ///< their values, and where each was read
    /// What is set, and what is wrong with it.
    std::string message;
    /// What users of the program will see.
    std::string consequence;
    /// What to do, and where it has to be done.
    std::string fix;
    /// Where the facts come from.
    std::string source;
    /// Whether it has been seen to happen.
    host::occurrence occurrence = occurrence::uncounted;
    /// The counters that tell, as in "PAWSTimewait 8 (+8 in 12.0 s)".
    std::string evidence{};
    /// What `fix` sets, for a program to use; empty if no sysctl helps.
    std::vector<setting> settings{};
    moment when = moment::now; ///< from when on the host is so

    friend bool operator==(const finding&, const finding&) = default;
};

} // namespace closeside::host

#endif
