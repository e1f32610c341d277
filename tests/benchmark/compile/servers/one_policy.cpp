// SPDX-License-Identifier: BSL-1.0
#include "our_server.hpp"

int main() {
    asio::io_context io;
    listen<closeside::policies::graceful>(io, 8080);
    run(io);
}
