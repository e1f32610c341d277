// SPDX-License-Identifier: BSL-1.0
// Reading and writing through closeside::stream or through the socket that is in it, one template for both. Each is a
// program of its own, since what the compiler inlines depends on how often a function is called.
#include "operations.hpp"
#include "other_end.hpp"

#include "benchmark/support/measured_part.hpp"

#include <closeside/stream.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

namespace {

/// TCP as it is.
template <class Stream>
class connection {
    benchmark_data::other_end other_;

public:
    static constexpr std::size_t size = benchmark_data::operation_size, ahead = benchmark_data::operations_ahead;

    explicit connection(asio::io_context& context)
        : stream(asio::ip::tcp::socket(context, asio::ip::tcp::v4(), other_.release())) {}

    void feed() { other_.feed(); }
    void drain() { other_.drain(); }

    Stream stream;
};

} // namespace

int main(int argc, char** argv) try {
    using namespace benchmark_data;
    benchmark_support::end_after_a_minute();
    if (argc != 3) {
        std::cerr << "usage: " << argv[0]
                  << " read_some|write_some|async_read_some|async_write_some|co_await <count>\n";
        return 2;
    }
#if defined(CLOSESIDE_OURS)
    using subject = closeside::stream<closeside::policies::graceful>;
#else
    using subject = asio::ip::tcp::socket;
#endif
    operations<connection<subject>>(std::stoul(argv[2])).run(argv[1]);
    return 0;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}
