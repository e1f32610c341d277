// SPDX-License-Identifier: BSL-1.0
// `closeside-check capacity` as an operator runs it.
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

using doctest::Approx;
using nlohmann::json;
using tests::fake_root;
using tests::program_result;

namespace {

struct default_host {
    default_host() { root.defaults(); }

    program_result capacity(std::vector<std::string> arguments, int columns = 80) const {
        arguments.insert(arguments.begin(), {"capacity", "--root", root.path()});
        return tests::check(std::move(arguments), columns);
    }

    json of(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--format", "json"});
        const program_result r = capacity(std::move(arguments));
        CAPTURE(r.err);
        CHECK(r.status == 0);
        return json::parse(r.out);
    }

    fake_root root;
};

bool says(const program_result& r, const std::string& words) { return r.out.find(words) != std::string::npos; }

} // namespace

TEST_CASE_FIXTURE(default_host, "capacity tells of TIME-WAITs, memory and ports for some numbers of addresses") {
    const json document = of({"--closes", "1000"});
    const json& accepted = document.at("accepted");
    REQUIRE(accepted.size() == 5);
    CHECK(accepted.at(0).at("addresses") == 1);
    CHECK(accepted.at(0).at("refused").get<double>() == Approx(1 - 28232.0 / 120 / 1000).epsilon(0.01));
    const json& many = accepted.at(4);
    CHECK(many.at("addresses") == 10000);
    CHECK(many.at("time_waits").get<double>() == Approx(60000));
    CHECK(many.at("time_wait_bytes").get<double>() == Approx(60000 * 256));
    CHECK(many.at("meet") == 0);
    CHECK(many.at("simulated").is_null());
    CHECK(document.at("time_wait_share") == 1);
    CHECK(document.at("opened").is_null());
    CHECK(document.at("meet_rates").empty());
    CHECK(document.at("policies").size() == 4);
    CHECK(document.at("policies").at(2).at("policy") == "peer_first_or_reset");
    CHECK(document.at("policies").at(2).at("accepted").at("time_waits") == 0);
}

TEST_CASE_FIXTURE(default_host, "capacity has the policy's share of TIME-WAITs, and what peers in time take off it") {
    const std::vector<std::string> rate{"--closes", "1000", "--clients", "5000"};
    const auto time_waits = [&](std::vector<std::string> more) {
        more.insert(more.begin(), rate.begin(), rate.end());
        return of(more).at("accepted").at(0).at("time_waits").get<double>();
    };
    CHECK(time_waits({}) == Approx(60000));
    CHECK(time_waits({"--assume", "nginx"}) == Approx(60000));
    CHECK(time_waits({"--assume", "peer"}) == Approx(6000));
    CHECK(time_waits({"--assume", "peer", "--peers-in-time", "0.995"}) == Approx(300));
    CHECK(time_waits({"--assume", "abort"}) == 0);
}

TEST_CASE_FIXTURE(default_host, "capacity reads the host's limits, and says what they do") {
    root.set("net.ipv4.tcp_max_tw_buckets", "5000").set("net.ipv4.tcp_rfc1337", "1");
    const std::vector<std::string> asked{"--closes", "1000", "--clients", "10,100", "--nat-reuse", "1"};
    const json document = of(asked);
    CHECK(document.at("tcp_max_tw_buckets") == 5000);
    CHECK(document.at("tcp_rfc1337") == true);
    const json& ten = document.at("accepted").at(0);
    CHECK(ten.at("time_waits").get<double>() == Approx(5000).epsilon(0.001));
    CHECK(ten.at("without_time_wait").get<double>() > 0.8);
    CHECK(ten.at("timed_out").get<double>() == Approx(ten.at("challenged").get<double>()).epsilon(0.001));
    CHECK(document.at("meet_rates").size() == 3);
    const program_result text = capacity(asked, 1000);
    CHECK(says(text, "tcp_rfc1337 is 1"));
    CHECK(says(text, "tcp_max_tw_buckets is 5000"));
    CHECK(says(text, "From one address, 1 % of the connects meet a TIME-WAIT at "));
    root.set("net.ipv4.tcp_rfc1337", "0");
    CHECK(says(capacity(asked, 1000), "connects 10 ms later"));
    CHECK(says(capacity({"--closes", "10"}, 1000), "None meets a TIME-WAIT here"));
    CHECK(says(capacity({"--closes", "10", "--nat-reuse", "0", "--nat-choice", "sequential"}, 1000),
               "come round within 60 s from 471 connects a second on"));
}

TEST_CASE_FIXTURE(default_host, "capacity and the check foretell the same rate at which local ports run out") {
    const json can = tests::check_json(root).at("capacity");
    for (const bool loopback : {false, true}) {
        std::vector<std::string> asked{"--closes", "100", "--destinations", "3"};
        if (loopback) asked.emplace_back("--loopback");
        const json opened = of(asked).at("opened");
        CHECK(opened.at("local_ports") == can.at("local_ports"));
        CHECK(opened.at("connects_per_second_at_most").get<double>() ==
              Approx(3 * can.at(loopback ? "loopback_connects_per_second" : "connects_per_second").get<double>()));
    }
    const json beyond = of({"--closes", "941", "--destinations", "1", "--simulate"}).at("opened");
    CHECK(beyond.at("refused").get<double>() == Approx(0.5).epsilon(0.01));
    CHECK(beyond.at("simulated").at("refused").get<double>() == Approx(0.5).epsilon(0.02));
    const program_result text = capacity({"--closes", "941", "--destinations", "1"}, 1000);
    CHECK(says(text, "ports for 471 connects a second in the long run"));
    CHECK(says(text, "the first fails after 30 s"));
    CHECK(of({"--closes", "10", "--destinations", "1", "--assume", "abort"})
              .at("opened")
              .at("connects_per_second_at_most")
              .is_null());
}

TEST_CASE_FIXTURE(default_host,
                  "capacity --simulate gives the same numbers for a seed, and they are near the formula's") {
    const std::vector<std::string> asked{"--closes", "2000",       "--clients", "10",        "--nat-reuse",
                                         "1",        "--open-for", "0.5",       "--simulate"};
    const json one = of(asked).at("accepted").at(0), again = of(asked).at("accepted").at(0);
    CHECK(one == again);
    std::vector<std::string> other(asked);
    other.insert(other.end(), {"--seed", "7"});
    const json different = of(other).at("accepted").at(0);
    CHECK(different != one);
    for (const json& row : {one, different})
        for (const char* name : {"refused", "meet", "challenged", "timed_out", "without_time_wait"}) {
            CAPTURE(name);
            CHECK(std::abs(row.at(name).get<double>() - row.at("simulated").at(name).get<double>()) < 0.01);
        }
    CHECK(one.at("simulated").at("time_waits").get<double>() ==
          Approx(one.at("time_waits").get<double>()).epsilon(0.02));
    CHECK(says(capacity(asked), "\n simulated"));
}

TEST_CASE_FIXTURE(default_host,
                  "capacity measures a TIME-WAIT's memory where it may read it, and says where it may not") {
    CHECK(of({"--closes", "1"}).at("time_wait_bytes_measured") == false);
    CHECK(says(capacity({"--closes", "1"}), "A TIME-WAIT takes 256 bytes (Linux 6.18"));
    root.add(
        "proc/slabinfo",
        "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
        "tw_sock_TCPv6        144    224    256   16    1 : tunables\n"
        "tw_sock_TCP           64    144    248    8    1 : tunables\n");
    const json document = of({"--closes", "1"});
    CHECK(document.at("time_wait_bytes_measured") == true);
    CHECK(document.at("time_wait_bytes").get<double>() > 511);
    root.add("proc/slabinfo", "tw_sock_TCP x\n\ntw_sock_TCP 1 2 3 0 1\n");
    CHECK(of({"--closes", "1"}).at("time_wait_bytes") == 256);
}

TEST_CASE_FIXTURE(default_host, "capacity refuses what it cannot count with, and names the value and the cure") {
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
        {{}, "--closes: is missing; give connections per second, as in --closes 250"},
        {{"--closes", "0"}, "--closes: '0' is no rate"},
        {{"--closes", "-5"}, "--closes: '-5' is no rate"},
        {{"--closes", "1e3"}, "--closes: '1e3' is no rate"},
        {{"--closes", "nan"}, "--closes: 'nan' is no rate"},
        {{"--closes", "1", "--clients", "0"}, "--clients: '0' is no whole number from 1"},
        {{"--closes", "1", "--clients", "1,,2"}, "--clients: '' is no whole number"},
        {{"--closes", "1", "--clients", "10,"}, "--clients: '' is no whole number"},
        {{"--closes", "1", "--nat-ports", "65536"}, "--nat-ports: '65536' is no whole number from 1 to 65535"},
        {{"--closes", "1", "--nat-reuse", "3601"}, "--nat-reuse: '3601' is no time; give seconds from 0 to 3600"},
        {{"--closes", "1", "--nat-reuse", "-1"}, "--nat-reuse: '-1' is no time"},
        {{"--closes", "1", "--nat-choice", "new"}, "--nat-choice: 'new' is not known; give random or sequential"},
        {{"--closes", "1", "--open-for", "x"}, "--open-for: 'x' is no time"},
        {{"--closes", "1", "--peers-in-time", "90"}, "--peers-in-time: '90' is no share; give a number from 0 to 1"},
        {{"--closes", "1", "--peers-in-time", "nan"}, "--peers-in-time: 'nan' is no share"},
        {{"--closes", "1", "--assume", "me"}, "--assume: 'me' is not known; give local, peer"},
        {{"--closes", "1", "--destinations", "0"}, "--destinations: '0' is no whole number"},
        {{"--closes", "1", "--destinations", "1", "--clients", "1"},
         "--clients for those that it accepts; give one of the two"},
        {{"--closes", "1", "--loopback"}, "--loopback: says where destinations are"},
        {{"--closes", "1", "--seed", "-1"}, "--seed: '-1' is no whole number"},
        {{"--closes", "1", "--format", "prometheus"}, "--format: 'prometheus' is not known; give text or json"},
    };
    for (const auto& [arguments, message] : wrong) {
        const program_result r = capacity(arguments);
        CAPTURE(r.err);
        CAPTURE(message);
        CHECK(r.status == 64);
        CHECK(r.out.empty());
        CHECK(r.err.find(message) != std::string::npos);
    }
}

TEST_CASE("capacity says which value is missing where a host's cannot be read") {
    const fake_root empty;
    const program_result nothing = tests::check({"capacity", "--closes", "1", "--root", empty.path() + "/none"});
    CHECK(nothing.status == 70);
    fake_root partial;
    partial.set("net.ipv4.tcp_rfc1337", "0");
    const program_result r = tests::check({"capacity", "--closes", "1", "--root", partial.path()});
    CHECK(r.status == 70);
    CHECK(r.err.find("net.ipv4.tcp_max_tw_buckets") != std::string::npos);
    partial.set("net.ipv4.tcp_max_tw_buckets", "1000");
    CHECK(tests::check({"capacity", "--closes", "1", "--root", partial.path()}).status == 0);
    const program_result ports =
        tests::check({"capacity", "--closes", "1", "--destinations", "1", "--root", partial.path()});
    CHECK(ports.status == 70);
    CHECK(ports.err.find("ip_local_port_range") != std::string::npos);
}

TEST_CASE_FIXTURE(default_host, "capacity counts with the largest numbers that it takes, and ends within seconds") {
    for (const std::vector<std::string>& extreme : std::vector<std::vector<std::string>>{
             {"--closes", "1000000000", "--clients", "1", "--nat-ports", "65535", "--nat-reuse", "600", "--open-for",
              "600"},
             {"--closes", "1000000000", "--clients", "1000000000", "--nat-reuse", "0"},
             {"--closes", "0.000001", "--clients", "1000000000", "--nat-ports", "1"},
             {"--closes", "1000000000", "--destinations", "1000000"},
             {"--closes", "0.000001", "--destinations", "1000000", "--loopback"}}) {
        std::vector<std::string> arguments(extreme);
        arguments.emplace_back("--simulate");
        const json document = of(arguments);
        const json& row = document.at("accepted").empty() ? document.at("opened") : document.at("accepted").at(0);
        for (const char* name : {"refused", "time_waits"}) {
            CHECK(row.at(name).get<double>() >= 0);
            CHECK(row.at("simulated").at(name).get<double>() >= 0);
        }
    }
}
