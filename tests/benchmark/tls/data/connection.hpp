// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_TLS_DATA_CONNECTION_HPP
#define CLOSESIDE_BENCHMARK_TLS_DATA_CONNECTION_HPP

#include "benchmark/data/subject/connected_pair.hpp"
#include "benchmark/support/measured_part.hpp"
#include "support/certificate.hpp"
#include "support/tls_client.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream_base.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>

namespace benchmark_tls {

/// TLS 1.3 to OpenSSL's client, on this very thread, its handshake done. The measured end is the server.
template <class Stream, std::size_t Size>
class connection {
    benchmark_data::connected_pair ends_;
    tests::tls_client client_{ends_.other()};
    asio::ssl::context context_{tests::server_context<asio::ssl::context>()};

public:
    static constexpr std::size_t size = Size;
    /// What is ahead must fit into the receive queue.
    static constexpr std::size_t ahead = Size > 1024 ? 2 : 64;

    explicit connection(asio::io_context& context)
        : stream(asio::ip::tcp::socket(context, asio::ip::tcp::v4(), ends_.measured()), context_) {
        bool ours = false, theirs = false;
        stream.async_handshake(asio::ssl::stream_base::server, [&](const asio::error_code& ec) { ours = !ec; });
        wait_until([&] {
            context.poll();
            theirs = theirs || client_.handshake();
            return ours && theirs;
        });
        context.restart();
    }

    /// Sends what `ahead` reads take, a record for each; it is there when this returns. Not measured.
    void feed() {
        const benchmark_support::not_measured here;
        const std::string text(size, 'x');
        const auto sent = [this] { return ::BIO_number_written(::SSL_get_wbio(client_.native_handle())); };
        const auto before = sent();
        for (std::size_t i = 0; i != ahead; ++i)
            if (!client_.write(text)) throw std::runtime_error("no room for what is sent");
        ends_.wait_for_input(static_cast<int>(sent() - before));
    }

    /// Reads what `ahead` writes have sent. Not measured.
    void drain() {
        const benchmark_support::not_measured here;
        drained_ += ahead * size;
        wait_until([this] { return client_.read().bytes == drained_; });
    }

    Stream stream;

private:
    template <class Condition>
    static void wait_until(Condition met) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!met())
            if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("not done in 10 s");
    }

    std::size_t drained_ = 0;
};

} // namespace benchmark_tls

#endif
