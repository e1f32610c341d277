// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_PROGRAM_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_PROGRAM_HPP

#include "support/packets/wire_format.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/report.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>

namespace packets {

/// The program on the kernel's side of a script: a listener, and one connection, a stream<P>. It knows no Asio, which takes
/// most of the time to compile.
class program {
public:
    virtual ~program() = default;

    /// Does what is ready to be done; was there anything?
    virtual bool run() = 0;

    virtual address listens_at() const = 0;
    virtual void accept() = 0;
    virtual void connect(const address& to) = 0;
    /// The connection is made.
    virtual bool has_stream() const = 0;
    /// Accepts what is in the backlog, in place of the connection so far; false if nothing is.
    virtual bool accept_next() = 0;

    virtual void write(std::size_t size) = 0;
    virtual void read(std::size_t size) = 0;
    virtual void half_close() = 0;
    virtual void abort() = 0;
    /// The stream's destructor.
    virtual void drop() = 0;
    /// Under the stream's own policy, or under this one.
    virtual void close(const std::optional<closeside::close_policy>& p, std::size_t last_bytes) = 0;
    /// A terminal cancellation of the close.
    virtual void cancel() = 0;
    /// An orderly_stop, of which the connection is a member that is idle in a read, or busy.
    virtual void stop(bool idle, std::chrono::milliseconds within) = 0;

    /// Of the close, once it has completed.
    std::optional<closeside::close_report> report;
    std::error_code error;
};

/// The policy of a script's stream, by which its acceptor and the options of its sockets go too.
struct under {
    const char* name;
    std::unique_ptr<program> (*make)(const address& listens_at);
};

extern const under graceful, peer_first, peer_first_or_reset, abortive, system_like, skips_fin_wait2, drops_as_system;

} // namespace packets

#endif
