// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_HISTORY_HPP
#define CLOSESIDE_CHECK_FOLLOW_HISTORY_HPP

#include "follow_destroyed.hpp"
#include "follow_event.hpp"
#include "follow_life.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace check::follow {

/// Makes lives of events: those of one socket are put together until the kernel destroys it.
/** The trace shows the sockets of every network namespace, and nothing in an event says of which. What does are
 *  sock_diag's messages about destroyed sockets: they come of this namespace alone, with the cookie that the event
 *  tcp_destroy_sock has too. A life without such a message is another namespace's. */
class history {
public:
    /// `most`: how many sockets are remembered at once; what is forgotten beyond is counted.
    /// `look_up` tells what the kernel keeps of a connection right now.
    history(std::size_t most, std::function<leftover(const connection&)> look_up)
        : most_(most), look_up_(std::move(look_up)) {}

    /// In the order of their times.
    void on_event(const trace_event& e);
    void on_destroyed(const destroyed_socket& d, std::uint64_t now);

    /// The lives of this namespace that are complete.
    std::vector<life> take(std::uint64_t now);

    std::uint64_t forgotten() const { return forgotten_; }
    /// Connections that have ended and whose programs still hold their descriptors, of whichever namespace.
    std::size_t held() const;

private:
    struct socket {
        std::uint64_t address = 0;
        life current{};
        bool begun = false;            ///< `current` means something
        std::uint64_t early_reset = 0; ///< when a RST was sent before CLOSED; 0: none
        std::uint64_t last_sent_again = 0, gap = 0;
        std::vector<life> ended{}; ///< more than one if the program has connected the socket again
    };
    /// A socket that the kernel has destroyed.
    struct gone {
        std::uint64_t address = 0, cookie = 0, time = 0;
        bool ours = false;
        std::vector<life> lives{};
    };
    struct closed_listener {
        std::uint64_t address = 0, time = 0;
        std::uint16_t port = 0;
        int thread = 0;
    };
    struct told_error {
        std::uint64_t time = 0;
        int error = 0;
    };
    struct reset_of_mini {
        std::uint64_t time = 0;
        std::string_view reason{};
    };

    socket* find(std::uint64_t address);
    socket& begin(const trace_event& e);
    void on_state(const trace_event& e);
    void on_reset_sent(const trace_event& e);
    void on_socket_gone(const trace_event& e);
    void end(socket& s, const trace_event& e);
    bool closes_with_its_listener(const life& l, const trace_event& e) const;
    void add_what_has_no_socket(life& l) const;
    void forget(std::list<gone>::iterator g);

    std::size_t most_;
    std::function<leftover(const connection&)> look_up_;
    std::list<socket> sockets_; ///< the longest unchanged first
    std::unordered_map<std::uint64_t, std::list<socket>::iterator> by_address_;
    std::list<gone> gone_; ///< the longest gone first
    std::unordered_map<std::uint64_t, std::list<gone>::iterator> gone_by_address_, gone_by_cookie_;
    std::map<std::uint64_t, std::uint64_t> messages_; ///< whose event has not come yet: cookie to time
    std::deque<closed_listener> listeners_;           ///< closed, and not destroyed yet
    std::map<connection, told_error> errors_;
    std::map<connection, reset_of_mini> resets_of_minis_;
    std::uint64_t forgotten_ = 0;
};

} // namespace check::follow

#endif
