// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_SCRIPT_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_SCRIPT_HPP

#include "network/packets/program.hpp"

#include "support/packets/player.hpp"

#include <closeside/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <system_error>

namespace packets {

/// The interface of this program, in a network of its own; main() makes it.
tun& wire();

/// A connection of a stream<P> with the script as its peer, in ESTABLISHED: both sides' next number is 1.
/** `s << segment` gives the kernel a segment, `s >> segment` is what it sends next, and nothing in between. A verb in the
 *  present tense is something that the program does which has the stream. When the script ends, nothing may have been sent
 *  that it has not expected. */
class script : public player {
public:
    using here = std::source_location;

    explicit script(const under& policy, const terms& t = {});
    script(const script&) = delete;
    script& operator=(const script&) = delete;
    ~script();

    script& closes();
    script& closes(const closeside::close_policy& p);
    script& closes_with(std::size_t last_bytes);
    script& closes_with(std::size_t last_bytes, const closeside::close_policy& p);
    script& cancels();
    script& drops();
    script& aborts();
    script& half_closes();
    script& writes(std::size_t size);
    script& reads(std::size_t size);
    script& stops(bool idle, std::chrono::milliseconds within);

    /// The close completes with this.
    script& reports(closeside::close_report wanted, std::error_code error = {}, here where = here::current());
    /// It waits for something yet.
    script& waits(here where = here::current());

    /// Nothing is in the backlog, or something is and takes the place of the connection so far.
    bool accepts_next() { return program_->accept_next(); }

    script& silence(here where = here::current());
    script& in(observation::tcp_state s, here where = here::current());

private:
    script& running();

    std::unique_ptr<program> program_;
};

} // namespace packets

#endif
