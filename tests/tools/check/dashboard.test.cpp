// SPDX-License-Identifier: BSL-1.0
// The queries of the dashboard against a Prometheus that scrapes what the check exports. PROMETHEUS and NODE_EXPORTER are
// the paths of these programs, defined by CMake; empty if they are not installed. CHECK_FILES is the tool's directory.
#include "support/fake_root.hpp"
#include "support/http_get.hpp"
#include "support/net_root.hpp"
#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cctype>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using nlohmann::json;
using tests::http_get;

namespace {

json dashboard() { return json::parse(std::ifstream(CHECK_FILES "/prometheus/closeside.json")); }

std::vector<std::string> queries() {
    std::vector<std::string> all;
    const json document = dashboard();
    for (const json& panel : document.at("panels"))
        for (const json& target : panel.at("targets")) all.push_back(target.at("expr"));
    return all;
}

std::string percent_encoded(std::string_view text) {
    constexpr const char* digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte))
            out += c;
        else
            ((out += '%') += digits[byte >> 4]) += digits[byte & 15];
    }
    return out;
}

/// Nobody listens there now. Prometheus does not say which port it was given.
std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::socklen_t size = sizeof address;
    const bool bound = ::bind(fd, reinterpret_cast<const ::sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<::sockaddr*>(&address), &size) == 0;
    ::close(fd);
    REQUIRE(bound);
    return ntohs(address.sin_port);
}

/// As Grafana fills it in.
std::string with_variables(std::string query) {
    query = std::regex_replace(query, std::regex("\\$(job|instance)"), ".*");
    return std::regex_replace(query, std::regex("\\$__rate_interval"), "10s");
}

/// What the answer of /api/v1/query holds; null before there is one.
json result_of(const std::string& answer) {
    const std::size_t body = answer.find("\r\n\r\n");
    const json document = body == answer.npos ? json() : json::parse(answer.substr(body), nullptr, false);
    if (!document.is_object()) return nullptr;
    if (document.value("status", "") != "success") return document.value("error", "no error either");
    return document.at("data").at("result");
}

} // namespace

TEST_CASE("the dashboard has panels with titles, ids of their own, and queries by its variables alone") {
    const json document = dashboard();
    CHECK(document.at("uid") == "closeside-check");
    std::set<int> ids;
    for (const json& panel : document.at("panels")) {
        CHECK(panel.at("title").get<std::string>() != "");
        CHECK(panel.at("description").get<std::string>() != "");
        CHECK(ids.insert(panel.at("id").get<int>()).second);
        CHECK(panel.at("datasource").at("uid") == "${datasource}");
    }
    CHECK(queries().size() > 10);
    for (const std::string& query : queries()) {
        CAPTURE(query);
        CHECK(query.find("job=~\"$job\",instance=~\"$instance\"") != std::string::npos);
        CHECK(with_variables(query).find('$') == std::string::npos);
    }
}

TEST_CASE("every query of the dashboard has a result in a Prometheus that scrapes a checked host") {
    if (std::string_view(PROMETHEUS).empty() || std::string_view(NODE_EXPORTER).empty()) {
        MESSAGE("SKIPPED: Prometheus or node_exporter is not installed (Debian: prometheus)");
        return;
    }
    tests::fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.netfilter.nf_conntrack_max", "262144");
    root.set("net.netfilter.nf_conntrack_count", "1000");
    root.add("proc/net/sockstat", tests::sockstat).add("proc/net/snmp", "Tcp: ActiveOpens\nTcp: 5\n");
    root.add("proc/net/netstat", "TcpExt: PAWSTimewait\nTcpExt: 11\n");
    root.add("proc/thread-self/net/tcp", tests::heading4 + tests::row4(6) + tests::row4(8));
    tests::temporary_directory directory;
    const std::string metrics = directory.path("closeside.prom");
    REQUIRE(tests::check(root, {"--format", "prometheus", "--output", metrics}).status == 2);

    tests::running_program exporter({NODE_EXPORTER, "--collector.disable-defaults", "--collector.textfile",
                                     "--collector.textfile.directory=" + directory.path("."),
                                     "--web.listen-address=127.0.0.1:0"});
    const std::string listening = exporter.line_with("address=127.0.0.1:");
    REQUIRE_FALSE(listening.empty());
    const std::string target = "127.0.0.1:" + std::to_string(std::stoi(listening.substr(listening.rfind(':') + 1)));

    const std::uint16_t port = free_port();
    const std::string config = directory.write(
        "prometheus.yml", "scrape_configs:\n  - job_name: node\n    scrape_interval: 1s\n    static_configs:\n"
                          "      - targets: [\"" +
                              target + "\"]\n");
    tests::running_program prometheus({PROMETHEUS, "--config.file=" + config,
                                       "--storage.tsdb.path=" + directory.path("tsdb"), "--log.level=warn",
                                       "--web.listen-address=127.0.0.1:" + std::to_string(port)});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    for (const std::string& query : queries()) {
        CAPTURE(query);
        json result;
        do {
            result = result_of(http_get(port, "/api/v1/query?query=" + percent_encoded(with_variables(query))));
            // An error of the query is a text, and stays.
            if (result.is_string() || (result.is_array() && !result.empty())) break;
            std::this_thread::yield();
        } while (std::chrono::steady_clock::now() < deadline);
        CAPTURE(result.dump());
        CHECK(result.is_array());
        CHECK(result.size() > 0);
    }
    CHECK(prometheus.stop(SIGTERM) == 0);
}
