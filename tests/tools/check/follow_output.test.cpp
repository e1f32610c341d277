// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "traced.hpp"

#include "observation/process.hpp"
#include "support/run_in_terminal.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

using closeside::detail::tcp_state;
using tests::descriptor, tests::following, tests::traced, tests::wait_for;
using pair = tests::connected_pair;
using namespace std::chrono_literals;

namespace {

/// Two over unread input, one in order.
void end_three() {
    const descriptor listener = tests::loopback_tcp::listening(16);
    for (int i = 0; i != 2; ++i) {
        pair p(listener);
        tests::send_byte(p.client);
        p.server.close();
    }
    pair p(listener);
    p.client.close();
    wait_for(p.server, tcp_state::close_wait);
    p.server.close();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// Waits until the program has printed this.
bool prints(const following& tool, const std::string& part) {
    return observation::eventually([&] { return has(tool.out(), part); }, 8s);
}

} // namespace

TEST_CASE("network: the text of closeside-check follow has a line for each ending, and a summary at the end") {
    traced([]() -> std::string {
        following tool({}, "follow");
        if (!tool.is_ready()) return "not ready: " + tool.err();
        end_three();
        if (!prints(tool, "[unread]") || !prints(tool, "[time-wait]") || !prints(tool, "[endings]")) return tool.out();
        if (tool.stop(SIGINT) != 0) return "another status";
        const std::string out = tool.out();
        const std::regex line(
            "[0-9:.]{12}  127\\.0\\.0\\.1:9000 +127\\.0\\.0\\.1:[0-9]+ +this host reset: it closed over "
            "input that nobody had read \\(TCP_ABORT_ON_CLOSE\\)  ESTABLISHED > CLOSED  \\[unread\\]\n");
        if (!std::regex_search(out, line) || has(out, "\x1b")) return out;
        return has(out, "6 connections ended in ") &&
                       has(out, ": 2 by FIN, 2 reset by this host, 2 reset by the peer, 0 failed, 0 unknown\n")
                   ? ""
                   : out;
    });
}

TEST_CASE("network: the metrics of closeside-check follow follow the text format") {
    traced([]() -> std::string {
        following tool({"--format", "prometheus"});
        if (!tool.is_ready()) return "not ready: " + tool.err();
        following lines;
        if (!lines.is_ready()) return "not ready: " + lines.err();
        end_three();
        if (!observation::eventually([&] { return lines.endings().size() == 6; }, 8s)) return lines.out();
        if (tool.stop() != 0) return "another status";
        const std::string out = tool.out();
        const std::regex comment("# (HELP|TYPE) ([a-z0-9_]+) .+");
        const std::regex sample(
            "([a-z0-9_]+)(\\{[a-z_]+=\"[A-Za-z0-9_-]*\"(,[a-z_]+=\"[A-Za-z0-9_-]*\")*\\})? [-+.e0-9]+");
        std::set<std::string> described;
        std::istringstream all(out);
        for (std::string line; std::getline(all, line);) {
            std::smatch parts;
            if (line.starts_with("#")) {
                if (!std::regex_match(line, parts, comment)) return "no comment: " + line;
                if (!described.insert(parts[1].str() + parts[2].str()).second) return "described twice: " + line;
            } else if (!std::regex_match(line, parts, sample) || !described.contains("TYPE" + parts[1].str())) {
                return "no sample: " + line;
            }
        }
        for (const char* expected :
             {"closeside_follow_endings_total{port=\"9000\",service=\"local\",ended_by=\"reset_by_us\",first_fin="
              "\"none\","
              "cause=\"unread_input\"} 2\n",
              "closeside_follow_endings_total{port=\"9000\",service=\"remote\",ended_by=\"reset_by_peer\",first_fin="
              "\"none\","
              "cause=\"peer_reset_open\"} 2\n",
              "closeside_follow_lost_total{what=\"trace_records\"} 0\n", "closeside_follow_traced 1\n"})
            if (!has(out, expected)) return expected + out;
        return "";
    });
}

TEST_CASE("network: a file that closeside-check follow was told to write has all of it at the end") {
    traced([]() -> std::string {
        const tests::temporary_directory directory;
        const std::string file = directory.path("endings.json"), metrics = directory.path("endings.prom");
        following tool({"--format", "json", "--output", file});
        following counting({"--format", "prometheus", "--output", metrics});
        following lines;
        for (const following* f : {&tool, &counting, &lines})
            if (!f->is_ready()) return "not ready: " + f->err();
        end_three();
        if (!observation::eventually([&] { return lines.endings().size() == 6; }, 8s)) return lines.out();
        if (tool.stop() != 0 || counting.stop() != 0) return "another status: " + tool.err() + counting.err();
        const auto content = [](const std::string& path) {
            std::ostringstream text;
            text << std::ifstream(path).rdbuf();
            return text.str();
        };
        const std::string json = content(file);
        return tool.out().empty() && std::ranges::count(json, '\n') == 6 && has(content(metrics), "unread_input\"} 2\n")
                   ? ""
                   : json + content(metrics);
    });
}

TEST_CASE("network: closeside-check top counts by reason and service, one table below the other in a pipe") {
    traced([]() -> std::string {
        following tool({"--interval", "1"}, "top");
        if (!tool.is_ready()) return "not ready: " + tool.err();
        end_three();
        if (!prints(tool, "6 connections ended in ")) return tool.out();
        if (tool.stop() != 0) return "another status";
        const std::string out = tool.out();
        const std::regex row(
            "\n +2 +[0-9.]+  :9000 +unread +this host reset: it closed over input that nobody had read\n");
        const std::regex client("\n +2 +[0-9.]+  to :9000 +peer-reset +the peer reset an open connection\n");
        return std::regex_search(out, row) && std::regex_search(out, client) && !has(out, "\x1b") ? "" : out;
    });
}

TEST_CASE(
    "network: on a terminal no line of closeside-check follow and top is wider than it, and top draws over itself") {
    traced([]() -> std::string {
        const observation::process busy([] {
            for (;;) end_three();
            return 0;
        });
        for (const char* const command : {"follow", "top"}) {
            const std::string out =
                tests::run_in_terminal({CLOSESIDE_CHECK, command, "--for", "1"}, {"TERM=xterm"}, 80);
            if (!has(out, "unread") || !has(out, command == std::string("top") ? "\x1b[H\x1b[J" : "\x1b[31m"))
                return out;
            std::istringstream lines(std::regex_replace(out, std::regex("\x1b\\[[0-9;]*[A-Za-z]|\r"), ""));
            for (std::string line; std::getline(lines, line);)
                if (line.size() > 80 && !line.starts_with("closeside-check: ")) return line;
        }
        return "";
    });
}

TEST_CASE("network: a reader that goes away ends closeside-check follow, which leaves nothing behind") {
    traced([]() -> std::string {
        int ends[2];
        tests::checked(::pipe2(ends, O_CLOEXEC), "pipe2");
        descriptor reading(ends[0]), writing(ends[1]);
        observation::process tool([&] {
            ::dup2(writing.get(), STDOUT_FILENO);
            ::execl(CLOSESIDE_CHECK, CLOSESIDE_CHECK, "follow", nullptr);
            return 127;
        });
        reading.close();
        std::optional<int> status;
        while (!status) {
            end_three();
            status = tool.wait(100ms);
        }
        const std::string instance = "closeside-" + std::to_string(tool.id());
        return status == 0 && std::ranges::count(tests::instances(), instance) == 0 ? "" : std::to_string(*status);
    });
}

TEST_CASE("network: what the kernel's trace drops while closeside-check follow does not read is counted and said") {
    traced([]() -> std::string {
        following tool({"--port", "9000"});
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const std::string buffer = tests::tracefs / "instances" / tool.instance() / "buffer_size_kb";
        if (!(std::ofstream(buffer) << "4" << std::flush)) return "cannot make the buffer small";
        ::kill(tool.id(), SIGSTOP);
        const descriptor listener = tests::loopback_tcp::listening(16);
        for (int i = 0; i != 500; ++i) {
            pair p(listener);
            tests::abort_connection(p.server);
        }
        ::kill(tool.id(), SIGCONT);
        if (tool.stop() != 0) return "another status";
        const std::string out = tool.out();
        return std::regex_search(out, std::regex("\nnote: [0-9]+ records of the kernel's trace came faster")) ? ""
                                                                                                              : out;
    });
}
