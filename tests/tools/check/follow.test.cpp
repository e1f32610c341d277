// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "traced.hpp"

#include "observation/segment_capture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>

using closeside::detail::tcp_state;
using nlohmann::json;
using tests::abort_connection, tests::send_byte, tests::set_option, tests::traced, tests::wait_for;
using tests::descriptor;
using tests::following, tests::port_of;
using pair = tests::connected_pair;
using tests::loopback_tcp::service;
using namespace std::chrono_literals;

namespace {

void fill(const descriptor& socket) {
    const std::string data(1 << 16, 'x');
    while (::send(socket.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
}

/// Whether the peer's FIN has been read.
bool drain(const descriptor& socket) {
    std::string data(1 << 20, 'x');
    ssize_t n = 1;
    while (n > 0) n = ::recv(socket.get(), data.data(), data.size(), MSG_DONTWAIT);
    return n == 0;
}

/// What the tool says of the service's end of a connection is to be this, and of the client's its mirror.
struct way {
    const char* name;
    std::function<void(pair&)> take;
    const char* cause;
    const char* ended_by;
    const char* first_fin; ///< null: none
    const char* topic;
    const char* kernel_reason;
    const char* at_client;
};

std::string states_of(const json& e) {
    std::string text;
    for (const json& s : e.at("states")) text += (text.empty() ? "" : " ") + s.get<std::string>();
    return text;
}

/// Compares an ending with what passed on the wire; empty if both agree.
std::string against_capture(const json& e, const std::vector<observation::segment>& wire, std::uint16_t local) {
    std::string fin, reset;
    for (const observation::segment& s : wire) {
        if (s.fin && fin.empty()) fin = s.from.port == local ? "local" : "peer";
        if (s.rst && reset.empty()) reset = s.from.port == local ? "reset_by_us" : "reset_by_peer";
    }
    const json by = e.at("ended_by"), first = e.at("first_fin");
    std::string wrong;
    if (by.get<std::string>().starts_with("reset") ? by != reset : by == "fin" && !reset.empty())
        wrong += "ended_by " + by.dump() + ", on the wire '" + reset + "'; ";
    if (first != "both" && first != "unknown" && (first.is_null() ? !fin.empty() : first != fin))
        wrong += "first_fin " + first.dump() + ", on the wire '" + fin + "'; ";
    return wrong;
}

const way ways[] = {
    {"this host closes first",
     [](pair& p) {
         p.server.close();
         wait_for(p.client, tcp_state::close_wait);
         p.client.close();
     },
     "closed_first", "fin", "local", "time-wait", nullptr, "closed_second"},
    {"the peer closes first",
     [](pair& p) {
         p.client.close();
         wait_for(p.server, tcp_state::close_wait);
         p.server.close();
     },
     "closed_second", "fin", "peer", "endings", nullptr, "closed_first"},
    {"both shut down, the service first",
     [](pair& p) {
         ::shutdown(p.server.get(), SHUT_WR);
         wait_for(p.client, tcp_state::close_wait);
         ::shutdown(p.client.get(), SHUT_WR);
     },
     "closed_first", "fin", "local", "time-wait", nullptr, "closed_second"},
    {"close over unread input",
     [](pair& p) {
         send_byte(p.client);
         char peeked;
         tests::checked(static_cast<int>(::recv(p.server.get(), &peeked, 1, MSG_PEEK)), "recv");
         p.server.close();
     },
     "unread_input", "reset_by_us", nullptr, "unread", "TCP_ABORT_ON_CLOSE", "peer_reset_open"},
    {"close over unread input after the peer's FIN",
     [](pair& p) {
         send_byte(p.client);
         ::shutdown(p.client.get(), SHUT_WR);
         wait_for(p.server, tcp_state::close_wait);
         p.server.close();
     },
     "unread_input", "reset_by_us", "peer", "unread", "TCP_ABORT_ON_CLOSE",
     "peer_reset_after_our_fin|peer_reset_after_our_close"},
    {"SO_LINGER {1, 0}", [](pair& p) { abort_connection(p.server); }, "abort_option", "reset_by_us", nullptr, "linger",
     "TCP_STATE", "peer_reset_open"},
    {"the peer aborts", [](pair& p) { abort_connection(p.client); }, "peer_reset_open", "reset_by_peer", nullptr,
     "peer-reset", nullptr, "abort_option"},
    {"the peer aborts after the service's FIN",
     [](pair& p) {
         ::shutdown(p.server.get(), SHUT_WR);
         wait_for(p.server, tcp_state::fin_wait2);
         abort_connection(p.client);
     },
     "peer_reset_after_our_fin", "reset_by_peer", "local", "peer-reset", nullptr, "abort_option"},
    {"the peer aborts before the service's FIN could be sent",
     [](pair& p) {
         fill(p.server);
         p.server.close();
         abort_connection(p.client);
     },
     "peer_reset_after_our_close", "reset_by_peer", "unknown", "peer-reset", nullptr, "unread_input"},
    {"the peer aborts after the service has closed, before anybody looks",
     [](pair& p) {
         ::shutdown(p.server.get(), SHUT_WR);
         wait_for(p.server, tcp_state::fin_wait2);
         p.server.close();
         abort_connection(p.client);
     },
     "fin_wait2_gone", "unknown", "local", "fin-wait-2", nullptr, "abort_option"},
    {"the peer aborts after its own FIN",
     [](pair& p) {
         ::shutdown(p.client.get(), SHUT_WR);
         wait_for(p.client, tcp_state::fin_wait2);
         abort_connection(p.client);
     },
     "peer_reset_after_its_fin", "reset_by_peer", "peer", "peer-reset", nullptr, "abort_option"},
    {"data for an orphan in FIN-WAIT-2",
     [](pair& p) {
         p.server.close();
         send_byte(p.client);
     },
     "late_data|ack_of_fin", "reset_by_us", "local", "late-data", "TCP_TIMEWAIT_SOCKET|TCP_ABORT_ON_DATA",
     "peer_reset_after_its_fin"},
    {"data after shutdown(SHUT_RDWR)",
     [](pair& p) {
         ::shutdown(p.server.get(), SHUT_RDWR);
         wait_for(p.server, tcp_state::fin_wait2);
         send_byte(p.client);
     },
     "late_data", "reset_by_us", "local", "late-data", "TCP_ABORT_ON_DATA", "peer_reset_after_its_fin"},
    {"TCP_LINGER2 below 0",
     [](pair& p) {
         set_option(p.server, IPPROTO_TCP, TCP_LINGER2, -1);
         p.server.close();
     },
     "ack_of_fin", "reset_by_us", "local", "late-data", "TCP_ABORT_ON_DATA", "peer_reset_after_its_fin"},
    {"TCP_LINGER2 below 0, in FIN-WAIT-2",
     [](pair& p) {
         set_option(p.server, IPPROTO_TCP, TCP_LINGER2, -1);
         ::shutdown(p.server.get(), SHUT_WR);
         wait_for(p.server, tcp_state::fin_wait2);
         p.server.close();
     },
     "negative_linger2", "reset_by_us", "local", "linger", "TCP_ABORT_ON_LINGER", "peer_reset_after_its_fin"},
    {"both close at once",
     [](pair& p) {
         fill(p.server);
         fill(p.client);
         ::shutdown(p.server.get(), SHUT_WR);
         ::shutdown(p.client.get(), SHUT_WR);
         observation::eventually(
             [&] {
                 const bool at_server = drain(p.server), at_client = drain(p.client);
                 return at_server && at_client;
             },
             5s, 1ms);
     },
     "closed_together|closed_first|closed_second", "fin", "both|local|peer", "time-wait|endings", nullptr,
     "closed_together|closed_first|closed_second"},
};

bool is_one_of(const json& value, const char* choices) {
    if (!choices) return value.is_null();
    std::istringstream all(choices);
    for (std::string one; std::getline(all, one, '|');)
        if (value == one) return true;
    return false;
}

std::string judge(const way& w, const json& server, const json& client) {
    const std::string name = std::string(w.name) + ": ";
    if (server.is_null() || client.is_null()) return name + "not told of; ";
    if (!is_one_of(server.at("cause"), w.cause) || !is_one_of(server.at("ended_by"), w.ended_by) ||
        !is_one_of(server.at("first_fin"), w.first_fin) || !is_one_of(server.at("explain"), w.topic) ||
        !is_one_of(server.at("kernel_reason"), w.kernel_reason))
        return name + server.dump() + "; ";
    return is_one_of(client.at("cause"), w.at_client) ? "" : name + "at the client " + client.dump() + "; ";
}

} // namespace

TEST_CASE("network: closeside-check follow names each ending as it was done, and as it passed on the wire") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        observation::segment_capture capture;
        const descriptor listener = tests::loopback_tcp::listening(16);
        std::string wrong;
        for (const way& w : ways) {
            std::uint16_t port = 0;
            {
                pair p(listener);
                port = p.port;
                w.take(p);
            }
            const json server = tool.ending(service, port), client = tool.ending(port, service);
            wrong += judge(w, server, client);
            if (server.is_null() || client.is_null()) continue;
            const auto wire = capture.between(service, port);
            for (const std::string& difference :
                 {against_capture(server, wire, service), against_capture(client, wire, port)})
                if (!difference.empty()) wrong += std::string(w.name) + ": " + difference;
        }
        if (tool.stop() != 0) wrong += "ended with another status: " + tool.err();
        if (!tool.err().empty()) wrong += tool.err();
        return wrong;
    });
}

TEST_CASE("network: an ending of closeside-check follow has every member that programs rely on") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        const auto before = std::chrono::system_clock::now();
        pair p(listener);
        send_byte(p.client);
        p.server.close();
        json e = tool.ending(service, p.port);
        if (e.is_null()) return "not told of";
        const std::string time = e.at("time");
        int nanoseconds = 0;
        ::tm parts{};
        if (time.size() != 30 || ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != &time.c_str()[19] ||
            time[19] != '.' || time.back() != 'Z' || (nanoseconds = std::stoi(time.substr(20, 9))) < 0)
            return "time " + time;
        const auto told =
            std::chrono::system_clock::from_time_t(::timegm(&parts)) + std::chrono::nanoseconds(nanoseconds);
        if (told < before || told > std::chrono::system_clock::now()) return "not the time of the ending: " + time;
        e.erase("time");
        const json expected{
            {"local", "127.0.0.1:9000"},
            {"peer", "127.0.0.1:" + std::to_string(p.port)},
            {"ended_by", "reset_by_us"},
            {"reason", "this host reset: it closed over input that nobody had read (TCP_ABORT_ON_CLOSE)"},
            {"first_fin", nullptr},
            {"states", {"ESTABLISHED", "CLOSE"}},
            {"explain", "unread"},
            {"cause", "unread_input"},
            {"kernel_reason", "TCP_ABORT_ON_CLOSE"}};
        return e == expected ? "" : e.dump();
    });
}

TEST_CASE("network: a connection that is never accepted ends with its listener") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        descriptor listener = tests::loopback_tcp::listening(16);
        const descriptor client = tests::loopback_tcp::connecting();
        const std::uint16_t port = port_of(client);
        listener.close();
        const json e = tool.ending(service, port);
        return !e.is_null() && e.at("cause") == "listener_queue" && e.at("explain") == "listener-queue" ? "" : e.dump();
    });
}

TEST_CASE("network: a connect that is refused is told of on the side that connects") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        std::uint16_t port = 0;
        {
            const descriptor client = tests::loopback_tcp::connecting();
            port = port_of(client);
        }
        const json e = tool.ending(port, service);
        return !e.is_null() && e.at("cause") == "refused" && e.at("ended_by") == "reset_by_peer" &&
                       states_of(e) == "SYN-SENT CLOSE"
                   ? ""
                   : e.dump();
    });
}

TEST_CASE(
    "network: closeside-check follow leaves nothing in tracefs, and removes what was left by one that was killed") {
    traced([]() -> std::string {
        const auto is_there = [](const std::string& name) { return std::ranges::count(tests::instances(), name) == 1; };
        for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
            following tool;
            if (!tool.is_ready() || !is_there(tool.instance())) return "no instance of its own: " + tool.err();
            if (tool.stop(signal) != 0) return "another status after signal " + std::to_string(signal);
            if (is_there(tool.instance())) return "left behind after signal " + std::to_string(signal);
        }
        std::string left_behind;
        {
            following killed;
            if (!killed.is_ready()) return "not ready: " + killed.err();
            left_behind = killed.instance();
            killed.stop(SIGKILL);
        }
        if (!is_there(left_behind)) return "nothing to be removed";
        following timed({"--for", "1"});
        if (timed.wait(10s) != 0) return "did not end by its time";
        return is_there(timed.instance()) || is_there(left_behind) ? "left behind by one that was killed" : "";
    });
}
