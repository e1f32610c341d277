// SPDX-License-Identifier: BSL-1.0
// The server on plain Asio whose coroutines are templates of ten types, as with ten policies, though the close is not.
#include "plain_server.hpp"

#include <cstddef>
#include <utility>

namespace {

template <std::size_t I>
struct type_of_ending {
    operator const ending&() const { return endings[I]; }
};

template <std::size_t I>
constexpr type_of_ending<I> the_ending{};

template <std::size_t... I>
void listen_with_each(asio::io_context& io, std::index_sequence<I...>) {
    (listen(io, endings[I].port, the_ending<I>), ...);
}

} // namespace

int main() {
    asio::io_context io;
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](std::error_code, int) { io.stop(); });
    listen_with_each(io, std::make_index_sequence<endings.size()>());
    io.run();
}
