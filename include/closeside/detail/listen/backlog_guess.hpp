// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_BACKLOG_GUESS_HPP
#define CLOSESIDE_DETAIL_LISTEN_BACKLOG_GUESS_HPP

#include <algorithm>
#include <cstdint>

namespace closeside::detail {

/// Is a connection waiting to be accepted? Guessed from what earlier looks came to.
/** A look costs an accept4 and a turn of the event loop, and in vain where connections come one by one; a wait costs an
 *  epoll_ctl, and for nothing where they queue. So the more looks were in vain, the more waits come before the next. */
class backlog_guess {
public:
    static constexpr std::uint32_t most_waits = 255;

    /// To be asked once before each accept; if the answer is yes, looked() is to be told what was found.
    bool worth_a_look() noexcept {
        if (waits_left_ == 0) return true;
        --waits_left_;
        return false;
    }

    void looked(bool found) noexcept {
        if (found)
            waits_ = 0;
        else if (!in_burst_) // the first look in vain after a burst says only that it is over
            waits_ = std::min(2 * waits_ + 1, most_waits);
        in_burst_ = found;
        waits_left_ = waits_;
    }

private:
    std::uint32_t waits_ = 0;
    std::uint32_t waits_left_ = 0;
    bool in_burst_ = false;
};

} // namespace closeside::detail

#endif
