// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_TOLD_HPP
#define CLOSESIDE_TESTS_PORTED_TOLD_HPP

#include "ported/types.hpp"
#include "support/kernel_view.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace ported {

/// How a close has ended.
struct told_end {
    error_code ec;
    closeside::close_report report;
};

/// By the peer's address.
class told_ends {
public:
    void add(const tcp::endpoint& peer, const told_end& end) {
        const std::lock_guard lock(mutex_);
        ends_[peer] = end;
    }

    /// Waits for it.
    told_end of(const tcp::endpoint& peer) const {
        const auto is_there = [&] {
            const std::lock_guard lock(mutex_);
            return ends_.contains(peer);
        };
        if (!kernel_view::eventually(is_there)) throw std::runtime_error("no close has been told of");
        const std::lock_guard lock(mutex_);
        return ends_.at(peer);
    }

private:
    mutable std::mutex mutex_;
    std::map<tcp::endpoint, told_end> ends_;
};

/// A stream whose close() is async_close, and told() what that reports.
template <closeside::close_policy P>
class told_stream : public closeside::stream<P> {
public:
    told_stream(closeside::stream<P>&& stream) : closeside::stream<P>(std::move(stream)) {
        error_code ignored;
        peer_ = this->remote_endpoint(ignored);
    }

    static told_ends& told() {
        static told_ends ends;
        return ends;
    }

    void close() {
        if (!this->is_open()) return;
        this->async_close([peer = peer_](error_code ec, const closeside::close_report& report) {
            told().add(peer, {ec, report});
        });
    }

private:
    tcp::endpoint peer_;
};

template <closeside::close_policy P>
struct told_types {
    using socket = told_stream<P>;
    using acceptor = closeside::acceptor<P>;
};

} // namespace ported

#endif
