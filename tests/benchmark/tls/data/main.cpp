// SPDX-License-Identifier: BSL-1.0
// Reading and writing through closeside::ssl_stream or through asio::ssl::stream, one template for both, in programs apart.
#include "connection.hpp"

#include "benchmark/data/subject/operations.hpp"
#include "benchmark/support/measured_part.hpp"

#if defined(CLOSESIDE_OURS)
#include <closeside/ssl.hpp>
#else
#include <asio/ip/tcp.hpp>
#include <asio/ssl/stream.hpp>
#endif

#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
    benchmark_support::end_after_a_minute();
    if (argc != 3) {
        std::cerr << "usage: " << argv[0]
                  << " read_some|write_some|async_read_some|async_write_some|co_await <count>\n";
        return 2;
    }
#if defined(CLOSESIDE_OURS)
    using subject = closeside::ssl_stream<closeside::policies::graceful>;
#else
    using subject = asio::ssl::stream<asio::ip::tcp::socket>;
#endif
    using connection = benchmark_tls::connection<subject, CLOSESIDE_SIZE>;
    benchmark_data::operations<connection>(std::stoul(argv[2])).run(argv[1]);
    return 0;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}
