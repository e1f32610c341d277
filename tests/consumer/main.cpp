// SPDX-License-Identifier: BSL-1.0
#include <closeside/error.hpp>
#include <closeside/policy.hpp>

#include <asio/io_context.hpp>
#include <asio/version.hpp>

static_assert(ASIO_VERSION >= 102201);

int main() {
    asio::io_context io;
    io.run();
    return closeside::contradiction(closeside::policies::graceful) == nullptr ? 0 : 1;
}
