// SPDX-License-Identifier: BSL-1.0
// TLS clients as they are, against the example https_server: each reply is whole, and none of them complains.
#include "examples/running_https_server.hpp"
#include "observation/program.hpp"
#include "observation/wait.hpp"
#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace std::chrono_literals;
using tests::is_missing;
using tests::running_https_server;

namespace {

constexpr std::size_t large = 1u << 20;
constexpr std::size_t requests = 40;
const std::string scripts = CLOSESIDE_TLS_CLIENTS;
const std::string request_of_large = "GET /large HTTP/1.1\r\nConnection: close\r\n\r\n";

/// Runs a client in this process's environment.
observation::program_result run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    return observation::run_program(arguments, {.input = input, .limit = 120s});
}

/// Every connection ended as a client can be content with, and all replies are accounted for.
running_https_server::ends check_ends(running_https_server& server, std::size_t replies) {
    const running_https_server::ends ends = server.ends_of(replies);
    CHECK(ends.replies == replies);
    CHECK(ends.wrong == "");
    MESSAGE(ends.connections, " connections, of which ", ends.successes,
            " ended in success, and the client closed first on ", ends.client_first);
    return ends;
}

/// A connection for each reply, and every client had asked for that.
void check_ends_of_told(running_https_server& server, std::size_t replies) {
    const running_https_server::ends ends = check_ends(server, replies);
    CHECK(ends.connections == replies);
    CHECK(ends.told == replies);
}

/// Runs a script that prints how many bytes its replies had.
void check_script(std::vector<std::string> command, running_https_server& server, const std::string& how) {
    for (const std::string& more : {server.port(), std::to_string(requests), how}) command.push_back(more);
    CAPTURE(how);
    const observation::program_result client = run(command);
    CHECK(client.out == std::to_string(requests * large) + "\n");
    CHECK(client.err == "");
    CHECK(client.status == 0);
}

std::vector<std::string> curl(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{
        CLOSESIDE_CURL, "-sSk", "--max-time", "30", "--fail", "-w", "%{num_connects} %{size_download}\n"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    while (times-- != 0) all += text;
    return all;
}

bool accepts(const std::string& unix_socket) {
    const observation::descriptor s(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    return ::connect(s.get(), reinterpret_cast<::sockaddr*>(&address), sizeof address) == 0;
}

/// Fetches /large through a proxy that listens in the file system, where no port can be another's.
void check_through(const std::string& unix_socket, const std::string& path) {
    CAPTURE(path);
    REQUIRE(observation::eventually([&] { return accepts(unix_socket); }, 10s));
    const auto client =
        run({CLOSESIDE_CURL, "-sS", "--fail", "--max-time", "30", "-w", "%{http_code} %{size_download}\n",
             "--unix-socket", unix_socket, "-o", "/dev/null", "http://localhost" + path + "?[1-40]"});
    CHECK(client.out == repeated("200 " + std::to_string(large) + "\n", requests));
    CHECK(client.err == "");
}

/// The rest of a program's log, to its end.
std::string log_of(tests::running_program& program, int signal) {
    REQUIRE(::kill(program.pid(), signal) == 0);
    std::string all;
    for (std::string line; !(line = program.line_with("")).empty();) all += line + '\n';
    return all;
}

std::string lines_with(const std::string& word, const std::string& text) {
    std::istringstream lines(text);
    std::string found;
    for (std::string line; std::getline(lines, line);)
        if (line.find(word) != std::string::npos) found += line + '\n';
    return found;
}

std::vector<std::string> both_policies() { return {"peer_first", "graceful"}; }

} // namespace

TEST_CASE("curl gets every reply whole, on one connection and on one for each") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    for (const std::string& policy : both_policies()) {
        for (const std::string version : {"1.2", "1.3"}) {
            CAPTURE(policy);
            CAPTURE(version);
            running_https_server server({"--policy", policy});
            const std::vector<std::string> tls{"--tlsv" + version, "--tls-max", version};
            for (std::size_t i = 0; i != 10; ++i) {
                auto two = curl(tls);
                two.insert(two.end(),
                           {"-o", "/dev/null", server.url("/large"), "-o", "/dev/null", server.url("/large")});
                const auto client = run(two);
                CHECK(client.out == "1 " + std::to_string(large) + "\n0 " + std::to_string(large) + "\n");
                CHECK(client.err == "");
            }
            CHECK(check_ends(server, 20).connections == 10);
            auto closing = curl(tls);
            closing.insert(closing.end(), {"-H", "Connection: close", "-o", "/dev/null", server.url("/large?[1-40]")});
            const auto client = run(closing);
            CHECK(client.out == repeated("1 " + std::to_string(large) + "\n", requests));
            CHECK(client.err == "");
            check_ends_of_told(server, requests);
            CHECK(server.program.stop() == 0);
        }
    }
}

TEST_CASE("openssl s_client sees no truncation") {
    if (is_missing(CLOSESIDE_OPENSSL, "openssl")) return;
    for (const std::string& policy : both_policies()) {
        for (const std::string version : {"-tls1_2", "-tls1_3"}) {
            CAPTURE(policy);
            CAPTURE(version);
            running_https_server server({"--policy", policy});
            for (std::size_t i = 0; i != 10; ++i) {
                const auto client =
                    run({CLOSESIDE_OPENSSL, "s_client", "-connect", "127.0.0.1:" + server.port(), version, "-quiet"},
                        request_of_large);
                const std::size_t head = client.out.find("\r\n\r\n");
                REQUIRE(head != std::string::npos);
                CHECK(client.out.size() - head - 4 == large);
                CHECK(client.status == 0);
                CHECK(client.err.find("unexpected eof") == std::string::npos);
                CHECK(client.err.find(":error:") == std::string::npos);
                CHECK(client.err.find("errno") == std::string::npos);
            }
            check_ends_of_told(server, 10);
        }
    }
}

TEST_CASE("Python's ssl and http.client raise nothing, and find close_notify at the end") {
    if (is_missing(CLOSESIDE_PYTHON, "python3")) return;
    for (const std::string& policy : both_policies()) {
        running_https_server server({"--policy", policy});
        check_script({CLOSESIDE_PYTHON, scripts + "/client.py"}, server, "keep");
        CHECK(check_ends(server, requests).connections == 1);
        for (const char* const how : {"close", "end"}) {
            check_script({CLOSESIDE_PYTHON, scripts + "/client.py"}, server, how);
            check_ends_of_told(server, requests);
        }
    }
}

TEST_CASE("Node's https agent has no error event, also where the server ends the idle connections of its pool") {
    if (is_missing(CLOSESIDE_NODE, "node")) return;
    for (const std::string& policy : both_policies()) {
        running_https_server server({"--policy", policy, "--wait", "1"});
        check_script({CLOSESIDE_NODE, scripts + "/client.js"}, server, "keep");
        check_ends(server, requests);
        check_script({CLOSESIDE_NODE, scripts + "/client.js"}, server, "idle");
        check_ends(server, requests);
        check_script({CLOSESIDE_NODE, scripts + "/client.js"}, server, "close");
        check_ends_of_told(server, requests);
    }
}

TEST_CASE("Go's net/http and crypto/tls report no error") {
    if (is_missing(CLOSESIDE_GO, "go")) return;
    const tests::temporary_directory files;
    const std::string client = files.path("client");
    const auto built = run({"/usr/bin/env", "HOME=" + files.path("home"), "GO111MODULE=off", "CGO_ENABLED=0",
                            CLOSESIDE_GO, "build", "-o", client, scripts + "/client.go"});
    CHECK(built.err == "");
    REQUIRE(built.status == 0);
    for (const std::string& policy : both_policies()) {
        running_https_server server({"--policy", policy});
        check_script({client}, server, "keep");
        CHECK(check_ends(server, requests).connections == 1);
        for (const char* const how : {"close", "end"}) {
            check_script({client}, server, how);
            check_ends_of_told(server, requests);
        }
    }
}

TEST_CASE("nginx as a client of ours logs no error, with keep-alive, without it, and by HTTP/1.0") {
    if (is_missing(CLOSESIDE_NGINX, "nginx") || is_missing(CLOSESIDE_CURL, "curl")) return;
    for (const std::string& policy : both_policies()) {
        running_https_server server({"--policy", policy, "--wait", "1"});
        const tests::temporary_directory files;
        const std::string front = files.path("front");
        std::string temporary_paths;
        for (const char* const module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
            temporary_paths += std::string(module) + "_temp_path temporary;\n";
        const std::string ours = "127.0.0.1:" + server.port();
        const std::string configuration =
            files.write("nginx.conf", "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr info;\n"
                                      "events { worker_connections 256; }\n"
                                      "http {\naccess_log off;\nproxy_max_temp_file_size 0;\n" +
                                          temporary_paths + "upstream pool { server " + ours +
                                          "; keepalive 4; }\n"
                                          "server {\nlisten unix:" +
                                          front +
                                          ";\n"
                                          "location /keep/ { proxy_pass https://pool/; proxy_http_version 1.1; "
                                          "proxy_set_header Connection \"\"; }\n"
                                          "location /close/ { proxy_pass https://" +
                                          ours +
                                          "/; proxy_http_version 1.1; }\n"
                                          "location /old/ { proxy_pass https://" +
                                          ours +
                                          "/; }\n"
                                          "}\n}\n");
        tests::running_program nginx({CLOSESIDE_NGINX, "-p", files.path(""), "-c", configuration, "-e", "stderr"});
        check_through(front, "/keep/large");
        check_ends(server, requests); // when it has been idle for a second
        check_through(front, "/close/large");
        check_ends_of_told(server, requests);
        check_through(front, "/old/large");
        check_ends_of_told(server, requests);
        const std::string log = log_of(nginx, SIGQUIT);
        CHECK(log.find("nginx/") != std::string::npos);
        for (const char* const trouble : {"SSL", "prematurely", "[warn]", "[error]", "[crit]", "[alert]", "[emerg]"})
            CHECK(lines_with(trouble, log) == "");
    }
}

TEST_CASE("HAProxy as a client of ours logs every request as complete, with keep-alive and without") {
    if (is_missing(CLOSESIDE_HAPROXY, "haproxy") || is_missing(CLOSESIDE_CURL, "curl")) return;
    for (const std::string& policy : both_policies()) {
        running_https_server server({"--policy", policy, "--wait", "1"});
        const tests::temporary_directory files;
        std::string configuration = "global\nlog stderr format raw local0\n"
                                    "defaults\nmode http\nlog global\noption httplog\nretries 0\nhttp-reuse always\n"
                                    "timeout connect 5s\ntimeout client 10s\ntimeout server 10s\n";
        for (const std::string name : {"keep", "close"}) {
            configuration += "frontend front_" + name + "\nbind unix@" + files.path(name) + "\ndefault_backend ours_" +
                             name + "\nbackend ours_" + name +
                             (name == "keep" ? "\noption http-keep-alive" : "\noption http-server-close") +
                             "\nserver ours 127.0.0.1:" + server.port() + " ssl verify none\n";
        }
        tests::running_program haproxy({CLOSESIDE_HAPROXY, "-db", "-f", files.write("haproxy.cfg", configuration)});
        check_through(files.path("keep"), "/large");
        check_ends(server, requests); // when it has been idle for a second
        check_through(files.path("close"), "/large");
        check_ends_of_told(server, requests);
        const std::string log = log_of(haproxy, SIGUSR1), replies = lines_with("\"GET /large", log);
        CHECK(std::count(replies.begin(), replies.end(), '\n') == 2 * requests);
        // ---- says that neither side ended anything early.
        CHECK(lines_with(" ---- ", lines_with(" 200 ", replies)) == replies);
        CHECK(lines_with("SSL", log) == "");
    }
}
