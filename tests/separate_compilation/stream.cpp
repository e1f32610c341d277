// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

int main() {
    asio::io_context io;
    const closeside::stream<closeside::policies::graceful> closed(io);
    return closed.is_open() ? 1 : 0;
}
