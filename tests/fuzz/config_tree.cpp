// SPDX-License-Identifier: BSL-1.0
#include "printable_view.hpp"
#include "target.hpp"

#include "support/temporary_directory.hpp"

#include <closeside/host/audit.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/take_snapshot.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

// The files of a whole host. A line `%%` is between them; the first line of each is the number of a path.
namespace fuzz::config_tree {

namespace host = closeside::host;
namespace fs = std::filesystem;

constexpr std::array paths{"proc/sys/kernel/osrelease",
                           "etc/sysctl.conf",
                           "etc/sysctl.d/10-a.conf",
                           "run/sysctl.d/10-a.conf",
                           "usr/lib/sysctl.d/50-[b].conf",
                           "etc/tuned/active_profile",
                           "usr/lib/tuned/balanced/tuned.conf",
                           "etc/tuned/balanced/tuned.conf",
                           "etc/udev/rules.d/90.rules",
                           "etc/modules",
                           "etc/modules-load.d/a.conf",
                           "proc/modules",
                           "var/lib/dpkg/status",
                           "lib/apk/db/installed",
                           "proc/sys/net/ipv4/tcp_tw_reuse",
                           "proc/sys/net/ipv4/tcp_rmem",
                           "proc/sys/net/ipv4/ip_local_port_range",
                           "proc/sys/net/ipv4/ip_local_reserved_ports",
                           "proc/sys/net/ipv4/ip_unprivileged_port_start",
                           "proc/net/sockstat",
                           "proc/net/netstat",
                           "proc/net/snmp",
                           "proc/net/tcp",
                           "run/systemd/system/here",
                           "etc/init.d/procps",
                           "etc/init.d/sysctl",
                           "sbin/openrc-run",
                           "run/credentials/@system/sysctl.extra"};

/// Directories that are made once, since that takes longer than all else.
class root {
public:
    root() {
        for (const char* const path : paths) fs::create_directories(fs::path(directory_.path(path)).parent_path());
    }
    std::string path() const { return directory_.path(""); }
    void write(const char* name, std::string_view bytes) const { directory_.write(name, std::string(bytes)); }
    void remove_files() const {
        for (const char* const path : paths) std::remove(directory_.path(path).c_str());
    }

private:
    tests::temporary_directory directory_;
};

void run(input in) {
    static const root here;
    here.remove_files();
    while (!in.empty()) {
        input part(in.take_part());
        std::size_t which = 0;
        for (const char c : part.take_line())
            if (c >= '0' && c <= '9') which = (which * 10 + static_cast<std::size_t>(c - '0')) % paths.size();
        here.write(paths[which], part.rest());
    }
    const host::config_view view = host::read_config({.root = here.path()});
    require(view.error == 0, "the root can be read");
    is_printable(view);
    const host::snapshot seen = host::take_snapshot({.root = here.path()});
    for (const host::finding& f : host::audit(seen, {}, {.config = &view})) is_printable(f);
}

const target one("config_tree", run);

} // namespace fuzz::config_tree
