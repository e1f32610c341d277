// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lab::policy {

namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A peer at the end of a path of at most 64 MiB/s with a small window, and not one that shares the server's memory bus:
// what it has not read stays in the server's send queue, where a careless close discards it.
constexpr int receive_buffer = 64 << 10;
constexpr std::size_t read_at_once = 64 << 10;
constexpr auto read_pace = 1ms;
constexpr std::size_t extra_chunk = 4 << 10;
constexpr auto extra_pace = 1ms;
constexpr std::uint64_t extra_at_most = 8 << 20;
constexpr auto tick = 2ms; // how long a poll sleeps before it looks at the stop token again

} // namespace

class peer::connection {
public:
    connection(peer& owner, std::stop_token stop)
        : owner_(owner), lab_(owner.lab_), stop_(std::move(stop)), deadline_(steady::now() + lab_.bound) {}
    ~connection() {
        if (fd_ >= 0) ::close(fd_);
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    bool open() {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(owner_.port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (fd_ < 0 || ::connect(fd_, generic, size) < 0 || ::getsockname(fd_, generic, &size) < 0 ||
            ::fcntl(fd_, F_SETFL, O_NONBLOCK) < 0) {
            fail(errno);
            return false;
        }
        owner_.local_port_ = ntohs(address.sin_port);
        return true;
    }

    bool alive() const {
        const std::lock_guard lock(owner_.mutex_);
        return owner_.view_.error == 0;
    }

    void send_request() {
        const std::vector<char> request(lab_.request_bytes, 'q');
        std::size_t done = 0;
        while (done < request.size() && going_on() && alive() && send_error_ == 0)
            if (wait(POLLOUT) & POLLOUT) done += send_some(request.data() + done, request.size() - done);
    }

    void half_close() { ::shutdown(fd_, SHUT_WR); }

    /// Reads until `enough` bytes, the end, or an error.
    void read(std::uint64_t enough) {
        while (received() < enough && going_on() && alive() && !at_end())
            if (wait(POLLIN) & POLLIN) read_some(enough);
    }

    /// Reads like read(), and sends a little all the time until `reaction` after the reply is whole.
    void read_while_sending(std::uint64_t enough, steady::duration reaction) {
        const std::vector<char> extra(extra_chunk, 'x');
        steady::time_point next = steady::now();
        std::optional<steady::time_point> end;
        while (going_on() && alive()) {
            const auto now = steady::now();
            if (!end && (received() >= enough || at_end())) end = now + reaction;
            if (end && now >= *end) return;
            if (now >= next && sent() < lab_.request_bytes + extra_at_most) {
                if (send_error_ == 0) send_some(extra.data(), extra.size());
                next = now + extra_pace;
            }
            if (end)
                std::this_thread::sleep_for(extra_pace);
            else if (wait(POLLIN, extra_pace) & POLLIN)
                read_some(enough);
        }
    }

    void react() { std::this_thread::sleep_for(lab_.peer_reaction); }

    /// Neither reads nor writes nor closes until told to; notices a reset all the same.
    void hold(bool notice_end) {
        finished();
        while (going_on()) {
            if (!alive()) {
                std::this_thread::sleep_for(tick);
                continue;
            }
            const short events = notice_end && !at_end() ? POLLIN : short{0};
            if (wait(events) & POLLIN) read_some(received() + 1);
        }
    }

    void reset() {
        const linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        {
            const std::lock_guard lock(owner_.mutex_);
            owner_.view_.sent_reset = owner_.view_.error == 0;
        }
        close();
    }

    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
        finished();
    }

private:
    bool going_on() const { return !stop_.stop_requested() && steady::now() < deadline_; }

    std::uint64_t received() const {
        const std::lock_guard lock(owner_.mutex_);
        return owner_.view_.received;
    }
    std::uint64_t sent() const {
        const std::lock_guard lock(owner_.mutex_);
        return owner_.view_.sent;
    }
    bool at_end() const {
        const std::lock_guard lock(owner_.mutex_);
        return owner_.view_.end_of_file;
    }
    void fail(int error) {
        const std::lock_guard lock(owner_.mutex_);
        if (owner_.view_.error == 0) owner_.view_.error = error;
    }
    void finished() {
        const std::lock_guard lock(owner_.mutex_);
        owner_.view_.finished = true;
    }

    short wait(short events, std::chrono::milliseconds at_most = tick) {
        pollfd entry{.fd = fd_, .events = events, .revents = 0};
        if (::poll(&entry, 1, static_cast<int>(at_most.count())) <= 0) return 0;
        // A peer that still reads gets the queued data first and the error from recv.
        if ((entry.revents & POLLERR) && !(entry.revents & events)) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
            fail(error ? error : ECONNRESET);
        }
        return entry.revents;
    }

    std::size_t send_some(const char* data, std::size_t size) {
        const ssize_t n = ::send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            // The receive queue may still hold a part of the reply, so this is not the end yet. But send took the error
            // from the socket: recv will report a plain end of file where the queue ends.
            if (errno != EAGAIN && errno != EINTR) send_error_ = errno;
            return 0;
        }
        const std::lock_guard lock(owner_.mutex_);
        owner_.view_.sent += static_cast<std::uint64_t>(n);
        return static_cast<std::size_t>(n);
    }

    void read_some(std::uint64_t enough) {
        std::this_thread::sleep_until(next_read_);
        next_read_ = steady::now() + read_pace;
        const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), enough - received());
        const ssize_t n = ::recv(fd_, buffer_.data(), wanted, MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR) fail(errno);
            return;
        }
        if (n == 0 && send_error_ != 0) return fail(send_error_);
        const std::lock_guard lock(owner_.mutex_);
        owner_.view_.received += static_cast<std::uint64_t>(n);
        if (n == 0) owner_.view_.end_of_file = true;
    }

    peer& owner_;
    const settings& lab_;
    std::stop_token stop_;
    steady::time_point deadline_;
    int fd_ = -1;
    int send_error_ = 0;
    steady::time_point next_read_{};
    std::vector<char> buffer_ = std::vector<char>(read_at_once);
};

void peer::run(std::stop_token stop) {
    connection c(*this, std::move(stop));
    if (c.open()) {
        c.send_request();
        const std::uint64_t whole = lab_.reply_bytes;
        switch (kind_) {
        case peer_kind::closes_after_reply:
            c.read(whole);
            c.react();
            break;
        case peer_kind::closes_first:
            c.half_close();
            c.read(whole + 1);
            c.react();
            break;
        case peer_kind::keeps_sending: c.read_while_sending(whole, lab_.peer_reaction); break;
        case peer_kind::never_closes:
            c.read(whole);
            c.hold(true);
            break;
        case peer_kind::stops_reading:
            c.read(whole / 2);
            c.hold(false);
            break;
        case peer_kind::resets:
            c.read(whole / 2);
            c.reset();
            break;
        }
    }
    c.close();
}

peer_view peer::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

} // namespace lab::policy
