// SPDX-License-Identifier: BSL-1.0
#include "peer.hpp"

#include "message.hpp"
#include "programs.hpp"

#include "observation/wait.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <thread>

namespace lab::tls {

namespace {

using namespace std::chrono_literals;
using observation::steady;

constexpr std::uint64_t everything = ~std::uint64_t{0};
constexpr auto pace = 2ms; // of looks at the stop token
const std::string more(512, 'q');
constexpr auto pace_of_more = 250us;
constexpr std::size_t most_more = 4000; // a second, and more than anybody waits for its end

end_seen seen(met what) {
    switch (what) {
    case met::close_notify: return end_seen::close_notify;
    case met::fin: return end_seen::fin_alone;
    case met::reset: return end_seen::reset;
    case met::data:
    case met::nothing_yet: break;
    }
    return end_seen::nothing;
}

void block_sigpipe() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

} // namespace

const char* to_string(end_seen e) noexcept {
    switch (e) {
    case end_seen::not_looked_for: return "-";
    case end_seen::close_notify: return "close_notify";
    case end_seen::fin_alone: return "FIN alone";
    case end_seen::reset: return "RST";
    case end_seen::nothing: return "nothing";
    }
    return "?";
}

/// Until `enough` bytes are there, or the end, which it notes.
void peer::read(channel& with, std::uint64_t enough, bool sends) {
    const auto deadline = steady::now() + bound;
    std::size_t sent = 0;
    auto next = steady::now();
    while (view_.received < enough) {
        const met what = with.read(std::min<std::uint64_t>(enough - view_.received, reply_size), view_.received);
        if (what == met::nothing_yet) with.wait_for_input(sends ? 1ms : 100ms);
        if (what != met::data && what != met::nothing_yet) view_.end = seen(what);
        if (what > met::nothing_yet) return;
        if (steady::now() >= deadline) {
            view_.end = end_seen::nothing;
            return;
        }
        if (!sends || sent == most_more || steady::now() < next) continue;
        next = steady::now() + pace_of_more;
        if (with.write(more)) ++sent;
    }
}

void peer::converse(observation::endpoint server, const std::stop_token& stop) {
    block_sigpipe();
    channel to_server(server, what_.over, bound);
    if (!to_server.write(request)) throw std::runtime_error("the request was not sent");
    switch (what_.peer) {
    case peer_kind::closes_first:
        read(to_server, reply_size, false);
        to_server.read(1, view_.received);
        break;
    case peer_kind::closes_unread: return read(to_server, reply_size, false);
    case peer_kind::stops_half_way:
    case peer_kind::resets: read(to_server, reply_size / 2, false); break;
    default: read(to_server, everything, what_.peer == peer_kind::keeps_sending);
    }
    if (what_.peer == peer_kind::resets) return to_server.reset();
    if (what_.peer == peer_kind::never_closes || what_.peer == peer_kind::stops_half_way) {
        finished_ = true;
        const auto deadline = steady::now() + bound;
        while (!stop.stop_requested() && steady::now() < deadline) std::this_thread::sleep_for(pace);
        return;
    }
    to_server.send_close_notify();
}

void peer::run(observation::endpoint server, const std::stop_token& stop) {
    try {
        if (what_.peer == peer_kind::s_client)
            view_ = run_s_client(server);
        else if (what_.peer == peer_kind::curl)
            view_ = run_curl(server);
        else
            converse(server, stop);
    } catch (const std::exception& e) {
        view_.failure = std::string(to_string(what_.peer)) + ": " + e.what();
    }
    finished_ = true;
}

} // namespace lab::tls
