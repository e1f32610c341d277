// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include "group.hpp"
#include "processor_wait.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <malloc.h>
#include <sys/eventfd.h>

namespace lab::slow_peer {

namespace {

using asio::ip::tcp;

std::vector<std::unique_ptr<group>> groups_of(serving what, asio::io_context& io, std::size_t peers,
                                              scoreboard& board) {
    std::vector<std::unique_ptr<group>> all;
    if (what == serving::blocking_linger)
        all.push_back(std::make_unique<blocking_group>(io, static_cast<std::uint8_t>(kinds.size() - 1), peers, board));
    if (what != serving::closeside_streams) return all;
    const std::size_t each = peers / kinds.size() + 1;
    for (std::uint8_t i = 0; i < 4; ++i) all.push_back(std::make_unique<closeside_group<graceful>>(io, i, each, board));
    for (std::uint8_t i = 4; i < 8; ++i)
        all.push_back(std::make_unique<closeside_group<peer_first>>(io, i, each, board));
    for (std::uint8_t i = 8; i < kinds.size(); ++i)
        all.push_back(std::make_unique<closeside_group<until_acked>>(io, i, each, board));
    return all;
}

/// Asio's reactor keeps its entry for a descriptor that is closed, for the next one: it grows to the most at a time.
void make_room_for(asio::io_context& io, std::size_t descriptors) {
    std::vector<asio::posix::stream_descriptor> all;
    all.reserve(descriptors);
    for (std::size_t i = 0; i < descriptors; ++i) {
        const int number = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (number < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
        all.emplace_back(io, number);
    }
}

/// The healthy connection's end here. Lives as long as its operations.
class echo : public std::enable_shared_from_this<echo> {
public:
    explicit echo(closeside::stream<closeside::policies::graceful> stream) : stream_(std::move(stream)) {}

    void read() {
        stream_.async_read_some(asio::buffer(data_),
                                [self = shared_from_this()](closeside::error_code ec, std::size_t n) {
                                    if (!ec) self->write(n);
                                });
    }

private:
    void write(std::size_t n) {
        asio::async_write(stream_, asio::buffer(data_, n),
                          [self = shared_from_this()](closeside::error_code ec, std::size_t) {
                              if (!ec) self->read();
                          });
    }

    closeside::stream<closeside::policies::graceful> stream_;
    std::array<char, 64> data_{};
};

/// Beats once a millisecond on the thread that all the rest runs on: the longest time between two beats is what any
/// other handler may have to wait. Begins the closes, too, when it is asked to.
class heart {
public:
    heart(asio::io_context& io, std::vector<std::unique_ptr<group>>& groups, std::size_t at_a_time, scoreboard& board)
        : timer_(io), groups_(groups), at_a_time_(at_a_time), board_(board) {}

    void beat() {
        timer_.expires_after(std::chrono::milliseconds(1));
        timer_.async_wait([this](closeside::error_code) {
            const auto now = steady::now();
            if (began_ && !over_) note_gaps(now);
            over_ = began_ && board_.begun > 0 && board_.ended == board_.accepted;
            if (board_.begin && !began_) {
                began_ = before_last_ = last_ = now;
                starved_until_last_ = starved_.until_now();
            }
            if (began_ && !over_) begin_closes(now);
            weigh();
            beat();
        });
    }

private:
    void note_gaps(steady::time_point now) {
        const auto note = [](std::atomic<std::int64_t>& worst, std::chrono::nanoseconds time) {
            worst = std::max<std::int64_t>(worst, time.count() / 1000);
        };
        const auto starved = starved_.until_now() - starved_until_last_;
        starved_until_last_ += starved;
        note(board_.worst_gap_us, now - last_);
        note(board_.worst_two_gaps_us, now - before_last_);
        note(board_.worst_work_us, now - last_ - starved);
        note(board_.worst_starved_us, starved);
        before_last_ = std::exchange(last_, now);
    }

    void begin_closes(steady::time_point now) {
        const std::chrono::duration<double> since = now - *began_;
        const auto due = static_cast<std::size_t>(since.count() * double{closes_per_second}) + 1;
        for (std::size_t n = 0; n < at_a_time_ && board_.begun < due; ++n) {
            std::size_t empty = 0;
            while (empty < groups_.size() && !groups_[next_++ % groups_.size()]->close_one()) ++empty;
            if (empty == groups_.size()) return;
        }
    }

    void weigh() {
        const std::uint32_t asked = board_.weighing_asked;
        if (asked == board_.weighing_done) return;
        board_.heap = ::mallinfo2().uordblks;
        board_.weighing_done = asked;
    }

    asio::steady_timer timer_;
    std::vector<std::unique_ptr<group>>& groups_;
    std::size_t at_a_time_;
    std::size_t next_ = 0;
    scoreboard& board_;
    std::optional<steady::time_point> began_;
    steady::time_point before_last_;
    steady::time_point last_;
    processor_wait starved_;
    std::chrono::nanoseconds starved_until_last_{};
    bool over_ = false;
};

} // namespace

int serve(serving what, std::uint16_t echo_at, std::size_t peers, scoreboard& board) {
    asio::io_context io(1);
    make_room_for(io, peers + peers / kinds.size() + 1);
    auto groups = groups_of(what, io, peers, board);
    for (const auto& one : groups) one->accept();
    closeside::acceptor<closeside::policies::graceful> healthy(io, tcp::endpoint(tcp::v4(), echo_at));
    healthy.async_accept([&](closeside::error_code ec, auto stream) {
        if (!ec) std::make_shared<echo>(std::move(stream))->read();
    });
    // A close that blocks has the thread for itself; between two of them others get their turn.
    heart beating(io, groups, what == serving::blocking_linger ? 1 : 100, board);
    beating.beat();
    board.listening = true;
    io.run();
    return 0;
}

} // namespace lab::slow_peer
