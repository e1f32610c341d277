// SPDX-License-Identifier: BSL-1.0
#include "attempt.hpp"

#include "old_server.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/close_policy.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <system_error>

namespace lab::restart {

namespace {

namespace cs = closeside;

constexpr cs::close_policy by_default{};
constexpr cs::close_policy without_reuse{.reuse_address = false};

template <cs::close_policy P>
void accept_under(attempt& result) {
    asio::io_context io;
    try {
        const cs::acceptor<P> listener(io, {asio::ip::tcp::v4(), server_port});
    } catch (const cs::system_error& e) {
        result.error = e.code().value();
        result.said = e.what();
    }
}

} // namespace

const char* to_string(newcomer n) noexcept {
    switch (n) {
    case newcomer::plain: return "no option";
    case newcomer::reuse_address: return "SO_REUSEADDR";
    case newcomer::reuse_port: return "SO_REUSEPORT";
    case newcomer::acceptor: return "acceptor";
    case newcomer::acceptor_without: return "reuse_address = false";
    }
    return "?";
}

const char* key(newcomer n) noexcept {
    switch (n) {
    case newcomer::plain: return "plain";
    case newcomer::reuse_address: return "reuse_address";
    case newcomer::reuse_port: return "reuse_port";
    case newcomer::acceptor: return "acceptor";
    case newcomer::acceptor_without: return "acceptor_without_reuse_address";
    }
    return "?";
}

attempt try_to_listen(const host& where, newcomer who) {
    const inside here(where);
    attempt result{.who = who, .error = 0, .said = {}};
    switch (who) {
    case newcomer::plain: result.error = listen_on_port({}).error; break;
    case newcomer::reuse_address: result.error = listen_on_port({.reuse_address = true}).error; break;
    case newcomer::reuse_port: result.error = listen_on_port({.reuse_port = true}).error; break;
    case newcomer::acceptor: accept_under<by_default>(result); break;
    case newcomer::acceptor_without: accept_under<without_reuse>(result); break;
    }
    return result;
}

} // namespace lab::restart
