// SPDX-License-Identifier: BSL-1.0
// Runs every tree through the loaders themselves, each in namespaces of its own, and compares.
#include <closeside/host/config.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"
#include "support/in_child.hpp"
#include "support/own_mounts.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace host = closeside::host;

namespace {

const std::string skipped = "skipped: it needs root, the program, and the right to namespaces of its own";

using values = std::map<std::string, std::string>;

std::string read_key(const std::string& name) {
    std::ifstream file("/proc/sys/" + host::detail::sysctl_d::with_slashes(name));
    std::string value;
    std::getline(file, value);
    return value;
}

bool write_key(const std::string& name, const std::string& value) {
    const int fd = ::open(("/proc/sys/" + host::detail::sysctl_d::with_slashes(name)).c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const std::string line = value + "\n";
    const bool written = ::write(fd, line.data(), line.size()) > 0;
    ::close(fd);
    return written;
}

/// What the kernel has under every key of a view that it shows.
values current(const host::config_view& view) {
    values now;
    for (const host::config_key& k : view.keys)
        if (k.status == host::key_status::present) now[k.name] = read_key(k.name);
    return now;
}

const std::vector<std::string> read_by_loaders{"/etc", "/run", "/usr/local/lib", "/usr/lib/sysctl.d"};

/// The directories that the loaders read below `root`, in the place of the host's for as long as the object lives.
class other_directories {
public:
    explicit other_directories(const std::string& root) {
        for (const std::string& directory : read_by_loaders)
            if (::mount((root + directory).c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0)
                throw std::system_error(errno, std::generic_category(), "mount " + directory);
    }
    other_directories(const other_directories&) = delete;
    other_directories& operator=(const other_directories&) = delete;
    ~other_directories() {
        for (const std::string& directory : read_by_loaders) ::umount2(directory.c_str(), MNT_DETACH);
    }
};

/// Namespaces of this process alone, which mounts and keys cannot get out of.
bool leave_host() { return ::unshare(CLONE_NEWNET) == 0 && tests::take_own_mounts(); }

/// What went otherwise than foretold, a line each; "" if nothing.
std::string compare(const host::config_view& foretold, host::sysctl_loader loader, const values& before) {
    std::string differences;
    const values after = current(foretold);
    for (const auto& [key, found] : after) {
        const host::config_key& k = *foretold.find(key);
        const host::config_key::outcome& outcome = loader == host::sysctl_loader::systemd ? k.systemd : k.procps;
        const std::string wanted = outcome.winner ? outcome.shown : before.at(key);
        if (found != wanted) differences += key + ": foretold '" + wanted + "', found '" + found + "'\n";
    }
    const auto again = host::read_config({.loader = loader});
    for (const host::config_key& k : again.keys)
        if (k.drift) differences += k.name + ": drift right after the loader has run\n";
    return differences;
}

struct real_loader {
    host::sysctl_loader which;
    std::vector<std::string> command;
    host::procps_release release{};
};

std::string run_and_compare(const tests::config_tree& tree, const real_loader& loader) {
    const tests::fake_root root;
    tests::make_tree(root.path(), tree);
    const other_directories in_place(root.path());
    const auto foretold = host::read_config({.loader = loader.which, .procps = loader.release});
    const values before = current(foretold);
    if (foretold.error != 0 || before.size() < 10) return "too few keys to compare";
    tests::run_program(loader.command);
    const std::string differences = compare(foretold, loader.which, before);
    for (const auto& [key, value] : before)
        if (read_key(key) != value) write_key(key, value);
    return current(foretold) == before ? differences : differences + "cannot restore the keys\n";
}

std::string first_of(const std::vector<std::string>& paths) {
    for (const std::string& path : paths)
        if (::access(path.c_str(), X_OK) == 0) return path;
    return {};
}

/// Several trees share the namespaces, which take longer to make than a loader takes to run.
void run_every_tree(const real_loader& loader) {
    constexpr std::size_t at_once = 20;
    const auto& trees = tests::config_trees();
    for (std::size_t first = 0; first < trees.size(); first += at_once) {
        const std::string differences = tests::in_child([&]() -> std::string {
            if (!leave_host()) return skipped;
            std::string text;
            for (std::size_t i = first; i != std::min(first + at_once, trees.size()); ++i)
                if (const std::string found = trees[i].harmful ? "" : run_and_compare(trees[i], loader); !found.empty())
                    text += trees[i].title + ": " + found;
            return text;
        });
        if (differences == skipped) {
            MESSAGE(skipped);
            return;
        }
        CHECK(differences == "");
    }
}

/// "sysctl from procps-ng 4.0.2"
std::optional<host::procps_release> release_of(const std::string& sysctl) {
    const std::string text = tests::run_program({sysctl, "--version"}).out;
    const std::size_t digits = text.find_first_of("0123456789");
    int major = 0, minor = 0, patch = 0;
    if (digits == text.npos || std::sscanf(text.c_str() + digits, "%d.%d.%d", &major, &minor, &patch) < 2)
        return std::nullopt;
    return host::procps_release::of(major, minor, patch);
}

} // namespace

TEST_CASE("network: systemd-sysctl sets what is foretold, over every tree") {
    const std::string program = first_of({"/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"});
    if (::geteuid() != 0 || program.empty() || !std::filesystem::is_directory("/usr/lib/sysctl.d")) {
        MESSAGE(skipped);
        return;
    }
    run_every_tree({host::sysctl_loader::systemd, {program}});
}

TEST_CASE("network: sysctl --system sets what is foretold, over every tree") {
    const std::string program = first_of({"/usr/sbin/sysctl", "/sbin/sysctl"});
    if (::geteuid() != 0 || program.empty() || !std::filesystem::is_directory("/usr/lib/sysctl.d")) {
        MESSAGE(skipped);
        return;
    }
    const auto release = release_of(program);
    REQUIRE(release);
    run_every_tree({host::sysctl_loader::procps, {program, "--system"}, *release});
}

TEST_CASE("network: the kernel takes and refuses values as foretold") {
    const std::vector<std::string> texts{"0",
                                         "1",
                                         "2",
                                         "3",
                                         "-1",
                                         "127",
                                         "128",
                                         "255",
                                         "256",
                                         "999",
                                         "1000",
                                         "1023",
                                         "1024",
                                         "60000",
                                         "60001",
                                         "65535",
                                         "65536",
                                         "120000",
                                         "120001",
                                         "2147483647",
                                         "2147483648",
                                         "-2147483648",
                                         "-2147483649",
                                         "4294967297",
                                         "01",
                                         "010",
                                         "08",
                                         "0x1",
                                         "0X1f",
                                         "0x",
                                         "+1",
                                         "yes",
                                         "",
                                         " 1",
                                         "\t1",
                                         "\f1",
                                         "1\f",
                                         "1\r",
                                         "1 # on",
                                         "1# on",
                                         "1 0",
                                         "1;",
                                         "1,0",
                                         "\"1\"",
                                         "1024 65535",
                                         "1024\t65535",
                                         "65535 1024",
                                         "1024-65535",
                                         "1024 65535 x",
                                         "1024 x",
                                         "0 65535",
                                         "80 443",
                                         "8080,9000-9010",
                                         "8080, 9090",
                                         "8080,",
                                         ",8080",
                                         "9010-9000",
                                         "1-",
                                         "0-65535",
                                         "65536-65537",
                                         "4096",
                                         "4096 87380",
                                         "4096 87380 6291456",
                                         "4096\t87380\t6291456",
                                         "4096,87380,6291456",
                                         "\"4096 87380 6291456\"",
                                         "4096 87380 6291456 # of a tutorial",
                                         "4096 # minimum",
                                         "4096 x 6291456",
                                         "4096 0 6291456",
                                         "4096 87380 6291456 1",
                                         "4096 87380 6291456k",
                                         "00000000000000000001",
                                         "000000000000000000001"};
    const std::string differences = tests::in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNET) != 0) return skipped;
        std::string wrong;
        for (const host::detail::sysctl_d::value_rule& rule : host::detail::sysctl_d::value_rules) {
            const std::string name = host::detail::sysctl_d::with_dots(rule.path);
            const std::string before = read_key(name);
            if (!write_key(name, before)) continue; // not there, or not to be written to here
            for (const std::string& text : texts) {
                const auto foretold = host::detail::sysctl_d::write_value(rule.path, text, {before, 1024});
                const bool taken = write_key(name, text);
                const std::string found = read_key(name);
                // A number of ticks wraps around beyond an int.
                const bool wraps = rule.form == host::detail::sysctl_d::value_form::ticks && text.size() > 9;
                if (!wraps && (taken != foretold.accepted ||
                               (!foretold.shown.empty() &&
                                !host::detail::sysctl_d::is_same_value(rule.path, foretold.shown, found))))
                    wrong += name + " '" + text + "': foretold " +
                             (foretold.accepted ? "'" + foretold.shown + "'" : "refusal") + ", found " +
                             (taken ? "'" + found + "'" : "refusal") + "\n";
                if (!write_key(name, before)) return "cannot restore " + name;
            }
        }
        return wrong;
    });
    if (differences == skipped) {
        MESSAGE(skipped);
        return;
    }
    CHECK(differences == "");
}
