// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LABS_HPP
#define CLOSESIDE_LAB_LABS_HPP

#include "support/report.hpp"

#include <array>
#include <chrono>
#include <string>

namespace lab {

/// What the command line asks of a lab.
struct settings {
    bool quick = false; ///< 15 s at most on two busy cores, for tests; otherwise up to two minutes
    std::string check;  ///< path of closeside-check; empty: there is none
};

/// One lab: builds hosts, lets something happen, and reports. Its run() throws skipped or any std::exception.
struct laboratory {
    const char* name;                      ///< the subcommand, and the name of its picture
    const char* summary;                   ///< one line of --help
    report (*run)(const settings& chosen); ///< null: it is not built here
    std::chrono::seconds bound{180};       ///< the program ends itself with status 70 after that
};

// One declaration and one line a lab, in the order of --help.
report run_nat(const settings& chosen);
report run_pool(const settings& chosen);
report run_one_client(const settings& chosen);
report run_loss(const settings& chosen);
report run_restart(const settings& chosen);
report run_port(const settings& chosen);
report run_orphan(const settings& chosen);
report run_slow_peer(const settings& chosen);
#if defined(CLOSESIDE_LAB_TLS)
report run_tls(const settings& chosen);
#else
inline constexpr report (*run_tls)(const settings&) = nullptr; // OpenSSL 3 was not found
#endif

inline constexpr std::array laboratories{
    laboratory{"nat", "clients behind a NAT that reuses a port while the server may still hold it", run_nat},
    laboratory{"pool", "clients behind a NAT of few ports: how many meet a TIME-WAIT, beside the simulation", run_pool},
    laboratory{"one_client", "one client behind a NAT that puts its connections on few ports", run_one_client},
    laboratory{"loss", "replies over a lossy path, to clients that go on sending while the server closes", run_loss},
    laboratory{"restart", "a server that is restarted over the connections of the one before", run_restart},
    laboratory{"port", "a client that connects in a loop until its local ports run out", run_port},
    laboratory{"orphan", "a server that closes first while its peers never do", run_orphan},
    laboratory{"slow_peer", "thousands of peers that keep a close waiting, and a healthy connection", run_slow_peer},
    laboratory{"tls", "how TLS connections end: the reply, close_notify and TIME-WAIT (needs OpenSSL 3)", run_tls},
};

} // namespace lab

#endif
