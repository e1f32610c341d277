// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_WATCH_HPP
#define CLOSESIDE_CHECK_FOLLOW_WATCH_HPP

#include "follow_destroyed.hpp"
#include "follow_ending.hpp"
#include "follow_history.hpp"
#include "follow_lingering.hpp"
#include "follow_trace.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace observation {
class socket_table;
}

namespace check::follow {

/// Which connections, and for how long.
struct follow_options {
    std::uint16_t port = 0;              ///< local; 0: any
    std::optional<address_block> peer{}; ///< nothing: any
    std::chrono::seconds time{0};        ///< 0: until a signal
};

/// What is missing in what was told.
struct losses {
    std::uint64_t trace_records = 0; ///< dropped by the trace's buffers
    std::uint64_t overruns = 0;      ///< of sock_diag's messages: each is one or more endings
    std::uint64_t forgotten = 0;     ///< histories, for want of room here
    std::uint64_t nameless = 0;      ///< sockets without a peer, where nothing else is known of them
    std::size_t held = 0;            ///< ended, but their programs hold the descriptors; of any namespace
    std::size_t lingering = 0;       ///< still in FIN-WAIT-2

    bool any() const { return trace_records + overruns + forgotten != 0; }
};

/// The endings of this network namespace, as they come.
class watch {
public:
    /// Throws std::exception if there is no right to any of it. `ended()` is to become true by a signal: those are to
    /// be blocked before.
    explicit watch(const follow_options& options);
    ~watch();
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

    /// Empty if the trace tells who ended a connection and why; otherwise what is in the way of it.
    const std::string& blind_because() const { return blind_because_; }
    /// Whether the kernel says why it sends a RST.
    bool gives_reasons() const { return trace_ && trace_->gives_reasons(); }

    std::vector<ending> next();
    /// What had ended by the time of the call, and takes a moment to be known.
    std::vector<ending> rest();
    losses lost() const;

private:
    void read_trace(std::uint64_t now);
    void read_destroyed(std::uint64_t now);
    bool wanted(const connection& ends) const;
    looked_up look_up(const connection& ends) const;

    follow_options options_;
    std::string blind_because_;
    std::unique_ptr<observation::socket_table> table_;
    destroy_listener listener_;
    std::optional<trace> trace_;
    history history_;
    lingering lingering_;
    std::vector<trace_event> events_; ///< read, and not yet due
    std::vector<destroyed_socket> destroyed_;
    std::vector<life> untraced_;
    std::uint64_t nameless_ = 0;
};

} // namespace check::follow

#endif
