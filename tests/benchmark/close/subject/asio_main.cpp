// SPDX-License-Identifier: BSL-1.0
// Closes on standalone Asio: ours, and a lingering close written by hand.
#include "lingering_session.hpp"
#include "our_session.hpp"
#include "session_pool.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <iostream>

int main(int argc, char** argv) {
    using namespace benchmark_close;
    using context = asio::io_context;
    const int status = run_subject(argc, argv,
                                   {{"ours-told", on_context<context, our_session<told>>()},
                                    {"ours-recycling", on_context<context, our_session<told_with_recycled_memory>>()},
                                    {"ours-detached", on_context<context, our_session<detached>>()},
                                    {"ours-dropped", on_context<context, our_session<dropped>>()},
                                    {"by-hand-4k", on_context<context, lingering_session<own_buffer>>()},
                                    {"by-hand-64k", on_context<context, lingering_session<shared_buffer>>()}});
    if (status != 0 || statistics.broken == 0) return status;
    std::cerr << argv[0] << ": " << statistics.broken << " closes did not keep their policy's promise\n";
    return 1;
}
