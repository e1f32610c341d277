// SPDX-License-Identifier: BSL-1.0
#include "client.hpp"

#include "../support/observed.hpp"

#include <closeside/connect.hpp>
#include <closeside/error.hpp>
#include <closeside/policy.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <thread>

namespace lab::port {

namespace {

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::ip::tcp;

tcp::endpoint address_of(observation::endpoint e) { return {asio::ip::address_v4(e.address), e.port}; }

template <cs::close_policy P>
connects loop(observation::endpoint to, const plan& until) {
    const tcp::endpoint server = address_of(to);
    asio::io_context io;
    connects found;
    const auto start = steady::now();
    auto last_free = start;
    while (found.at.size() < until.connects && steady::now() - last_free < until.tries) {
        cs::error_code ec;
        cs::stream<P> stream = cs::connect<P>(io, server, {}, ec);
        if (ec == cs::error::ports_exhausted) {
            if (found.refused++ == 0) {
                found.at_first = found.at.size();
                found.message = ec.message() + ": " + cs::explain_ports(server);
                found.async_error = connect_once(to);
            }
            std::this_thread::sleep_for(1ms);
            continue;
        }
        if (ec) throw std::system_error(ec, "connect");
        last_free = steady::now();
        found.at.push_back(std::chrono::duration<double>(last_free - start).count());
        stream.close_and_wait(ec);
        if (ec) ++found.closed_wrong;
    }
    return found;
}

} // namespace

connects connect_in_a_loop(observation::endpoint server, cs::side closes_first, const plan& until) {
    return closes_first == cs::side::local ? loop<cs::policies::graceful>(server, until)
                                           : loop<cs::policies::peer_first>(server, until);
}

closeside::error_code connect_once(observation::endpoint server) {
    asio::io_context io;
    closeside::error_code result = std::make_error_code(std::errc::timed_out);
    cs::async_connect<cs::policies::graceful>(io, address_of(server),
                                              [&](cs::error_code ec, cs::stream<cs::policies::graceful> stream) {
                                                  result = ec;
                                                  if (!ec) stream.abort(); // leaves no TIME-WAIT behind
                                              });
    io.run_for(5s);
    return result;
}

} // namespace lab::port
