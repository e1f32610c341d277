// SPDX-License-Identifier: BSL-1.0
// The server on plain Asio: how a connection ends is a value, so that one kind of ending or ten is a matter of the table.
#include "plain_server.hpp"

int main() {
    asio::io_context io;
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](std::error_code, int) { io.stop(); });
    for (const ending& how : endings) listen(io, how.port, how);
    io.run();
}
