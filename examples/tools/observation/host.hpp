// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_HOST_HPP
#define CLOSESIDE_OBSERVATION_HOST_HPP

#include "descriptor.hpp"
#include "program.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace observation {

class host;

/// Makes something that is to watch a host for as long as it lives; it is destroyed before the namespace is let go.
using witness_maker = std::function<std::shared_ptr<void>(const host&)>;

/// Of every host that is made from now on, also by programs under test; call it while there is one thread.
void watch_hosts(witness_maker make);

/// A host made for observation: a network namespace without a name, kept by a descriptor, so that it vanishes with the
/// process.
/** It starts with the kernel's compiled-in sysctls, `lo` up, no other interface and no firewall. Everything here may be
 *  called from any thread; the calling thread is in the host for the duration of the call. Failures throw
 *  std::system_error or std::runtime_error that names the host.
 *
 *      host server("server"), client("client");
 *      link(server, "192.0.2.1/24", client, "192.0.2.2/24");
 *      server.set_sysctl("net.ipv4.tcp_rfc1337", "1");
 *      std::jthread serving([&] { const inside here(server); serve(); });
 *      client.run([] { connect_to("192.0.2.1"); });
 */
class host {
public:
    /// `name` is what interfaces towards it are called: at most 15 letters, digits, '-' and '_'.
    explicit host(std::string name);
    host(host&&) noexcept = default;

    const std::string& name() const noexcept { return name_; }

    /// The namespace, for setns(2); lives as long as the host.
    int descriptor() const noexcept { return namespace_.get(); }

    /// Calls `body` on this thread, in this host, and returns what it returns.
    template <class Body>
    decltype(auto) run(Body&& body) const;

    /// "net.ipv4.tcp_rfc1337"
    void set_sysctl(const std::string& key, const std::string& value) const;
    std::string sysctl(const std::string& key) const;

    /// Adds to the ruleset: text for `nft -f -`.
    void nft(const std::string& rules) const;

    /// "default via 192.0.2.1"
    void add_route(const std::string& route) const;

    /// Lets it pass packets on between its interfaces.
    void forward() const;

    /// Runs a program in this host; see observation::run_program.
    program_result program(const std::vector<std::string>& arguments,
                           std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

private:
    std::string name_;
    observation::descriptor namespace_;
    std::shared_ptr<void> witness_{}; // destroyed first
};

/// The calling thread is in a host from here to the end of the scope; then it is back where it was. Scopes nest.
/** Sockets belong for ever to the namespace that they were made in, and an accepted socket to its listener's. Threads and
 *  processes that are started in the scope start in the host. */
class inside {
public:
    explicit inside(const host& h);
    ~inside();
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;

private:
    observation::descriptor previous_;
};

/// Connects two hosts by a veth pair; each end is called like the host at the other end, and gets its address.
/** Addresses are for documentation only: "192.0.2.1/24", "198.51.100.1/24", "203.0.113.1/24". */
void link(const host& a, const std::string& address_of_a, const host& b, const std::string& address_of_b);

template <class Body>
decltype(auto) host::run(Body&& body) const {
    const inside here(*this);
    return std::forward<Body>(body)();
}

} // namespace observation

#endif
