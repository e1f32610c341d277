// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_GROUP_HPP
#define CLOSESIDE_LAB_SLOW_PEER_GROUP_HPP

#include "scoreboard.hpp"
#include "server.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lab::slow_peer {

/// The server's connections of one kind, and their listener.
class group {
public:
    virtual ~group() = default;
    virtual void accept() = 0;
    /// False if none is left.
    virtual bool close_one() = 0;
};

/// Small enough for a send buffer to take it at once, too large for the window of a peer that does not read.
inline constexpr std::array<char, 8192> reply{};

template <class Stream, class Acceptor>
class group_of : public group {
public:
    group_of(asio::io_context& io, std::uint8_t which, std::size_t peers, scoreboard& board)
        : board_(board), which_(which), listener_(io, {asio::ip::tcp::v4(), kinds[which].port}) {
        open_.reserve(peers);
    }

    void accept() final {
        listener_.async_accept([this](closeside::error_code ec, Stream stream) {
            if (!ec) take(std::move(stream));
            accept();
        });
    }

    bool close_one() final {
        if (open_.empty()) return false;
        Stream stream = std::move(open_.back());
        open_.pop_back();
        close_record& record = board_.closes[board_.begun++];
        record.kind = which_;
        record.begun = steady::now();
        close(std::move(stream), record);
        return true;
    }

protected:
    virtual void close(Stream stream, close_record& record) = 0;

    scoreboard& board_;

private:
    void take(Stream stream) {
        closeside::error_code gone_already;
        if (kinds[which_].gets_reply()) stream.write_some(asio::buffer(reply), gone_already);
        open_.push_back(std::move(stream));
        ++board_.accepted;
    }

    std::uint8_t which_;
    Acceptor listener_;
    std::vector<Stream> open_;
};

template <closeside::close_policy P>
class closeside_group final : public group_of<closeside::stream<P>, closeside::acceptor<P>> {
    using stream = closeside::stream<P>;
    using group_of<stream, closeside::acceptor<P>>::group_of;

    void close(stream s, close_record& record) override {
        s.async_close([&board = this->board_, &record](closeside::error_code, const closeside::close_report& report) {
            record.elapsed = report.elapsed;
            record.limit = report.limit;
            ++board.ended;
        });
    }
};

/// close(2) with a positive SO_LINGER blocks the thread, though the socket is non-blocking.
class blocking_group final : public group_of<asio::ip::tcp::socket, asio::ip::tcp::acceptor> {
    using group_of::group_of;

    void close(asio::ip::tcp::socket s, close_record& record) override {
        closeside::error_code ignored;
        s.set_option(asio::socket_base::linger(true, static_cast<int>(blocking_linger_time.count())), ignored);
        s.close(ignored);
        record.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - record.begun);
        ++board_.ended;
    }
};

} // namespace lab::slow_peer

#endif
