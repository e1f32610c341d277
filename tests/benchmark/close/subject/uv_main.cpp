// SPDX-License-Identifier: BSL-1.0
// Closes on libuv: uv_shutdown, reading on until the end of file, uv_close.
#include "subject.hpp"

#include <uv.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace benchmark_close {

namespace {

void checked(int result, const char* call) {
    if (result != 0) throw std::runtime_error(std::string(call) + ": " + ::uv_strerror(result));
}

/// A connection with a timer for its time limits, both freed when libuv has let go of both.
/** It reads all the time, as programs on libuv do, so that the close need not start that. */
class uv_session {
public:
    uv_session(uv_loop_t* loop, int fd) {
        checked(::uv_tcp_init(loop, &tcp_), "uv_tcp_init");
        checked(::uv_timer_init(loop, &timer_), "uv_timer_init");
        tcp_.data = timer_.data = shutdown_.data = this;
        checked(::uv_tcp_open(&tcp_, fd), "uv_tcp_open");
        checked(::uv_read_start(stream(), give_buffer, was_read), "uv_read_start");
    }
    uv_session(const uv_session&) = delete;
    uv_session& operator=(const uv_session&) = delete;

    void close() {
        ::uv_timer_start(
            &timer_, [](uv_timer_t* t) { of(t).finish(); }, 5000, 0);
        const auto sent = [](uv_shutdown_t* request, int status) {
            if (status != 0) of(request).finish();
        };
        if (::uv_shutdown(&shutdown_, stream(), sent) != 0) finish();
    }

private:
    template <class Handle>
    static uv_session& of(Handle* handle) {
        return *static_cast<uv_session*>(handle->data);
    }
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }

    /// One for all, since nothing of what is read is kept.
    static void give_buffer(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
        static std::array<char, 64 * 1024> data;
        *buffer = ::uv_buf_init(data.data(), data.size());
    }

    static void was_read(uv_stream_t* stream, ssize_t bytes, const uv_buf_t*) {
        if (bytes < 0) of(stream).finish();
    }

    void finish() {
        if (::uv_is_closing(reinterpret_cast<uv_handle_t*>(&tcp_)) != 0) return;
        const auto closed = [](uv_handle_t* handle) {
            if (--of(handle).handles_ == 0) delete &of(handle);
        };
        ::uv_close(reinterpret_cast<uv_handle_t*>(&timer_), closed);
        ::uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), closed);
    }

    uv_tcp_t tcp_;
    uv_timer_t timer_;
    uv_shutdown_t shutdown_;
    int handles_ = 2;
};

class uv_subject final : public subject {
public:
    uv_subject() {
        checked(::uv_loop_init(&loop_), "uv_loop_init");
        // As the listening socket of a server would, it keeps the loop from ending with the last connection.
        checked(::uv_async_init(&loop_, &wake_, [](uv_async_t*) {}), "uv_async_init");
    }
    ~uv_subject() override {
        ::uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
        ::uv_run(&loop_, UV_RUN_DEFAULT);
        ::uv_loop_close(&loop_);
    }

    void adopt(int fd) override { sessions_.push_back(new uv_session(&loop_, fd)); }

    void close_all() override {
        for (uv_session* const session : sessions_) session->close();
        sessions_.clear();
    }

    void run() override {
        ::uv_run(&loop_, UV_RUN_DEFAULT);
        while (next_) {
            std::exchange(next_, {})();
            ::uv_run(&loop_, UV_RUN_DEFAULT);
        }
    }

    void stop() override {
        ::uv_stop(&loop_);
        ::uv_async_send(&wake_);
    }

    // Between two calls of uv_run, since a callback could come behind the events of the same wake-up.
    void call_next(std::function<void()> f) override {
        next_ = std::move(f);
        stop();
    }

private:
    uv_loop_t loop_;
    uv_async_t wake_;
    std::function<void()> next_;
    std::vector<uv_session*> sessions_;
};

} // namespace

} // namespace benchmark_close

int main(int argc, char** argv) {
    using namespace benchmark_close;
    return run_subject(argc, argv, {{"libuv", [] { return std::make_unique<uv_subject>(); }}});
}
