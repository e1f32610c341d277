// SPDX-License-Identifier: BSL-1.0
// Ten listeners, and a policy of its own for each.
#include "our_server.hpp"

#include <chrono>

namespace cs = closeside;
using namespace std::chrono_literals;

namespace {

inline constexpr cs::close_policy site{};
inline constexpr cs::close_policy api{.drain_time = 2s};
inline constexpr cs::close_policy uploads{.drain_time = 30s, .drain_bytes = 64u << 20};
inline constexpr cs::close_policy metrics{.drain_time = 1s, .drain_bytes = 4096};
inline constexpr cs::close_policy front_end{.closes_first = cs::side::peer, .on_limit = cs::limit_action::abort};
inline constexpr cs::close_policy proxied{.closes_first = cs::side::peer, .patience = 60s};
inline constexpr cs::close_policy admin{.on_limit = cs::limit_action::abort};
inline constexpr cs::close_policy feed{.drain_time = 10s, .drain_bytes = 256u << 10};
inline constexpr cs::close_policy mobile{.closes_first = cs::side::peer, .patience = 10s};
inline constexpr cs::close_policy health = cs::policies::abortive;

} // namespace

int main() {
    asio::io_context io;
    listen<site>(io, 8080);
    listen<api>(io, 8081);
    listen<uploads>(io, 8082);
    listen<metrics>(io, 8083);
    listen<front_end>(io, 8084);
    listen<proxied>(io, 8085);
    listen<admin>(io, 8086);
    listen<feed>(io, 8087);
    listen<mobile>(io, 8088);
    listen<health>(io, 8089);
    run(io);
}
