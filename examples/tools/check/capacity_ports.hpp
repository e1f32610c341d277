// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_CAPACITY_PORTS_HPP
#define CLOSESIDE_CHECK_CAPACITY_PORTS_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace check {

/// For each space a queue of its ports, each of which is in it at most once.
class port_queues {
public:
    port_queues(std::uint32_t spaces, std::uint32_t ports)
        : ports_(ports), slots_(std::size_t{spaces} * ports), queues_(spaces) {}

    std::uint32_t size(std::uint32_t space) const { return queues_[space].size; }

    /// That which has been there for longest. There is one.
    std::uint16_t front(std::uint32_t space) const { return slots_[slot(space, 0)]; }

    void push(std::uint32_t space, std::uint16_t port) {
        slots_[slot(space, queues_[space].size)] = port;
        ++queues_[space].size;
    }

    std::uint16_t pop(std::uint32_t space) {
        const std::uint16_t port = front(space);
        queue& q = queues_[space];
        q.first = q.first + 1 == ports_ ? 0 : q.first + 1;
        --q.size;
        return port;
    }

    /// Any, by its place; the last takes that.
    std::uint16_t take(std::uint32_t space, std::uint32_t place) {
        const std::size_t at = slot(space, place);
        const std::uint16_t port = slots_[at];
        slots_[at] = slots_[slot(space, --queues_[space].size)];
        return port;
    }

private:
    struct queue {
        std::uint32_t first = 0;
        std::uint32_t size = 0;
    };

    std::size_t slot(std::uint32_t space, std::uint32_t place) const {
        std::uint32_t at = queues_[space].first + place;
        if (at >= ports_) at -= ports_;
        return std::size_t{space} * ports_ + at;
    }

    std::uint32_t ports_;
    std::vector<std::uint16_t> slots_;
    std::vector<queue> queues_;
};

} // namespace check

#endif
