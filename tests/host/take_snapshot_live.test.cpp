// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/take_snapshot.hpp>

#include "support/in_child.hpp"
#include "support/own_mounts.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace host = closeside::host;
using host::key;

namespace {

bool write_key(const char* path, const char* value) {
    std::ofstream file(path);
    file << value << std::flush;
    return file.good();
}

const std::string skipped = "SKIPPED: no right to namespaces of one's own, as root or through user namespaces";

} // namespace

TEST_CASE("the running host is seen without any privilege") {
    const auto text = tests::in_unprivileged_child([] {
        const auto seen = host::take_snapshot();
        return std::to_string(seen.error) + (seen.number(key::tcp_fin_timeout) ? " seen" : " blind") +
               (seen.kernel.empty() ? " unknown" : " known");
    });
    CHECK(text == "0 seen known");
}

TEST_CASE("the kernel of the running host is known by its release, the namespace by its inode") {
    const auto seen = host::take_snapshot();
    struct ::stat net {};
    REQUIRE(::stat("/proc/thread-self/ns/net", &net) == 0);
    CHECK(seen.netns == net.st_ino);
    std::string release;
    std::getline(std::ifstream("/proc/sys/kernel/osrelease") >> std::ws, release);
    CHECK(seen.kernel == release);
}

TEST_CASE("network: tcp_rfc1337 set in a namespace is seen there and is critical for a program that closes first") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!write_key("/proc/sys/net/ipv4/tcp_rfc1337", "1")) return "cannot write tcp_rfc1337";
        std::string found;
        for (const auto& f : host::audit(host::take_snapshot(), host::exposure::nat))
            if (f.severity != host::severity::note) found += std::string(f.code) + " " + to_string(f.severity);
        return found;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "CS101 critical");
}

TEST_CASE("network: a list of reserved ports is seen to its end, however long") {
    const auto text = tests::in_own_network([]() -> std::string {
        std::string every_other_port = "1";
        for (int port = 3; port < 65536; port += 2) every_other_port += "," + std::to_string(port);
        if (!write_key("/proc/sys/net/ipv4/ip_local_reserved_ports", every_other_port.c_str()))
            return "cannot write ip_local_reserved_ports";
        return host::take_snapshot()[key::ip_local_reserved_ports].text == every_other_port ? "whole" : "cut off";
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "whole");
}

TEST_CASE("network: a new namespace is a child, and the key that is the host's alone is hidden in it") {
    const auto text = tests::in_own_network([]() -> std::string {
        const auto seen = host::take_snapshot();
        return std::string(to_string(seen.space)) + ", tcp_max_orphans " +
               to_string(seen[key::tcp_max_orphans].status) + ", tcp_fin_timeout " +
               to_string(seen[key::tcp_fin_timeout].status);
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "child, tcp_max_orphans hidden, tcp_fin_timeout present");
}

TEST_CASE("network: a thread that moved to another namespace sees that one, while the others see theirs") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!write_key("/proc/sys/net/ipv4/tcp_fin_timeout", "41")) return "cannot write tcp_fin_timeout";
        host::snapshot moved;
        bool failed = false;
        std::thread([&] {
            failed = ::unshare(CLONE_NEWNET) != 0;
            moved = host::take_snapshot();
        }).join();
        if (failed) return "the thread cannot leave";
        const auto stayed = host::take_snapshot();
        return stayed[key::tcp_fin_timeout].text + " " + moved[key::tcp_fin_timeout].text +
               (moved.netns && stayed.netns && moved.netns != stayed.netns ? " apart" : " together");
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "41 60 apart");
}

TEST_CASE("network: /proc/sys that is read-only, or covered, as containers have it, is known for what it is") {
    const auto text = tests::in_own_network([]() -> std::string {
        if (!tests::take_own_mounts() || ::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) != 0)
            return "no right to mount";
        const bool before = host::take_snapshot().read_only;
        if (::mount(nullptr, "/proc/sys", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)
            return "no right to mount";
        const auto sealed = host::take_snapshot();
        if (::mount("covered", "/proc/sys/net", "tmpfs", 0, nullptr) != 0) return "no right to mount";
        const auto covered = host::take_snapshot();
        return std::string(before ? "read-only " : "writable ") + (sealed.read_only ? "read-only " : "writable ") +
               sealed[key::tcp_fin_timeout].text + " " + std::to_string(covered.error);
    });
    if (!text || *text == "no right to mount") {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "writable read-only 60 " + std::to_string(ENOENT));
}

TEST_CASE("network: where /proc/sys is read-only and /proc/sys/net is not, as in LXC, a key can be set") {
    const auto text = tests::in_own_network([]() -> std::string {
        const auto bind = [](const char* path, unsigned long more) {
            return ::mount(path, path, nullptr, MS_BIND | more, nullptr) == 0;
        };
        const bool ready = tests::take_own_mounts() && bind("/proc/sys", 0) && bind("/proc/sys/net", 0) &&
                           bind("/proc/sys", MS_REMOUNT | MS_RDONLY);
        if (!ready) return "no right to mount";
        const bool above = host::take_snapshot().read_only;
        if (!bind("/proc/sys/net", MS_REMOUNT | MS_RDONLY)) return "no right to mount";
        return std::string(above ? "read-only " : "writable ") +
               (host::take_snapshot().read_only ? "read-only" : "writable");
    });
    if (!text || *text == "no right to mount") {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "writable read-only");
}

TEST_CASE("network: ports on which several sockets listen are seen, and no others") {
    const auto text = tests::in_own_network([]() -> std::string {
        const auto listen = [](int family, std::uint16_t port, const char* device = "") {
            const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const int on = 1;
            ::sockaddr_in6 any{};
            any.sin6_family = static_cast<sa_family_t>(family);
            any.sin6_port = htons(port); // sockaddr_in has it at the same place
            const socklen_t size = family == AF_INET ? sizeof(::sockaddr_in) : sizeof any;
            return ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
                   (family == AF_INET || ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                   ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, static_cast<socklen_t>(std::strlen(device))) ==
                       0 &&
                   ::bind(fd, reinterpret_cast<::sockaddr*>(&any), size) == 0 && ::listen(fd, 1) == 0;
        };
        const bool ready = listen(AF_INET, 7) && listen(AF_INET6, 7) &&      // one each
                           listen(AF_INET, 8) && listen(AF_INET, 8, "lo") && // one for each device
                           listen(AF_INET, 443) && listen(AF_INET, 443) && listen(AF_INET, 443) &&
                           listen(AF_INET6, 80) && listen(AF_INET6, 80);
        if (!ready) return "cannot listen";
        std::string seen;
        for (const auto port : host::take_snapshot().shared_ports) seen += std::to_string(port) + " ";
        for (const auto& f : host::audit(host::take_snapshot(), {.listening_ports = {443}}))
            if (f.code == "CS211") seen += to_string(f.severity);
        return seen;
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "80 443 warning");
}

TEST_CASE("network: what a fix writes for any key is taken by the kernel, and reads back as meant") {
    const auto text = tests::in_own_network([]() -> std::string {
        const auto seen = host::take_snapshot();
        std::string wrong;
        std::size_t written = 0;
        for (const key k : host::all_keys) {
            const host::key_value& before = seen[k];
            if (before.status != host::key_status::present || before.text.empty()) continue;
            const std::string path = seen.path(k);
            const auto fix = host::detail::set_key(seen, k, before.text);
            const std::string value = fix.settings.at(0).value + "\n";
            const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            if (fd < 0) continue; // nobody can set it here
            const bool taken = ::write(fd, value.data(), value.size()) > 0;
            ::close(fd);
            ++written;
            if (!taken || value.find('\t') != value.npos || host::take_snapshot()[k] != before)
                wrong += std::string(to_string(k)) + " = " + value;
        }
        return wrong + (written > 20 ? "many" : "few");
    });
    if (!text) {
        MESSAGE(skipped);
        return;
    }
    CHECK(*text == "many");
}
