// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_GROUP_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_GROUP_HPP

#include "cell.hpp"
#include "handler_watch.hpp"
#include "peers.hpp"

#include "observation/segment_capture.hpp"

#include <asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace conformance {

/// When a close that is cut short is cut: late enough for peers that answer, early enough for every limit.
inline constexpr auto cut_after = std::chrono::milliseconds(60);

/// One connection on its way out. The template below it knows the policy's type.
class cell {
public:
    cell(evidence& e, peers*& others) : evidence_(e), peers_(others) {}
    virtual ~cell() = default;

    /// Waits until what has been prepared has arrived.
    virtual void settle() {}
    /// On a thread of the context: starts the way out.
    virtual void go() = 0;
    /// Nothing of it is under way on other threads.
    virtual bool finished() const { return true; }
    /// Of the stream.
    virtual asio::io_context& context() noexcept = 0;

    evidence& seen() noexcept { return evidence_; }
    peer& far_end() noexcept { return *peer_; }

protected:
    /// The close begins now, and so do the peer's doings.
    void begin();
    void cut_here();
    void told(closeside::error_code ec, const cs::close_report& report);

    evidence& evidence_;
    peer* peer_ = nullptr;
    peers*& peers_;
};

/// Everything that ends by itself has ended: waits, threads, peers.
bool all_over(const std::vector<std::unique_ptr<cell>>& cells);

/// Every connection of the group is at rest in the kernel's tables, or two seconds have passed.
void look_at_the_end(std::vector<std::unique_ptr<cell>>& cells, observation::segment_capture& witness);

/// What a group has cost, and left behind.
struct group_result {
    bool out_of_work = false;
    std::int64_t descriptors_left = 0;
    std::int64_t allocations_left = 0;
    handler_watch::clock::duration longest_handler{};
    handler_watch::clock::duration longest_with_waiting{};
};

/// Makes the cells of a group inside `io`, each for a slot of evidence.
using cell_maker = std::function<std::unique_ptr<cell>(asio::io_context& io, evidence&, std::deque<peer>&, peers*&)>;

/// Runs one close for every slot of evidence, all at the same time on one thread, and counts what is left behind.
group_result run_group(std::vector<evidence>& slots, const std::function<cell_maker(asio::io_context&)>& open,
                       observation::segment_capture& witness,
                       std::chrono::milliseconds longest = std::chrono::seconds(10));

} // namespace conformance

#endif
