// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_PEERS_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_PEERS_HPP

#include "cell.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace conformance {

/// Lets the socket drop every segment that arrives for it, or no longer.
void make_deaf(int fd, bool deaf);

/// The far end of one connection: a plain descriptor that no library touches.
class peer {
public:
    peer(peer_kind kind, const tcp::endpoint& to);
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;
    ~peer() { close(); }

    /// What this kind does before the close begins; for some after the program has done its part.
    void prepare();
    /// Reads until our FIN, then closes.
    void read_to_the_end();

    /// The close begins: the thread of `peers` takes over.
    void begin() { begun_at_ = steady::now(), begun_.store(true); }
    /// Where the close is cut short: what is to be done later is done after the cut, and not after a time of its own.
    void act_now() { ordered_at_ = steady::now(), ordered_.store(true); }

    const tcp::endpoint& local() const noexcept { return local_; }
    peer_kind kind() const noexcept { return kind_; }
    bool ended() const noexcept { return ended_.load(); }
    /// Ends by itself, whatever the other end does.
    bool will_end() const noexcept;

    void waits_for_order() noexcept { waits_for_order_ = true; }
    void account(evidence& e) const;
    /// Bytes in its receive queue.
    std::uint64_t unread() const noexcept;
    void close() noexcept;

private:
    friend class peers;
    using steady = std::chrono::steady_clock;
    static constexpr auto goodbye_s_fin = std::chrono::milliseconds(40);
    static constexpr auto slow_pace = std::chrono::milliseconds(20);  // for 1000 bytes
    static constexpr auto chat_pace = std::chrono::milliseconds(100); // for 9 bytes

    /// At once, and some of them at least.
    bool send_bytes(int count);
    bool send_one_byte() { return send_bytes(1); }
    void note_sent(std::uint64_t bytes);
    void send_while_possible();
    void reset() noexcept;
    /// One step; returns the poll events to wait for.
    short step(short ready);
    short read_until_eof(short ready, std::size_t at_most = 4096);
    void read_slowly();
    void connect(const tcp::endpoint& to);
    void look_up_local();
    void refuse(const tcp::endpoint& at, bool listens);
    bool is_later(std::chrono::milliseconds more = {}) const;

    peer_kind kind_;
    int fd_ = -1;
    int in_backlog_ = -1;
    bool acted_ = false; ///< has done what it does later
    tcp::endpoint local_;
    steady::time_point begun_at_{};
    steady::time_point ordered_at_{};
    steady::time_point next_byte_{};
    steady::time_point next_read_{};
    std::atomic<bool> begun_ = false;
    std::atomic<bool> ordered_ = false;
    std::atomic<bool> ended_ = false;
    bool waits_for_order_ = false;
    bool saw_eof_ = false;
    int error_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    wall_clock::time_point sent_on_{};
};

/// The thread that all peers of a group live on, and one more for those that close at the same microsecond.
class peers {
public:
    static constexpr auto trickle_pace = std::chrono::milliseconds(20);

    explicit peers(std::deque<peer>& all);
    ~peers() { stop(); }

    /// Returns at the instant at which `p` is closed by the other thread, give or take what the scheduler allows.
    void close_together_with_caller(peer& p);

    void stop();

private:
    void run();
    void race();

    std::deque<peer>& all_;
    std::atomic<bool> stop_ = false;
    struct start {
        peer* who;
        std::chrono::steady_clock::time_point at;
    };
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<start> races_;
    int turn_ = 0;
    std::thread thread_;
    std::thread racing_thread_;
};

} // namespace conformance

#endif
