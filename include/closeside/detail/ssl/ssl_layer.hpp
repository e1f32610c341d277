// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_SSL_LAYER_HPP
#define CLOSESIDE_DETAIL_SSL_SSL_LAYER_HPP

#include <closeside/detail/asio/hooked_handler.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The stream below TLS, which sees whether all that TLS has given out has reached the send queue.
template <class Stream>
class ssl_layer : public Stream {
public:
    using Stream::Stream;
    explicit ssl_layer(Stream&& other) noexcept : Stream(std::move(other)) {}

    /// A record is half sent, or was when its write ended: what is sent now would be taken for the rest of it.
    bool record_is_cut() const noexcept { return writes_ != 0 || cut_; }

    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, error_code& ec) {
        const std::size_t n = Stream::write_some(buffers, ec);
        if (ec) cut_ = true; // would_block too: Asio does not keep the rest
        return n;
    }

    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler&& handler) {
        static_assert(!std::is_reference_v<Handler>, "for Asio's composed writes");
        ++writes_;
        Stream::async_write_some(buffers, hook_handler(written{this}, std::move(handler)));
    }

private:
    /// The layer stays as long as the handler: that of an operation on the TLS stream is in it.
    struct written {
        template <class Handler>
        void operator()(Handler&& handler, const error_code& ec, std::size_t bytes) const {
            --layer->writes_;
            if (ec) layer->cut_ = true;
            std::move(handler)(ec, bytes);
        }
        ssl_layer* layer;
    };

    unsigned writes_ = 0;
    bool cut_ = false;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
