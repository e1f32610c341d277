// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/render.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace host = closeside::host;
using host::counter;
using host::occurrence;
using namespace std::chrono_literals;

namespace {

host::snapshot look(std::chrono::milliseconds at, std::optional<std::uint64_t> paws) {
    host::snapshot s;
    s.taken = std::chrono::steady_clock::time_point(at);
    s.counters[static_cast<std::size_t>(counter::paws_timewait)] = paws;
    return s;
}

host::finding rfc1337(const host::snapshot& seen, const host::snapshot* earlier, host::exposure peers) {
    auto with = seen;
    with[host::key::tcp_rfc1337] = host::detail::interpret(host::detail::key_shape::number, "1");
    const auto findings = host::audit(with, host::program{.peers = peers}, {.earlier = earlier});
    const auto found = std::ranges::find(findings, "CS101", &host::finding::code);
    REQUIRE(found != findings.end());
    return *found;
}

} // namespace

TEST_CASE("one look tells whether something has happened, two whether it is happening") {
    const host::detail::counter_list counters{counter::paws_timewait, counter::tw_overflow};
    const auto judge = [&](std::optional<std::uint64_t> before, std::optional<std::uint64_t> after) {
        const auto first = look(1s, before), second = look(3s, after);
        return host::detail::gather_evidence(counters, second, &first);
    };
    CHECK(host::detail::gather_evidence(counters, look(1s, std::nullopt), nullptr).occurrence == occurrence::uncounted);
    CHECK(host::detail::gather_evidence(counters, look(1s, 0), nullptr).occurrence == occurrence::unseen);
    CHECK(host::detail::gather_evidence(counters, look(1s, 8), nullptr).occurrence == occurrence::seen);
    CHECK(host::detail::gather_evidence(counters, look(1s, 8), nullptr).text == "PAWSTimewait 8");
    CHECK(judge(0, 8).occurrence == occurrence::happening);
    CHECK(judge(0, 8).text == "PAWSTimewait 8 (+8 in 2.0 s)");
    CHECK(judge(8, 8).occurrence == occurrence::seen);
    CHECK(judge(0, 0).occurrence == occurrence::unseen);
    CHECK(judge(std::nullopt, 8).occurrence == occurrence::seen);
}

TEST_CASE("what is happening is more than what a busy host has anyway") {
    const host::detail::counter_list counters{counter::paws_timewait};
    const auto judge = [&](std::uint64_t events, std::uint64_t accepted) {
        auto first = look(0s, 0), second = look(10s, events);
        first.counters[static_cast<std::size_t>(counter::passive_opens)] = 1000;
        second.counters[static_cast<std::size_t>(counter::passive_opens)] = 1000 + accepted;
        return host::detail::gather_evidence(counters, second, &first);
    };
    CHECK(judge(1, 50000).occurrence == occurrence::seen);
    CHECK(judge(1, 50000).text == "PAWSTimewait 1 (+1 in 10.0 s, few among 50000 connections)");
    CHECK(judge(49, 50000).occurrence == occurrence::seen);
    CHECK(judge(50, 50000).occurrence == occurrence::happening);
    CHECK(judge(2, 500).occurrence == occurrence::seen);
    CHECK(judge(3, 500).occurrence == occurrence::happening);
    CHECK(judge(1, 20).occurrence == occurrence::happening);
    // Nobody gets in at all.
    CHECK(judge(1, 0).occurrence == occurrence::happening);
    CHECK(judge(0, 0).occurrence == occurrence::unseen);
    // Where connections are not counted: one a second.
    const auto first = look(0s, 0);
    CHECK(host::detail::gather_evidence(counters, look(10s, 9), &first).occurrence == occurrence::seen);
    CHECK(host::detail::gather_evidence(counters, look(10s, 10), &first).occurrence == occurrence::happening);
}

TEST_CASE("a counter that went back belongs to another namespace and gives no rate") {
    CHECK_FALSE(host::detail::rise(look(1s, 9), look(2s, 8), counter::paws_timewait));
    CHECK_FALSE(host::detail::rate(look(1s, 8), look(1s, 9), counter::paws_timewait));
    CHECK(*host::detail::rate(look(1s, 8), look(3s, 9), counter::paws_timewait) == doctest::Approx(0.5));
}

TEST_CASE("what is happening is no mere note") {
    const auto before = look(0s, 5), same = look(4s, 5), after = look(4s, 9);
    CHECK(rfc1337(same, &before, host::exposure::loopback).severity == host::severity::note);
    CHECK(rfc1337(same, &before, host::exposure::loopback).occurrence == occurrence::seen);
    CHECK(rfc1337(after, &before, host::exposure::loopback).severity == host::severity::warning);
    CHECK(rfc1337(after, &before, host::exposure::nat).severity == host::severity::critical);
    CHECK(rfc1337(after, &before, host::exposure::nat).evidence == "PAWSTimewait 9 (+4 in 4.0 s)");
    CHECK(to_line(rfc1337(after, &before, host::exposure::nat)).find("; happening now: PAWSTimewait 9 (+4 in 4.0 s)") !=
          std::string::npos);
}

TEST_CASE("numbers are written without a tail of zeros") {
    CHECK(host::detail::plain_number(5000) == "5000");
    CHECK(host::detail::plain_number(470.53) == "470.5");
    CHECK(host::detail::plain_number(0.01) == "0.01");
    CHECK(host::detail::plain_number(0) == "0");
    CHECK(host::detail::plain_number(1e300) == "very many");
}
