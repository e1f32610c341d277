// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_PACKETS_PLAYER_HPP
#define CLOSESIDE_TESTS_SUPPORT_PACKETS_PLAYER_HPP

#include "support/packets/segment.hpp"
#include "support/packets/tun.hpp"
#include "support/packets/wire_format.hpp"

#include "observation/socket_table.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace packets {

/// The kernel has done something else than the script says. The message has the line of the script and all that passed.
struct departure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How the peer that a script plays is to be.
struct terms {
    bool v6 = false;
    bool connects = false;                     ///< the program connects to the script, and not the script to it
    bool unanswered = false;                   ///< … and is in SYN-SENT when the script begins
    std::uint16_t window = 65535;              ///< what it offers while a segment says nothing else
    std::optional<std::uint32_t> timestamps{}; ///< TSval of all that says nothing else; none: no timestamps
};

/// One connection's segments: `p << s` gives s to the kernel, `p >> s` says what the kernel has to send next.
/** What goes by time is passed over where the script expects something else: a segment that is sent again, since the script
 *  was slow to acknowledge it, and once an ACK alone, not said before, that the segment expected carries too (RFC 9293,
 *  3.8.6.3, lets it be delayed). */
class player {
public:
    static constexpr std::chrono::seconds limit{10}; ///< for anything that must come

    /// `program` does what is ready to be done by the program, and says whether there was anything.
    player(tun& device, const terms& t, std::uint16_t peer_port, std::function<bool()> program);

    player& operator<<(const segment& s);
    player& operator>>(const segment& s);

    /// The kernel sends this, and before it whatever it will.
    player& skips_to(const segment& s);

    /// Is this what the kernel has sent next by now? For what kernels differ in.
    bool sends(const segment& s);

    /// Nothing but what was expected has been sent up to now, by whatever the script has sent or the program done.
    /** What the kernel answers at once comes out before its answer to a later ping, and the program has nothing to do. */
    player& silence(std::source_location where = std::source_location::current());

    /// What the kernel has for the connection on its side; it need not be so at once.
    player& in(observation::tcp_state s, std::source_location where = std::source_location::current());

    observation::socket_entry socket() const;

    /// Runs the program, and reads what the kernel sends, until `done` holds.
    void until(const std::function<bool()>& done, const char* what, std::source_location where);

    /// Another connection begins: the kernel's SYN is 0 again. The peer's numbers go on, so that they may overlap.
    void numbers_anew() {
        isn_before_ = kernel_isn_.value_or(0);
        kernel_isn_.reset();
    }
    /// How far the kernel's SYN is beyond that of the connection before.
    std::uint32_t isn_moved() const { return kernel_isn_.value_or(0) - isn_before_; }

    /// Of what has been expected and come.
    std::uint16_t last_window() const { return expected_.empty() ? 0 : *expected_.back().window; }

    const address& peer() const { return peer_; }
    const address& local() const { return local_; }
    void local_is(const address& a) { local_ = a; }
    const terms& conditions() const { return terms_; }
    std::string trace() const;
    [[noreturn]] void fail(const std::string& text, std::source_location where) const;

private:
    struct arrival {
        segment what;
        bool repeats; ///< what has come before and was not acknowledged
    };

    static constexpr std::uint32_t peer_isn_ = 0xfffff000; // so that the numbers wrap round

    template <class Passes>
    void take(const segment& wanted, Passes passes_over);
    void collect(std::chrono::milliseconds wait);
    void settle();
    void answer_to_ping();
    bool is_repeated(const segment& s) const;
    bool acknowledges_alone(const segment& s, const segment& wanted) const;
    void note(const char* arrow, const segment& s);
    segment relative(segment s);

    tun& device_;
    terms terms_;
    address peer_;
    address local_;
    std::function<bool()> program_;
    std::optional<std::uint32_t> kernel_isn_;
    std::uint32_t isn_before_ = 0;
    std::uint32_t kernel_timestamp_ = 0;
    std::uint32_t acknowledged_ = 0;        ///< by the script
    std::uint32_t acknowledged_before_ = 0; ///< its last segment, which may have crossed one of the kernel's
    std::deque<arrival> arrived_;
    std::vector<segment> expected_; ///< and come
    std::vector<std::string> trace_;
    std::uint16_t pings_ = 0;
    std::uint16_t answered_ = 0;
};

} // namespace packets

#endif
