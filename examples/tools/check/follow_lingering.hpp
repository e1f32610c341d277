// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_LINGERING_HPP
#define CLOSESIDE_CHECK_FOLLOW_LINGERING_HPP

#include "follow_event.hpp"
#include "follow_life.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace check::follow {

struct looked_up {
    leftover what = leftover::not_looked_up;
    std::uint64_t left = 0; ///< nanoseconds until the kernel drops it
};

/// Connections of this namespace that are orphans in FIN-WAIT-2: the kernel keeps a mini-socket of them, of which no event
/// tells. They are looked up until they have come to an end.
class lingering {
public:
    lingering(std::size_t most, std::function<looked_up(const connection&)> look_up)
        : most_(most), look_up_(std::move(look_up)) {}

    /// False if there are too many.
    bool add(const life& l, std::uint64_t now);

    /// A RST that this host sent for a mini-socket.
    void on_reset(const trace_event& e);

    /// Looks which have come to an end. What the events say that are read after that can be the reason of it.
    void look(std::uint64_t now);

    /// Those that have come to an end.
    std::vector<life> take();

    std::size_t size() const { return all_.size(); }

private:
    struct one {
        life seen;
        std::uint64_t until = 0; ///< when its time is over; 0: not known
        std::uint64_t next_look = 0;
    };

    std::size_t most_;
    std::function<looked_up(const connection&)> look_up_;
    std::map<connection, one> all_;
    std::vector<life> over_;
    connection last_looked_at_{};
};

} // namespace check::follow

#endif
