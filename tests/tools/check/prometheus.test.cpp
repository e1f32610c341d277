// SPDX-License-Identifier: BSL-1.0
// PROMTOOL and NODE_EXPORTER are the paths of these programs, defined by CMake; empty if they are not installed.
#include "support/fake_root.hpp"
#include "support/http_get.hpp"
#include "support/running_program.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using tests::check;
using tests::fake_root;
using tests::http_get;
using tests::program_result;

namespace {

/// With every kind of sample that the check can print, and a label that needs escaping.
struct full_host {
    full_host() {
        root.defaults().kernel("6.18.0-\"odd\"\\").set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
        root.set("net.netfilter.nf_conntrack_max", "262144").set("net.netfilter.nf_conntrack_count", "1000");
        root.set("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "120");
        root.add("proc/net/sockstat", "sockets: used 9\nTCP: inuse 5 orphan 1 tw 7 alloc 8 mem 2\n");
        root.add("proc/net/sockstat6", "TCP6: inuse 3\n");
        root.add("proc/net/netstat", "TcpExt: PAWSTimewait TW\nTcpExt: 11 18446744073709551615\n");
    }

    program_result metrics(std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{
            "--format", "prometheus", "--ignore", "CS201,until=2030-01-01", "--connects-per-second", "99.5"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return check(root, std::move(arguments));
    }

    fake_root root;
};

/// The samples of an exposition: name and sorted labels, with their values. An exporter may order and print otherwise.
std::map<std::string, double> samples_of(const std::string& exposition) {
    std::map<std::string, double> samples;
    std::istringstream lines(exposition);
    const std::regex label("[a-z_]+=\"([^\"\\\\]|\\\\.)*\"");
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("closeside_")) continue;
        const std::size_t value = line.rfind(' ');
        std::string name = line.substr(0, line.find_first_of("{ "));
        std::set<std::string> labels;
        for (std::sregex_iterator l(line.begin(), line.end(), label), end; l != end; ++l) labels.insert(l->str());
        for (const std::string& l : labels) name += " " + l;
        samples[name] = std::stod(line.substr(value + 1));
    }
    return samples;
}

} // namespace

TEST_CASE_FIXTURE(full_host, "what closeside-check prints for Prometheus follows the text format") {
    const program_result r = metrics();
    CHECK(r.status == 2);
    CHECK(r.out.ends_with("\n"));

    const std::regex comment("# (HELP|TYPE) ([a-z_]+) .+");
    const std::regex sample("([a-z_]+)(\\{[a-z_]+=\"([^\"\\\\]|\\\\.)*\"(,[a-z_]+=\"([^\"\\\\]|\\\\.)*\")*\\})? "
                            "-?[0-9]+(\\.[0-9]+)?(e[+-][0-9]+)?");
    std::set<std::string> described, seen;
    std::istringstream lines(r.out);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(std::string(line));
        std::smatch parts;
        if (line.starts_with("#")) {
            REQUIRE(std::regex_match(line, parts, comment));
            CHECK(described.insert(parts[1].str() + parts[2].str()).second);
        } else {
            REQUIRE(std::regex_match(line, parts, sample));
            CHECK(described.contains("HELP" + parts[1].str()));
            CHECK(described.contains("TYPE" + parts[1].str()));
            CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
        }
    }
    CHECK(described.size() > 30);
}

TEST_CASE_FIXTURE(full_host,
                  "the metrics tell findings, capacity, states and counters of the host that was looked at") {
    const std::string out = metrics().out;
    for (const char* line :
         {"closeside_finding{code=\"CS101\",severity=\"critical\",suppressed=\"false\",when=\"now\"} 1\n",
          "closeside_finding{code=\"CS201\",severity=\"warning\",suppressed=\"true\",when=\"now\"} 1\n",
          "closeside_findings{severity=\"critical\"} 1\n", "closeside_findings{severity=\"warning\"} 0\n",
          "closeside_finding_events_total{code=\"CS101\",counter=\"TcpExtPAWSTimewait\"} 11\n",
          "closeside_suppression_expiry_timestamp_seconds{code=\"CS201\"} 1893542400\n",
          "closeside_sysctl{key=\"net.ipv4.tcp_rfc1337\"} 1\n", "kernel=\"6.18.0-\\\"odd\\\"\\\\\"",
          "closeside_capacity_local_ports 28232\n", "closeside_capacity_flows_per_second 2184.5333333333333\n",
          "closeside_program_connects_per_second 99.5\n", "closeside_sockstat{field=\"tw\"} 7\n",
          // Of a copied tree without proc/net/tcp only sockstat is left.
          "closeside_tcp_sockets{state=\"TIME-WAIT\"} 7\n", "closeside_tcp_sockets_exact{method=\"sockstat\"} 0\n",
          "closeside_tcp_events_total{counter=\"TcpExtTW\"} 18446744073709551615\n"}) {
        CAPTURE(std::string(line));
        CHECK(out.find(line) != std::string::npos);
    }
    // A copied tree has no state of sockets but what it says.
    CHECK(out.find("state=\"LISTEN\"") == std::string::npos);

    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double stamp = samples_of(out).at("closeside_check_timestamp_seconds");
    CHECK(stamp <= now);
    CHECK(stamp > now - 60);
}

TEST_CASE("a host without counters has metrics without counters, not zeros") {
    fake_root root;
    root.defaults();
    const std::string out = check(root, {"--format", "prometheus"}).out;
    CHECK(out.find("closeside_check_info") != std::string::npos);
    CHECK(out.find("events_total") == std::string::npos);
    CHECK(out.find("closeside_tcp_sockets{") == std::string::npos);
    CHECK(out.find("conntrack_used") == std::string::npos);
}

TEST_CASE_FIXTURE(full_host, "promtool finds nothing to say about the metrics") {
    if (std::string_view(PROMTOOL).empty()) {
        MESSAGE("SKIPPED: promtool is not installed (Debian: prometheus)");
        return;
    }
    const std::string file = root.path() + "/closeside.prom";
    for (const auto& arguments : {std::vector<std::string>{}, {"--watch", "1"}}) {
        std::vector<std::string> with_file{"--output", file};
        with_file.insert(with_file.end(), arguments.begin(), arguments.end());
        CHECK(metrics(with_file).status == 2);
        const program_result r =
            tests::run_program({"/bin/sh", "-c", "exec \"$0\" check metrics <\"$1\"", PROMTOOL, file});
        CHECK(r.status == 0);
        CHECK(r.out + r.err == "");
    }
}

TEST_CASE_FIXTURE(full_host, "node_exporter serves every sample of a file that --output wrote") {
    if (std::string_view(NODE_EXPORTER).empty()) {
        MESSAGE("SKIPPED: node_exporter is not installed (Debian: prometheus-node-exporter)");
        return;
    }
    const std::string directory = root.path() + "/textfile";
    std::filesystem::create_directory(directory);
    REQUIRE(metrics({"--output", directory + "/closeside.prom"}).status == 2);

    tests::running_program exporter({NODE_EXPORTER, "--collector.disable-defaults", "--collector.textfile",
                                     "--collector.textfile.directory=" + directory,
                                     "--web.listen-address=127.0.0.1:0"});
    const std::string listening = exporter.line_with("address=127.0.0.1:");
    REQUIRE_FALSE(listening.empty());
    const auto port = static_cast<std::uint16_t>(std::stoi(listening.substr(listening.rfind(':') + 1)));
    std::string answer;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (answer.find("closeside_check_info") == std::string::npos && std::chrono::steady_clock::now() < deadline) {
        answer = http_get(port, "/metrics");
        std::this_thread::yield();
    }
    CHECK(answer.find("\nnode_textfile_scrape_error 0\n") != std::string::npos);
    const auto served = samples_of(answer);
    std::size_t compared = 0;
    std::ifstream file(directory + "/closeside.prom");
    for (const auto& [name, value] : samples_of({std::istreambuf_iterator<char>(file), {}})) {
        CAPTURE(name);
        REQUIRE(served.contains(name));
        CHECK(served.at(name) == value);
        ++compared;
    }
    CHECK(compared > 60);
}
