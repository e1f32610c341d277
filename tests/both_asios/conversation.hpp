// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_BOTH_ASIOS_CONVERSATION_HPP
#define CLOSESIDE_TESTS_BOTH_ASIOS_CONVERSATION_HPP

#include <closeside/closeside.hpp>

#include <chrono>
#include <string>
#include <system_error>

// Included by each half, so that all of it must be told apart by the Asio in use.
namespace {

namespace cs = closeside;
namespace net = closeside::asio;
using namespace std::chrono_literals;

constexpr cs::close_policy front_end{.drain_time = 10s};
constexpr cs::close_policy impatient{.closes_first = cs::side::peer, .patience = 10ms, .drain_time = 10ms};

struct ending {
    cs::error_code ec;
    cs::close_report report;
};

/// The peer closes, or keeps silent.
template <cs::close_policy P>
ending close_one(bool peer_closes) {
    net::io_context io;
    cs::acceptor<P> listener(io, {net::ip::address_v4::loopback(), 0});
    cs::stream<P> server(io);
    net::ip::tcp::socket peer(io);
    listener.async_accept([&](cs::error_code ec, cs::stream<P> accepted) {
        if (!ec) server = std::move(accepted);
    });
    peer.async_connect(listener.local_endpoint(), [](cs::error_code) {});
    io.run_for(10s);
    io.restart();
    if (peer_closes) peer.close();
    ending end;
    server.async_close([&](cs::error_code ec, const cs::close_report& report) { end = {ec, report}; });
    io.run_for(10s);
    return end;
}

std::string converse() {
    const ending good = close_one<front_end>(true);
    if (good.ec || good.report.ended_by != cs::ending::fin) return "a close with its peer: " + good.ec.message();
    const ending late = close_one<impatient>(false);
    if (late.ec != cs::error::patience_over) return "a close without its peer: " + late.ec.message();
    if (late.ec != std::errc::timed_out) return "the portable condition does not hold";
    if (late.ec.message() != "the peer did not close within patience") return "the message is " + late.ec.message();
    return {};
}

} // namespace

#endif
