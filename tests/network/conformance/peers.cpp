// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conformance {

using namespace std::chrono_literals;

peer::peer(peer_kind kind, const tcp::endpoint& to)
    : kind_(kind), fd_(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 16 * 1024; // floods and full queues need not be large
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (fd_ < 0 || ::connect(fd_, to.data(), static_cast<socklen_t>(to.size())) != 0)
        throw std::runtime_error("peer: connect");
    auto size = static_cast<socklen_t>(local_.capacity());
    ::getsockname(fd_, local_.data(), &size);
    local_.resize(size);
}

void peer::prepare() {
    switch (kind_) {
    case peer_kind::closes_first: close(), ended_ = true; break;
    case peer_kind::resets_at_once: reset(); break;
    case peer_kind::trickles: send_one_byte(); break;
    case peer_kind::floods: send_while_possible(); break;
    case peer_kind::half_closes_first:
        for (int i = 0; i < 100; ++i) send_one_byte();
        ::shutdown(fd_, SHUT_WR);
        break;
    default: break;
    }
}

void peer::account(evidence& e) const {
    e.peer_sent = sent_;
    e.peer_received = received_;
    e.peer_saw_eof = saw_eof_;
    e.peer_error = error_;
    e.peer_ended = ended_;
    e.peer_unread = unread();
    e.peer_sent_on = sent_on_;
}

std::uint64_t peer::unread() const noexcept {
    int bytes = 0;
    return fd_ >= 0 && ::ioctl(fd_, FIONREAD, &bytes) == 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

void peer::close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void peer::reset() noexcept {
    const ::linger abort{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close();
    ended_ = true;
}

void peer::note_sent(std::uint64_t bytes) {
    sent_ += bytes;
    if (begun_ && sent_on_ == wall_clock::time_point{}) sent_on_ = wall_clock::now();
}

bool peer::send_one_byte() {
    const ssize_t n = ::send(fd_, "p", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) note_sent(1);
    if (n < 0 && errno != EAGAIN) error_ = errno, ended_ = true;
    return n > 0;
}

void peer::send_while_possible() {
    static constexpr std::array<char, 16 * 1024> data{};
    // Bounded, so that the other peers get their turn.
    for (int i = 0; i < 64; ++i) {
        const ssize_t n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN) error_ = errno, ended_ = true;
            return;
        }
        note_sent(static_cast<std::uint64_t>(n));
    }
}

short peer::step(short ready) {
    switch (kind_) {
    case peer_kind::closes_on_eof:
    case peer_kind::half_closes_first: {
        if (!ready) return POLLIN;
        std::array<char, 4096> buffer;
        const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n > 0) received_ += static_cast<std::uint64_t>(n);
        if (n < 0 && errno != EAGAIN) error_ = errno;
        saw_eof_ = n == 0;
        if (n == 0 || error_ != 0) close(), ended_ = true;
        return POLLIN;
    }
    case peer_kind::floods: send_while_possible(); return POLLOUT;
    case peer_kind::trickles:
        if (steady::now() >= next_byte_) {
            send_one_byte();
            next_byte_ = steady::now() + peers::trickle_pace;
        }
        return 0;
    case peer_kind::resets_mid_drain:
        if (told_to_reset_ || (!resets_on_order_ && steady::now() >= begun_at_ + peers::reset_after)) reset();
        return 0;
    default: return 0;
    }
}

peers::peers(std::deque<peer>& all) : all_(all), thread_([this] { run(); }), racing_thread_([this] { race(); }) {}

void peers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    if (racing_thread_.joinable()) racing_thread_.join();
}

void peers::run() {
    std::vector<::pollfd> waits(all_.size());
    while (!stop_) {
        for (std::size_t i = 0; i < all_.size(); ++i) {
            peer& p = all_[i];
            const bool active = p.begun_ && !p.ended_ && p.kind_ != peer_kind::simultaneous;
            const short events = active ? p.step(waits[i].revents) : short{0};
            waits[i] = {active && events && !p.ended_ ? p.fd_ : -1, events, 0};
        }
        ::poll(waits.data(), waits.size(), 2);
    }
}

void peers::close_together_with_caller(peer& p) {
    using steady = std::chrono::steady_clock;
    steady::time_point at;
    {
        const std::lock_guard lock(mutex_);
        at = steady::now() + 200us;
        // Which end is a hair earlier changes from race to race.
        races_.push_back({&p, at + std::chrono::microseconds(turn_++ % 7 - 3)});
    }
    changed_.notify_one();
    while (steady::now() < at) {
    }
}

void peers::race() {
    using steady = std::chrono::steady_clock;
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return stop_ || !races_.empty(); });
        if (races_.empty()) return;
        const start next = races_.back();
        races_.pop_back();
        lock.unlock();
        while (steady::now() < next.at) {
        }
        next.who->close();
        next.who->ended_ = true;
        lock.lock();
    }
}

} // namespace conformance
