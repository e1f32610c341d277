// SPDX-License-Identifier: BSL-1.0
// Closes of TLS connections on standalone Asio: ours, and async_shutdown with a timer.
#include "session.hpp"
#include "tls_peers.hpp"

#include "benchmark/close/subject/our_session.hpp"
#include "benchmark/close/subject/session_pool.hpp"

#include <closeside/ssl.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/ssl/stream.hpp>

#include <iostream>

int main(int argc, char** argv) {
    using namespace benchmark_close;
    using namespace benchmark_tls;
    using context = asio::io_context;
    using our_stream = closeside::ssl_stream<closeside::policies::graceful>;
    using their_stream = asio::ssl::stream<asio::ip::tcp::socket>;
    tls_peers others;
    const int status = run_subject(argc, argv,
                                   {{"ours-told", on_context<context, session<our_stream, ours<told>>>()},
                                    {"ours-detached", on_context<context, session<our_stream, ours<detached>>>()},
                                    {"ours-dropped", on_context<context, session<our_stream, ours<dropped>>>()},
                                    {"by-hand", on_context<context, session<their_stream, by_hand>>()}},
                                   others);
    if (status != 0 || statistics.broken == 0) return status;
    std::cerr << argv[0] << ": " << statistics.broken << " closes did not keep their policy's promise\n";
    return 1;
}
