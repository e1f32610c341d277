// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_OUR_SESSION_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_OUR_SESSION_HPP

#include <closeside/stream.hpp>

#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>

namespace benchmark_close {

/// What a server would count of its closes.
struct close_statistics {
    std::uint64_t kept = 0;
    std::uint64_t broken = 0;

    void add(const asio::error_code& ec) noexcept { ++(ec ? broken : kept); }
};

inline close_statistics statistics;

/// async_close with a handler that is told how the connection ended.
struct told {
    template <class Stream>
    static void close(Stream& stream) {
        stream.async_close([](const asio::error_code& ec, const closeside::close_report&) { statistics.add(ec); });
    }
};

/// The same with memory that is used again for the next close.
struct told_with_recycled_memory {
    struct handler {
        using allocator_type = std::pmr::polymorphic_allocator<std::byte>;
        static allocator_type get_allocator() noexcept {
            static std::pmr::unsynchronized_pool_resource pool;
            return &pool;
        }
        void operator()(const asio::error_code& ec, const closeside::close_report&) const noexcept {
            statistics.add(ec);
        }
    };

    template <class Stream>
    static void close(Stream& stream) {
        stream.async_close(handler{});
    }
};

/// async_close whose outcome nobody asks for.
struct detached {
    template <class Stream>
    static void close(Stream& stream) {
        stream.async_close(asio::detached);
    }
};

/// Nothing is called: the stream's destructor finishes.
struct dropped {
    template <class Stream>
    static void close(Stream&) {}
};

template <class Ending>
class our_session {
public:
    our_session(asio::io_context& context, int fd) : stream_(asio::ip::tcp::socket(context, asio::ip::tcp::v4(), fd)) {}

    static void read_request(const std::shared_ptr<our_session>& self) {
        self->stream_.async_read_some(asio::buffer(&self->request_, 1),
                                      [self](const asio::error_code&, std::size_t) {});
    }

    static void close(std::shared_ptr<our_session> self) { Ending::close(self->stream_); }

private:
    closeside::stream<closeside::policies::graceful> stream_;
    char request_ = 0;
};

} // namespace benchmark_close

#endif
