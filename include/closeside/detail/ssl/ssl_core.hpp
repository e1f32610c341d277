// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_SSL_CORE_HPP
#define CLOSESIDE_DETAIL_SSL_SSL_CORE_HPP

#include <closeside/detail/asio/hooked_handler.hpp>
#include <closeside/detail/ssl/asio_ssl.hpp>
#include <closeside/detail/ssl/counted_ptr.hpp>
#include <closeside/detail/ssl/engine.hpp>
#include <closeside/detail/ssl/ssl_layer.hpp>

#include <cstddef>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What an ssl_stream owns. Every operation under way owns it too: Asio's refer to it until their handlers have run.
template <class Stream>
struct ssl_core : counted {
    using layer_type = ssl_layer<Stream>;

    template <class Arg, class Tls>
    ssl_core(Arg&& arg, Tls&& tls) : stream(std::forward<Arg>(arg), std::forward<Tls>(tls)) {}

    layer_type& layer() noexcept { return stream.next_layer(); }
    SSL* native_handle() noexcept { return stream.native_handle(); }

    bool record_is_cut() noexcept { return layer().record_is_cut() || has_unsent_output(native_handle()); }

    /// A message or a record of ours is not whole: the peer is to see that.
    bool write_is_cut() noexcept { return writes != 0 || write_has_failed || message_is_cut || record_is_cut(); }

    /// One that took less than it was given leaves its message cut, unless another goes on with the rest: a composed write
    /// that is cancelled between two of them ends so, without an error of theirs.
    void write_ended(const error_code& ec, std::size_t bytes, std::size_t given) noexcept {
        if (ec) write_has_failed = true;
        message_is_cut = bytes < given;
    }

    void read_ended(const error_code& ec) noexcept {
        if (ec && ec == asio::ssl::error::stream_truncated) truncated = true;
    }

    asio::ssl::stream<layer_type> stream;
    unsigned writes = 0; ///< of the program, under way
    bool write_has_failed = false;
    bool message_is_cut = false; ///< as its last write has left it
    bool truncated = false;
};

/// The hook of an operation that only has to keep the core.
template <class Core>
struct keep_core {
    template <class Handler, class... Result>
    void operator()(Handler&& handler, const error_code& ec, Result... result) const {
        std::move(handler)(ec, result...);
    }
    counted_ptr<Core> core;
};

template <class Core>
struct count_read {
    template <class Handler>
    void operator()(Handler&& handler, const error_code& ec, std::size_t bytes) const {
        core->read_ended(ec);
        std::move(handler)(ec, bytes);
    }
    counted_ptr<Core> core;
};

/// A write that ends without its handler, since its context is destroyed, was cut as well.
template <class Core>
class count_write {
public:
    count_write(counted_ptr<Core>&& core, std::size_t given) noexcept : core_(std::move(core)), given_(given) {
        ++core_->writes;
    }
    count_write(count_write&&) noexcept = default;
    count_write& operator=(count_write&&) = delete;

    template <class Handler>
    void operator()(Handler&& handler, const error_code& ec, std::size_t bytes) {
        --core_->writes;
        core_->write_ended(ec, bytes, given_);
        std::move(handler)(ec, bytes);
    }

private:
    counted_ptr<Core> core_;
    std::size_t given_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
