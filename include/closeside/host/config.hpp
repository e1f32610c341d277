// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_CONFIG_HPP
#define CLOSESIDE_HOST_CONFIG_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/snapshot.hpp>

#include <optional>
#include <string>

namespace closeside::host {

/// Where read_config looks, and what it takes for granted.
struct config_options {
    /// The directory that is the root of the host: of the files, and of proc/sys, whose keys are the live ones.
    std::string root = "/";
    /// unknown: find out; otherwise the loader by which drift is judged.
    sysctl_loader loader = sysctl_loader::unknown;
    /// Of the procps whose `sysctl --system` is foretold; nothing: find out, and tell where releases differ if that fails.
    std::optional<procps_release> procps{};
};

/// Foretells what the sysctl configuration files below a root set under net: by systemd-sysctl, as at boot, and by
/// `sysctl --system` of procps; and compares it with what the kernel has now.
/** Writes nothing and needs no privilege, though root can read more. Opens regular files and directories only, each
 *  read to a bound, and follows links inside the root: a FIFO, a device, an endless file or a loop of links cannot hold
 *  it up, and becomes a problem in the result. Takes about a millisecond on a usual host, seconds at the bounds.
 *  The live values are those of the calling thread's network namespace if proc below the root is a real one.
 *  Never throws: `error` is set when nothing could be looked at (the errno of opening the root; ENOMEM).
 *  Modelled are systemd 252 to 257 on a usr-merged system, procps since 3.3, Alpine's start script with BusyBox, and the
 *  values that Linux 6.18 takes. Sources: sysctl.d(5), sysctl(8), and the files named at each part. */
[[gnu::cold]] CLOSESIDE_DECL config_view read_config(const config_options& options = {}) noexcept;

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/config.ipp>
#endif

#endif
