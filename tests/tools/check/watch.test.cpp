// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using nlohmann::json;
using tests::check;
using tests::check_json;
using tests::fake_root;
using tests::finding;
using tests::program_result;

namespace {

/// The process holds SIGINT back, and nothing else, so it has taken its first look and waits for the second.
bool is_waiting(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigBlk:")) return std::stoull(line.substr(7), nullptr, 16) == 1ull << (SIGINT - 1);
    return false;
}

void until_waiting(pid_t process) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!is_waiting(process)) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("it does not wait");
        std::this_thread::yield();
    }
}

/// As nstat(8) would have them.
std::string netstat(std::uint64_t paws_timewait, std::uint64_t tw) {
    return "TcpExt: PAWSTimewait TW TCPACKSkippedTimeWait\nTcpExt: " + std::to_string(paws_timewait) + " " +
           std::to_string(tw) + " 0\n";
}

/// Runs `--watch 3600`, changes the counters between the two looks, and ends the wait as Ctrl-C does.
program_result watch(fake_root& root, std::vector<std::string> arguments) {
    root.add("proc/net/netstat", netstat(3, 100));
    arguments.insert(arguments.begin(), {CLOSESIDE_CHECK, "--root", root.path(), "--watch", "3600"});
    return tests::run_program(std::move(arguments), {}, [&](pid_t process) {
        until_waiting(process);
        root.add("proc/net/netstat", netstat(11, 100));
        ::kill(process, SIGINT);
    });
}

} // namespace

TEST_CASE("--watch tells what happens between two looks, and Ctrl-C makes the second one come at once") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    const program_result as_json = watch(root, {"--format", "json"});
    CHECK(as_json.status == 2);
    CHECK(as_json.err.empty());
    const json document = json::parse(as_json.out);
    CHECK(document.at("watched_seconds") > 0);
    CHECK(document.at("watched_seconds") < 10);
    CHECK(document.at("counters").at("TcpExtPAWSTimewait").at("total") == 11);
    CHECK(document.at("counters").at("TcpExtPAWSTimewait").at("per_second") > 0);
    CHECK(document.at("counters").at("TcpExtTW").at("per_second") == 0);
    const json f = finding(document, "CS101");
    CHECK(f.at("occurrence") == "happening");
    CHECK(f.at("evidence").get<std::string>().find("PAWSTimewait 11 (+8 in ") != std::string::npos);

    CHECK(watch(root, {}).out.find("CS101 critical  happening now: ") != std::string::npos);
    const std::string metrics = watch(root, {"--format", "prometheus"}).out;
    CHECK(metrics.find("closeside_finding_happening{code=\"CS101\"} 1\n") != std::string::npos);
    CHECK(metrics.find("closeside_finding_events_total{code=\"CS101\",counter=\"TcpExtPAWSTimewait\"} 11\n") !=
          std::string::npos);
}

TEST_CASE("--watch waits as long as it is told") {
    fake_root root;
    root.defaults();
    const json document = check_json(root, {"--watch", "1"});
    CHECK(document.at("watched_seconds") >= 1);
    CHECK(check_json(root).at("watched_seconds") == 0);
}

TEST_CASE("the program's workload is part of what closeside-check says it judged") {
    fake_root root;
    root.defaults();
    const json stated =
        check_json(root, {"--accepts-per-second", "2500", "--connects-per-second", "0.5", "--backlog", "511",
                          "--listen", "8080", "--listen", "443", "--idle-time", "90", "--exposure", "balancer"});
    CHECK(stated.at("program") == json{{"accepts_per_second", 2500.0},
                                       {"connects_per_second", 0.5},
                                       {"backlog", 511},
                                       {"listening_ports", {8080, 443}},
                                       {"idle_time_seconds", 90}});
    CHECK(stated.at("exposure") == "balancer");
    CHECK(stated.at("capacity").at("local_ports") == 28232);
    CHECK(check_json(root).at("program").at("backlog") == nullptr);
}

TEST_CASE("a workload that cannot be is refused with the value and the cure") {
    const std::pair<const char*, const char*> cases[] = {{"--accepts-per-second", "0"},
                                                         {"--accepts-per-second", "-1"},
                                                         {"--accepts-per-second", "many"},
                                                         {"--accepts-per-second", "nan"},
                                                         {"--accepts-per-second", "inf"},
                                                         {"--accepts-per-second", "2000000000"},
                                                         {"--connects-per-second", "1,5"},
                                                         {"--connects-per-second", ""},
                                                         {"--backlog", "-1"},
                                                         {"--backlog", "2147483648"},
                                                         {"--listen", "0"},
                                                         {"--listen", "65536"},
                                                         {"--listen", "http"},
                                                         {"--idle-time", "0"},
                                                         {"--watch", "0"},
                                                         {"--watch", "3601"},
                                                         {"--watch", "1.5"}};
    for (const auto& [option, value] : cases) {
        const program_result r = check({option, value});
        CAPTURE(r.err);
        CHECK(r.status == 64);
        CHECK(r.err.starts_with(std::string("closeside-check: ") + option + ": '" + value + "' is no "));
        CHECK(r.err.find("give ") != std::string::npos);
    }
}
