// SPDX-License-Identifier: BSL-1.0
// One policy and what a real server has besides: the headers that hold everything, and a check of its host.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include "our_server.hpp"

#include <iostream>

int main() {
    closeside::warn_at_startup<closeside::policies::graceful>(std::clog);
    asio::io_context io;
    listen<closeside::policies::graceful>(io, 8080);
    run(io);
}
