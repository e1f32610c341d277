// SPDX-License-Identifier: BSL-1.0
// Reading and writing through closeside::stream and through the socket that is in it, one template for both.
#include "operations.hpp"

#include "benchmark/support/measured_part.hpp"

#include <closeside/stream.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

int main(int argc, char** argv) try {
    using namespace benchmark_data;
    benchmark_support::end_after_a_minute();
    if (argc != 4) {
        std::cerr << "usage: " << argv[0]
                  << " ours|asio read_some|write_some|async_read_some|async_write_some|co_await <count>\n";
        return 2;
    }
    const std::string subject = argv[1];
    const std::size_t count = std::stoul(argv[3]);
    if (subject == "ours")
        operations<closeside::stream<closeside::policies::graceful>>(count).run(argv[2]);
    else if (subject == "asio")
        operations<asio::ip::tcp::socket>(count).run(argv[2]);
    else
        throw std::invalid_argument("'" + subject + "': say ours or asio");
    return 0;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}
