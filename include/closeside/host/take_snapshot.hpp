// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_TAKE_SNAPSHOT_HPP
#define CLOSESIDE_HOST_TAKE_SNAPSHOT_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/snapshot.hpp>

#include <string>

namespace closeside::host {

/// Where take_snapshot looks.
struct snapshot_options {
    /// The directory that holds proc/. Another one than "/" is for tests and for trees copied from another host.
    /** Another /proc mounted there does not show another network namespace: the files under proc/sys/net are those of
     *  the thread that reads (net_ctl_root), wherever they are mounted. */
    std::string root = "/";
};

/// Reads the keys, the counters, the kernel release and the network namespace of the calling thread.
/** Needs no privilege, opens only regular files, writes nothing, waits for nothing but the kernel's own /proc, which
 *  takes half a millisecond. Never throws: what cannot be read has a status that says so, and `error` is
 *  set when nothing could be read. Thread safety: callable from any thread at any time; a thread that has called
 *  setns(2) sees its own network namespace. */
[[gnu::cold]] CLOSESIDE_DECL snapshot take_snapshot(const snapshot_options& options = {}) noexcept;

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/take_snapshot.ipp>
#endif

#endif
