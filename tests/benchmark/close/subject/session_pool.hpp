// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_SESSION_POOL_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_SESSION_POOL_HPP

#include "subject.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace benchmark_close {

/// A subject on an io_context, Asio's or Boost's, whose connections are sessions held by shared_ptr, as in a server.
/** A Session is made from the context and a descriptor; read_request(self) begins to read one byte, close(self) ends
 *  the connection and lets go of itself. */
template <class Context, class Session>
class session_pool final : public subject {
public:
    void adopt(int fd) override {
        sessions_.push_back(std::make_shared<Session>(context_, fd));
        Session::read_request(sessions_.back());
    }

    void close_all() override {
        for (auto& session : sessions_) Session::close(std::move(session));
        sessions_.clear();
    }

    void run() override {
        const auto work = make_work_guard(context_);
        context_.run();
    }

    void stop() override { context_.stop(); }

    void call_next(std::function<void()> f) override { post(context_, std::move(f)); }

private:
    Context context_;
    std::vector<std::shared_ptr<Session>> sessions_;
};

template <class Context, class Session>
subject_factory on_context() {
    return [] { return std::make_unique<session_pool<Context, Session>>(); };
}

} // namespace benchmark_close

#endif
