// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_README_PORTING_PAGE_HPP
#define CLOSESIDE_TESTS_README_PORTING_PAGE_HPP

// What the code of examples/porting.md takes for granted.
#include <closeside/closeside.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::ip::tcp;

#endif
