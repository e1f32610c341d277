// SPDX-License-Identifier: BSL-1.0
#include "host.hpp"

#include "own_network.hpp"
#include "sysctl.hpp"

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace observation {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

descriptor namespace_of_this_thread() {
    descriptor found(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!found) fail("/proc/thread-self/ns/net");
    return found;
}

witness_maker make_witness;

} // namespace

void watch_hosts(witness_maker make) { make_witness = std::move(make); }

host::host(std::string name) : name_(std::move(name)) {
    const observation::descriptor previous = namespace_of_this_thread();
    if (::unshare(CLONE_NEWNET) != 0) fail("network namespace for " + name_);
    namespace_ = namespace_of_this_thread();
    bring_up_loopback();
    if (::setns(previous.get(), CLONE_NEWNET) != 0) fail("leaving " + name_);
    if (make_witness) witness_ = make_witness(*this);
}

void host::set_sysctl(const std::string& key, const std::string& value) const {
    const inside here(*this);
    if (const int error = write_sysctl(key, value))
        throw std::system_error(error, std::generic_category(), name_ + ": " + key + " = " + value);
}

std::string host::sysctl(const std::string& key) const {
    return run([&] { return read_sysctl(key); });
}

void host::nft(const std::string& rules) const {
    const inside here(*this);
    run_tool({"nft", "-f", "-"}, rules);
}

void host::add_route(const std::string& route) const {
    const inside here(*this);
    run_tool({"ip", "-batch", "-"}, "route add " + route + '\n');
}

void host::forward() const { set_sysctl("net.ipv4.ip_forward", "1"); }

program_result host::program(const std::vector<std::string>& arguments, std::chrono::milliseconds limit) const {
    const inside here(*this);
    return run_program(arguments, {.limit = limit});
}

inside::inside(const host& h) : previous_(namespace_of_this_thread()) {
    if (::setns(h.descriptor(), CLONE_NEWNET) != 0) fail("entering " + h.name());
}

// A thread that stayed where it is would go on in the wrong host.
inside::~inside() {
    if (::setns(previous_.get(), CLONE_NEWNET) != 0) std::terminate();
}

void link(const host& a, const std::string& address_of_a, const host& b, const std::string& address_of_b) {
    const auto up = [](const std::string& interface, const std::string& address) {
        return "address add " + address + " dev " + interface + "\nlink set dev " + interface + " up\n";
    };
    // ip(8) opens a namespace by path; this process holds it open.
    const std::string other_namespace = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(b.descriptor());
    a.run([&] {
        run_tool({"ip", "-batch", "-"}, "link add name " + b.name() + " type veth peer name " + a.name() + " netns " +
                                            other_namespace + '\n' + up(b.name(), address_of_a));
    });
    b.run([&] { run_tool({"ip", "-batch", "-"}, up(a.name(), address_of_b)); });
}

} // namespace observation
