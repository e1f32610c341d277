// SPDX-License-Identifier: BSL-1.0
// The umbrella as a program has it: behind headers whose names argument-dependent lookup finds, and all of it together.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iterator>
#include <numeric>
#include <ranges>
#include <regex>
#include <string>

#include <closeside/closeside.hpp>

#include "support/connection.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <doctest/doctest.h>

namespace cs = closeside;

TEST_CASE("Behind the umbrella both sockets take options of Asio and of the policy") {
    asio::io_context io;
    cs::acceptor<cs::policies::graceful> listener(io);
    listener.open(tcp::v4());
    listener.set_option(tcp::acceptor::reuse_address(true));
    listener.set_option(tcp::no_delay(true));
    listener.bind({asio::ip::address_v4::loopback(), 0});
    listener.listen();

    const test_peer peer(listener.local_endpoint());
    cs::stream<cs::policies::graceful> client = listener.accept();
    tcp::no_delay inherited;
    client.get_option(inherited);
    CHECK(inherited.value());
    client.set_option(tcp::no_delay(false));
    client.get_option(inherited);
    CHECK_FALSE(inherited.value());
    CHECK_THROWS_AS(client.set_option(tcp::socket::linger(true, 0)), cs::system_error);

    cs::acceptor<cs::policies::graceful> second(io);
    second.open(tcp::v4());
    cs::error_code taken;
    second.bind(listener.local_endpoint(), taken);
    REQUIRE(taken == asio::error::address_in_use);
    CHECK(second.explain_bind(listener.local_endpoint(), taken).find("held by '") != std::string::npos);
}
