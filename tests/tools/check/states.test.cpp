// SPDX-License-Identifier: BSL-1.0
// Runs the program itself; CLOSESIDE_CHECK is its path, defined by CMake.
#include <closeside/host/states.hpp>

#include "support/every_state.hpp"
#include "support/in_child.hpp"
#include "support/net_root.hpp"
#include "support/own_network.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace host = closeside::host;
using nlohmann::json;
using tests::net_root, tests::heading4, tests::heading6, tests::row4, tests::row6;

namespace {

tests::program_result states(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CLOSESIDE_CHECK, "states"});
    return tests::run_program(std::move(arguments), {"TERM=xterm", "COLUMNS=1000"});
}

tests::program_result states(const net_root& root, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--root", root.path()});
    return states(std::move(arguments));
}

json states_json(const net_root& root, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--format", "json"});
    return json::parse(states(root, std::move(arguments)).out);
}

/// Two in ESTABLISHED, two of three in FIN-WAIT-2 mini-sockets, one in TIME-WAIT; of them two with port 443.
void fill(net_root& root) {
    root.file("tcp", heading4 + row4(1, 443) + row4(5, 80, 3) + row4(5, 80, 3) + row4(6, 443, 3));
    root.file("tcp6", heading6 + row6(1) + row6(5));
    root.file("sockstat", "TCP: inuse 3 orphan 0 tw 3 alloc 3 mem 0\n");
}

} // namespace

TEST_CASE("the JSON of closeside-check states has every member that programs rely on, and all eleven states") {
    net_root root;
    fill(root);
    const json document = states_json(root);
    CHECK(document.at("states") == json{{"LISTEN", 0},
                                        {"SYN-SENT", 0},
                                        {"SYN-RECEIVED", 0},
                                        {"ESTABLISHED", 2},
                                        {"FIN-WAIT-1", 0},
                                        {"FIN-WAIT-2", 3},
                                        {"CLOSE-WAIT", 0},
                                        {"CLOSING", 0},
                                        {"LAST-ACK", 0},
                                        {"TIME-WAIT", 1},
                                        {"CLOSED", 0}});
    CHECK(document.at("method") == "proc");
    CHECK(document.at("exact") == true);
    CHECK(document.at("time_wait_quick") == 3);
    CHECK(document.at("elapsed_us").is_number_unsigned());
    CHECK(document.at("fin_wait2_mini_sockets") == 2);
    CHECK(document.at("port").is_null());
}

TEST_CASE("closeside-check states --port counts one listener's sockets") {
    net_root root;
    fill(root);
    const json document = states_json(root, {"--port", "443"});
    CHECK(document.at("states").at("ESTABLISHED") == 1);
    CHECK(document.at("states").at("TIME-WAIT") == 1);
    CHECK(document.at("states").at("FIN-WAIT-2") == 0);
    CHECK(document.at("port") == 443);
    CHECK(document.at("time_wait_quick") == 3);
    CHECK(states(root, {"--port", "443"}).out.find("local port 443") != std::string::npos);
}

TEST_CASE("what sockstat does not know is null, and closeside-check states says so") {
    net_root root;
    root.file("sockstat", tests::sockstat);
    const json document = states_json(root);
    CHECK(document.at("method") == "sockstat");
    CHECK(document.at("exact") == false);
    CHECK(document.at("states").at("TIME-WAIT") == 42);
    CHECK(document.at("states").at("ESTABLISHED").is_null());
    CHECK(document.at("fin_wait2_mini_sockets").is_null());
    CHECK(document.at("why").get<std::string>().find("upper bound") != std::string::npos);

    const std::string text = states(root).out;
    CHECK(text.find("ESTABLISHED     unknown") != std::string::npos);
    CHECK(text.find("note: not exact: TIME-WAIT is an upper bound") != std::string::npos);
    const std::string metrics = states(root, {"--format", "prometheus"}).out;
    CHECK(metrics.find("closeside_tcp_sockets{state=\"TIME-WAIT\"} 42\n") != std::string::npos);
    CHECK(metrics.find("ESTABLISHED") == std::string::npos);
    CHECK(metrics.find("closeside_tcp_sockets_exact{method=\"sockstat\"} 0\n") != std::string::npos);
}

TEST_CASE("the text of closeside-check states names each state and what it means, the source, and what is odd") {
    net_root root;
    fill(root);
    const tests::program_result r = states(root);
    CHECK(r.status == 0);
    CHECK(r.err.empty());
    CHECK(r.out.find('\x1b') == std::string::npos);
    for (const host::tcp_state s : host::all_tcp_states)
        CHECK(std::regex_search(r.out, std::regex("\n" + std::string(to_string(s)) + " +[0-9]+  [a-z]")));
    CHECK(r.out.find("FIN-WAIT-2            3  ") != std::string::npos);
    CHECK(r.out.find("2  of these are orphans") != std::string::npos);
    CHECK(r.out.find("/proc/thread-self/net/tcp and tcp6 (proc)") != std::string::npos);
    CHECK(r.out.find("time_wait_quick 3: ") != std::string::npos);
    CHECK(r.out.find("shares the host's") == std::string::npos);
}

TEST_CASE("closeside-check states warns that counting is a job of the host's size where the table is shared") {
    net_root root;
    fill(root);
    root.set("net.ipv4.tcp_ehash_entries", "-262144");
    CHECK(states(root).out.find("tcp_ehash_entries is negative") != std::string::npos);
    CHECK(states_json(root).at("shared_table") == true);
    root.set("net.ipv4.tcp_ehash_entries", "262144");
    CHECK(states(root).out.find("tcp_ehash_entries") == std::string::npos);
    CHECK(states_json(root).at("shared_table") == false);
}

TEST_CASE("what closeside-check states prints for Prometheus follows the text format, and ports are apart") {
    net_root root;
    fill(root);
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--port", "443"}}) {
        std::vector<std::string> arguments{"--format", "prometheus"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const tests::program_result r = states(root, arguments);
        CHECK(r.out.ends_with("\n"));
        const std::regex comment("# (HELP|TYPE) ([a-z0-9_]+) .+");
        const std::regex sample(
            "([a-z0-9_]+)(\\{[a-z_]+=\"[A-Za-z0-9-]*\"(,[a-z_]+=\"[A-Za-z0-9-]*\")*\\})? [-+.e0-9]+");
        std::set<std::string> described;
        std::istringstream lines(r.out);
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            std::smatch parts;
            if (line.starts_with("#")) {
                REQUIRE(std::regex_match(line, parts, comment));
                CHECK(described.insert(parts[1].str() + parts[2].str()).second);
            } else {
                REQUIRE(std::regex_match(line, parts, sample));
                CHECK(described.contains("TYPE" + parts[1].str()));
            }
        }
    }
    const std::string all = states(root, {"--format", "prometheus"}).out;
    CHECK(all.find("\ncloseside_tcp_sockets{state=\"FIN-WAIT-2\"} 3\n") != std::string::npos);
    CHECK(all.find("\ncloseside_tcp_fin_wait2_orphans 2\n") != std::string::npos);
    CHECK(all.find("\ncloseside_time_wait_quick 3\n") != std::string::npos);
    const std::string one = states(root, {"--format", "prometheus", "--port", "443"}).out;
    CHECK(one.find("\ncloseside_tcp_port_sockets{port=\"443\",state=\"TIME-WAIT\"} 1\n") != std::string::npos);
    CHECK(one.find("\ncloseside_tcp_sockets{") == std::string::npos);
}

TEST_CASE("closeside-check states answers a wrong argument with one line that names it and the cure, and 64") {
    const struct {
        std::vector<std::string> arguments;
        const char* named;
        const char* cure;
    } cases[] = {
        {{"--port", "0"}, "'0'", "1 to 65535"},
        {{"--port", "65536"}, "'65536'", "1 to 65535"},
        {{"--port", "-1"}, "'-1'", "1 to 65535"},
        {{"--port", "http"}, "'http'", "1 to 65535"},
        {{"--port", "80x"}, "'80x'", "1 to 65535"},
        {{"--budget", "0"}, "'0'", "1 to 3600000"},
        {{"--budget", "1.5"}, "'1.5'", "1 to 3600000"},
        {{"--format", "yaml"}, "'yaml'", "text, json or prometheus"},
        {{"--root", ""}, "''", "proc/"},
        {{"--nonsense"}, "--nonsense", "--help"},
    };
    for (const auto& c : cases) {
        const tests::program_result r = states(c.arguments);
        CAPTURE(r.err);
        CHECK(r.status == 64);
        CHECK(r.out.empty());
        CHECK(std::regex_match(r.err, std::regex("closeside-check: [^\n\x1b]*\n")));
        CHECK(r.err.find(c.named) != std::string::npos);
        CHECK(r.err.find(c.cure) != std::string::npos);
    }
}

TEST_CASE("closeside-check states that can count nothing says why in one line and ends with 70") {
    const tests::fake_root nothing = tests::fake_root::empty();
    const tests::program_result r = states({"--root", nothing.path()});
    CHECK(r.status == 70);
    CHECK(r.out.empty());
    CHECK(std::regex_match(r.err, std::regex("closeside-check: [^\n]*No such file[^\n]*\n")));
    CHECK(r.err.find(nothing.path()) != std::string::npos);
}

TEST_CASE("network: closeside-check states counts the sockets of the namespace that it runs in") {
    static constexpr std::string_view expected = "tcpdiag true 2 2 4";
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        const tests::every_state v4(AF_INET), v6(AF_INET6);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        std::string seen;
        do { // until every segment has arrived
            const json document = json::parse(states({"--format", "json", "--budget", "10000"}).out);
            seen = document.at("method").get<std::string>() + " " + document.at("exact").dump() + " " +
                   document.at("states").at("CLOSING").dump() + " " + document.at("states").at("TIME-WAIT").dump() +
                   " " + document.at("time_wait_quick").dump();
        } while (seen != expected && std::chrono::steady_clock::now() < end);
        return seen;
    });
    if (!text) {
        MESSAGE("SKIPPED: neither root nor user namespaces give the right to a network namespace");
        return;
    }
    CHECK(*text == expected);
}
