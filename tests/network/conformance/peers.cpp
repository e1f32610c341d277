// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace conformance {

using namespace std::chrono_literals;

void make_deaf(int fd, bool deaf) {
    ::sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    const ::sock_fprog program{1, nothing};
    const int done = deaf ? ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
                          : ::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &program, sizeof program);
    if (done != 0) throw std::runtime_error("peer: filter");
}

peer::peer(peer_kind kind, const tcp::endpoint& to)
    : kind_(kind),
      fd_(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, is_multipath(kind) ? multipath_tcp : 0)) {
    if (never_connected(kind_))
        refuse({to.address(), 0}, kind_ == peer_kind::connecting);
    else
        connect(to);
}

void peer::connect(const tcp::endpoint& to) {
    // Floods and full queues need not be large; a slow reader's kernel takes little, and acknowledges it in small steps.
    const bool slow = kind_ == peer_kind::reads_slowly;
    const int small = slow ? 4 * 1024 : 16 * 1024;
    const int segment = 500;
    if (slow) ::setsockopt(fd_, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (fd_ < 0 || ::connect(fd_, to.data(), static_cast<socklen_t>(to.size())) != 0)
        throw std::runtime_error("peer: connect");
    look_up_local();
}

/// A port that nobody listens on, or one whose backlog is full, so that a SYN is dropped.
void peer::refuse(const tcp::endpoint& at, bool listens) {
    if (::bind(fd_, at.data(), static_cast<socklen_t>(at.size())) != 0) throw std::runtime_error("peer: bind");
    look_up_local();
    if (!listens) return;
    in_backlog_ = ::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::listen(fd_, 0) != 0 || ::connect(in_backlog_, local_.data(), static_cast<socklen_t>(local_.size())) != 0)
        throw std::runtime_error("peer: full backlog");
}

void peer::look_up_local() {
    auto size = static_cast<socklen_t>(local_.capacity());
    ::getsockname(fd_, local_.data(), &size);
    local_.resize(size);
}

bool peer::will_end() const noexcept {
    switch (kind_) {
    case peer_kind::silent:
    case peer_kind::multipath_silent:
    case peer_kind::stops_reading:
    case peer_kind::our_fin_alone:
    case peer_kind::shared: // by close(2) alone it does not end
    case peer_kind::took_timeout: return false;
    default: return !never_connected(kind_);
    }
}

void peer::prepare() {
    switch (kind_) {
    case peer_kind::multipath_closes_first:
    case peer_kind::closes_first: close(), ended_ = true; break;
    case peer_kind::took_reset:
    case peer_kind::multipath_took_reset:
    case peer_kind::resets_at_once: reset(); break;
    case peer_kind::shut_rd_trickles:
    case peer_kind::trickles: send_one_byte(); break;
    case peer_kind::floods: send_while_possible(); break;
    case peer_kind::pipelined: send_bytes(100); break;
    case peer_kind::reads_slowly: send_bytes(9); break;
    case peer_kind::urgent: ::send(fd_, "u", 1, MSG_OOB | MSG_NOSIGNAL); break;
    case peer_kind::half_closes_first:
        send_bytes(100);
        ::shutdown(fd_, SHUT_WR);
        break;
    case peer_kind::fin_data_reset:
        send_bytes(100);
        ::shutdown(fd_, SHUT_WR);
        reset();
        break;
    case peer_kind::our_fin_after:
    case peer_kind::fins_crossed: ::shutdown(fd_, SHUT_WR); break;
    case peer_kind::took_timeout: make_deaf(fd_, true); break;
    default: break;
    }
}

void peer::read_to_the_end() {
    while (!ended_) {
        ::pollfd readable{fd_, POLLIN, 0};
        if (::poll(&readable, 1, 5000) <= 0) throw std::runtime_error("peer: no end of file");
        read_until_eof(POLLIN);
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
    if (in_backlog_ >= 0) ::close(in_backlog_);
    fd_ = in_backlog_ = -1;
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

bool peer::send_bytes(int count) {
    static constexpr std::array<char, 100> data{};
    const ssize_t n = ::send(fd_, data.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) note_sent(static_cast<std::uint64_t>(n));
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

short peer::read_until_eof(short ready, std::size_t at_most) {
    if (!ready) return POLLIN;
    std::array<char, 4096> buffer;
    const ssize_t n = ::recv(fd_, buffer.data(), std::min(at_most, buffer.size()), MSG_DONTWAIT);
    if (n > 0) received_ += static_cast<std::uint64_t>(n);
    if (n < 0 && errno != EAGAIN) error_ = errno;
    saw_eof_ = n == 0;
    if (n == 0 || error_ != 0) close(), ended_ = true;
    return POLLIN;
}

bool peer::is_later(std::chrono::milliseconds more) const {
    if (waits_for_order_) return ordered_ && steady::now() >= ordered_at_ + more;
    return steady::now() >= begun_at_ + later + more;
}

void peer::read_slowly() {
    const auto now = steady::now();
    if (now >= next_byte_) {
        send_bytes(9);
        ended_ = false; // there may be something to read
        next_byte_ = now + chat_pace;
    }
    if (next_read_ == steady::time_point{}) next_read_ = begun_at_;
    if (now < next_read_) return;
    next_read_ += slow_pace;
    error_ = 0;
    read_until_eof(POLLIN, 1000);
}

short peer::step(short ready) {
    // Looks in on the clock, too.
    const auto once = [this](std::chrono::milliseconds more) { return !acted_ && is_later(more) && (acted_ = true); };
    switch (kind_) {
    case peer_kind::closes_on_eof:
    case peer_kind::multipath_closes_on_eof:
    case peer_kind::half_closes_first:
    case peer_kind::urgent:
    case peer_kind::shared:
    case peer_kind::shut_rd: return read_until_eof(ready);
    case peer_kind::pipelined:
    case peer_kind::shut_rd_later:
        if (once({})) ::shutdown(fd_, SHUT_WR);
        return read_until_eof(ready);
    case peer_kind::goodbye:
        if (sent_ == 0 && is_later()) send_bytes(8);
        if (!ended_ && once(goodbye_s_fin)) ::shutdown(fd_, SHUT_WR);
        return is_later() && !ended_ ? read_until_eof(ready) : short{0};
    case peer_kind::asks_later:
        if (once({})) send_bytes(100);
        return acted_ && !ended_ ? read_until_eof(ready) : short{0};
    case peer_kind::reads_slowly: read_slowly(); return 0;
    case peer_kind::shut_both_later: return is_later() ? read_until_eof(ready) : short{0};
    case peer_kind::floods: send_while_possible(); return POLLOUT;
    case peer_kind::trickles:
    case peer_kind::shut_rd_trickles:
        if (steady::now() >= next_byte_) {
            send_one_byte();
            next_byte_ = steady::now() + peers::trickle_pace;
        }
        return 0;
    case peer_kind::resets_mid_drain:
        if (is_later()) reset();
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
