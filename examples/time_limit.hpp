// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_EXAMPLES_TIME_LIMIT_HPP
#define CLOSESIDE_EXAMPLES_TIME_LIMIT_HPP

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

/// One timer for all waits of a connection, or of a pair: an operation that takes too long is cancelled.
/** For `work(...) || limit.watch()`: the coroutines of one connection are on one strand. */
template <class Stream>
class time_limit {
public:
    using clock = std::chrono::steady_clock;

    explicit time_limit(Stream& client) : client_(client), timer_(client.get_executor()) {}

    /// For the next operation. No call of the kernel, and the timer is touched only where it would be late.
    void set(clock::duration limit) {
        at_ = clock::now() + limit;
        if (at_ < timer_.expiry()) timer_.cancel();
    }

    /// The operations of `other` are cancelled too, until it is null.
    void watch_too(Stream* other) { other_ = other; }

    /// Never returns. An operation that has completed in the same moment keeps what it has read.
    boost::asio::awaitable<void> watch() {
        while (true) {
            timer_.expires_at(at_);
            co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            if (clock::now() < at_) continue;
            at_ = clock::time_point::max();
            client_.cancel();
            if (other_ != nullptr) other_->cancel();
        }
    }

private:
    Stream& client_;
    Stream* other_ = nullptr;
    boost::asio::steady_timer timer_;
    clock::time_point at_ = clock::time_point::max();
};

#endif
