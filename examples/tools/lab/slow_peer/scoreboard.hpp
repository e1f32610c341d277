// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_SCOREBOARD_HPP
#define CLOSESIDE_LAB_SLOW_PEER_SCOREBOARD_HPP

#include "../support/observed.hpp"

#include "kinds.hpp"

#include <closeside/report.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <system_error>

#include <sys/mman.h>

namespace lab::slow_peer {

struct close_record {
    steady::time_point begun;
    std::chrono::microseconds elapsed; ///< close_report::elapsed
    std::uint8_t kind;
    closeside::close_limit limit;
};

/// What a server process and this one tell each other, in memory that they share.
struct scoreboard {
    std::atomic<bool> listening{false};
    std::atomic<bool> begin{false}; ///< asks the server to close everything
    std::atomic<std::uint32_t> accepted{0};
    std::atomic<std::uint32_t> begun{0};
    std::atomic<std::uint32_t> ended{0};
    std::atomic<std::uint32_t> whole_replies{0}; ///< that peers which read slowly have got
    /// The longest time that the thread took for one run of its loop and for two, from the first close to the last.
    std::atomic<std::int64_t> worst_gap_us{0};
    std::atomic<std::int64_t> worst_two_gaps_us{0};
    std::atomic<std::int64_t> worst_work_us{0};    ///< ... for one, without the time that it waited for a processor
    std::atomic<std::int64_t> worst_starved_us{0}; ///< ... that it waited for a processor during one
    std::atomic<std::uint32_t> weighing_asked{0};
    std::atomic<std::uint32_t> weighing_done{0};
    std::atomic<std::size_t> heap{0}; ///< bytes that the server held allocated when it was last asked
    std::array<close_record, most_peers> closes{};
};

class shared_scoreboard {
public:
    shared_scoreboard() {
        void* const memory =
            ::mmap(nullptr, sizeof(scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        board_ = new (memory) scoreboard;
    }
    shared_scoreboard(const shared_scoreboard&) = delete;
    shared_scoreboard& operator=(const shared_scoreboard&) = delete;
    ~shared_scoreboard() { ::munmap(board_, sizeof(scoreboard)); }

    scoreboard& operator*() const noexcept { return *board_; }
    scoreboard* operator->() const noexcept { return board_; }

private:
    scoreboard* board_;
};

} // namespace lab::slow_peer

#endif
