// SPDX-License-Identifier: BSL-1.0
// error: an executor of the Networking TS works as asio::any_io_executor only
#include <closeside/stream.hpp>

#include <asio/detached.hpp>
#include <asio/executor.hpp>

#ifdef BAD
using executor = asio::executor;
#else
using executor = asio::any_io_executor;
#endif

void close(closeside::basic_stream<closeside::policies::graceful, executor>& stream) {
    stream.async_close(asio::detached);
}
