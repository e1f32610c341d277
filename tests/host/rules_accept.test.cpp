// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>

#include "host/judge_host.hpp"
#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace tests;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

host::program reached_by(exposure peers) { return {.peers = peers}; }

/// Warning for whoever is reached from outside, note on loopback.
void check_warning_off_loopback(const char* code, const settings& values) {
    for (const exposure peers : every_exposure) {
        CAPTURE(to_string(peers));
        CHECK(level(code, values, peers) == (peers == exposure::loopback ? "note" : "warning"));
    }
}

host::snapshot counted(std::initializer_list<std::pair<counter, std::uint64_t>> counts, const settings& values = {}) {
    host::snapshot s = host_with(values);
    for (const auto& [c, events] : counts) set_count(s, c, events);
    return s;
}

} // namespace

TEST_CASE("an emulated /proc is named in one note, and nothing is judged by its constants") {
    fake_root root;
    root.set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_timestamps", "1").set("net.ipv4.tcp_retries2", "15");
    for (const exposure peers : every_exposure) {
        const auto findings = host::audit(look(root), peers, local);
        REQUIRE(findings.size() == 1);
        CHECK(findings.front().code == "CS004");
        CHECK(findings.front().severity == severity::note);
        CHECK(is_complete(findings.front()));
        CHECK(findings.front().keys.size() == 3);
        CHECK(findings.front().observed.front().value == "(emulated)");
        CHECK(findings.front().settings.empty());
    }
    root.defaults();
    CHECK_FALSE(judge("CS004", look(root), {}));
}

TEST_CASE("tcp_syncookies = 2 is a warning off loopback, more does what 1 does") {
    check_warning_off_loopback("CS203", {{key::tcp_syncookies, "2"}});
    CHECK(level("CS203", {{key::tcp_syncookies, "1"}}) == "nothing");
    CHECK(level("CS203", {{key::tcp_syncookies, "0"}}) == "nothing");
    for (const exposure peers : every_exposure) CHECK(level("CS203", {{key::tcp_syncookies, "3"}}, peers) == "note");
    CHECK(judge("CS203", {{key::tcp_syncookies, "255"}})->message.find("is 255, which does what 1 does") !=
          std::string::npos);

    fake_root root;
    root.defaults().set("net.ipv4.tcp_syncookies", "2");
    root.add("proc/net/netstat", "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed\nTcpExt: 700 690 2\n");
    const auto f = judge("CS203", look(root), {});
    REQUIRE(f);
    CHECK(f->evidence == "SyncookiesSent 700, SyncookiesFailed 2");
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.ipv4.tcp_syncookies", "1"}});
}

TEST_CASE("a tcp_max_syn_backlog that somebody chose is inert while SYN cookies are on") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_max_syn_backlog", "65536");
    for (const exposure peers : every_exposure) CHECK(level("CS204", look(root), reached_by(peers)) == "note");
    CHECK(judge("CS204", look(root), {})->settings.empty());
    root.set("net.ipv4.tcp_syncookies", "0");
    CHECK_FALSE(judge("CS204", look(root), {}));
}

TEST_CASE("the kernel's own tcp_max_syn_backlog is nobody's choice") {
    const auto chosen = [](const char* backlog, const char* entries) {
        return level("CS204", {{key::tcp_max_syn_backlog, backlog}, {key::tcp_ehash_entries, entries}}) == "note";
    };
    CHECK_FALSE(chosen("2048", "262144"));
    CHECK_FALSE(chosen("2048", "-262144"));
    CHECK_FALSE(chosen("1024", "262144"));
    CHECK_FALSE(chosen("128", "1024"));
    CHECK(chosen("256", "1024"));
    CHECK(chosen("2047", "262144"));
    CHECK(chosen("4096", "-262144"));
    // Nobody can tell.
    CHECK_FALSE(chosen("4096", "0"));
    host::snapshot old = host_with({{key::tcp_max_syn_backlog, "4096"}});
    old[key::tcp_ehash_entries] = {};
    CHECK_FALSE(judge("CS204", old, {}));
}

TEST_CASE("a somaxconn below the backlog of the program lowers it") {
    const auto with_backlog = [](int backlog, exposure peers = exposure::nat) {
        return judge("CS205", host_with({{key::somaxconn, "1024"}}), {.peers = peers, .backlog = backlog});
    };
    CHECK(level(with_backlog(1024)) == "nothing");
    CHECK(level(with_backlog(-1)) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(level(with_backlog(1025, peers)) == (peers == exposure::loopback ? "note" : "warning"));
    const auto f = with_backlog(2000);
    CHECK(f->message.find("a backlog of 2000, and net.core.somaxconn is 1024") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.core.somaxconn", "2000"}});

    fake_root root;
    root.defaults();
    CHECK_FALSE(judge("CS205", look(root), {}));
    CHECK_FALSE(judge("CS205", look(root), {.backlog = 4096}));
    root.set("net.core.somaxconn", "128").add("proc/net/netstat", "TcpExt: ListenOverflows\nTcpExt: 5\n");
    CHECK(judge("CS205", look(root), {.backlog = 4096})->evidence == "ListenOverflows 5");
    root.remove("net.core.somaxconn");
    CHECK_FALSE(judge("CS205", look(root), {.backlog = 4096}));
}

TEST_CASE("a small somaxconn is a warning if lowered or too small for the rate; an old kernel's default else a note, "
          "if it matters") {
    const auto judged = [](const char* limit, exposure peers = exposure::nat, std::optional<double> rate = {}) {
        return level("CS206", host_with({{key::somaxconn, limit}}), {.peers = peers, .accepts_per_second = rate});
    };
    CHECK(judged("129") == "nothing");
    for (const exposure peers : every_exposure) CHECK(judged("128", peers) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(judged("127", peers) == (peers == exposure::loopback ? "note" : "warning"));
    CHECK(judged("128", exposure::direct, 1280) == "note");
    CHECK(judged("128", exposure::direct, 1281) == "warning");
    CHECK(judged("128", exposure::loopback, 1281) == "note");
    CHECK(judged("128", exposure::direct, 0) == "note");
    // The backlog that the program states is judged instead.
    CHECK(level("CS206", host_with({{key::somaxconn, "64"}}), {.backlog = 64}) == "nothing");

    fake_root root;
    root.defaults();
    CHECK_FALSE(judge("CS206", look(root), {}));
    root.set("net.core.somaxconn", "128");
    CHECK_FALSE(judge("CS206", look(root), {}));
    root.add("proc/net/netstat", "TcpExt: ListenOverflows\nTcpExt: 5\n");
    CHECK(level("CS206", look(root), {}) == "note");
    const auto f = judge("CS206", look(root), {.accepts_per_second = 2000.0});
    REQUIRE(f);
    CHECK(f->message.find("a pause of 64 ms fills it") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.core.somaxconn", "4096"}});
}

TEST_CASE("tcp_abort_on_overflow is a warning off loopback") {
    check_warning_off_loopback("CS207", {{key::tcp_abort_on_overflow, "1"}});
    CHECK(level("CS207", {{key::tcp_abort_on_overflow, "255"}}) == "warning");
    CHECK(level("CS207", {}) == "nothing");
    fake_root root;
    root.defaults().set("net.ipv4.tcp_abort_on_overflow", "1");
    CHECK(level("CS207", look(root), {}) == "warning");
}

TEST_CASE("an accept queue that was full is a note, one that is filling up right now a warning") {
    fake_root root;
    root.defaults();
    CHECK_FALSE(judge("CS208", look(root), {}));
    root.add("proc/net/netstat", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 0 9\n");
    CHECK_FALSE(judge("CS208", look(root), {}));
    root.add("proc/net/netstat", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 9\n");
    const auto before = look(root);
    for (const exposure peers : every_exposure) CHECK(level("CS208", before, reached_by(peers)) == "note");
    CHECK(judge("CS208", before, {})->message.find("full 1 time since") != std::string::npos);
    CHECK(judge("CS208", before, {})->occurrence == host::occurrence::seen);

    root.add("proc/net/netstat", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 31 39\n");
    const auto after = look(root);
    const auto f = find(host::audit(after, host::program{}, {.earlier = &before}), "CS208");
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
    CHECK(f->occurrence == host::occurrence::happening);
    CHECK(f->message.find("full 31 times since") != std::string::npos);
}

TEST_CASE("a full SYN queue is told by its counters, and by whether cookies were sent or SYNs dropped") {
    fake_root root;
    root.defaults().add("proc/net/netstat", "TcpExt: TCPReqQFullDoCookies TCPReqQFullDrop\nTcpExt: 0 0\n");
    CHECK_FALSE(judge("CS209", look(root), {}));
    root.add("proc/net/netstat", "TcpExt: TCPReqQFullDoCookies TCPReqQFullDrop\nTcpExt: 7 0\n");
    const auto before = look(root);
    for (const exposure peers : every_exposure) CHECK(level("CS209", before, reached_by(peers)) == "note");
    CHECK(judge("CS209", before, {})->consequence.find("lost SYN-ACK") != std::string::npos);

    const auto drops = counted({{counter::req_q_full_drop, 3}}, {{key::tcp_syncookies, "0"}});
    CHECK(level("CS209", drops, {}) == "note");
    CHECK(judge("CS209", drops, {})->consequence.find("SYN is dropped") != std::string::npos);
    CHECK(judge("CS209", counted({{counter::req_q_full_drop, 3}, {counter::req_q_full_do_cookies, 2}}), {})
              ->message.find("full for 5 SYNs: 2 were answered with cookies, 3 dropped") != std::string::npos);

    root.add("proc/net/netstat", "TcpExt: TCPReqQFullDoCookies TCPReqQFullDrop\nTcpExt: 8 0\n");
    const auto f = find(host::audit(look(root), host::program{}, {.earlier = &before}), "CS209");
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
}

TEST_CASE("with tcp_syncookies = 2 every SYN is counted as if the queue were full, which tells nothing") {
    const settings always{{key::tcp_syncookies, "2"}};
    CHECK_FALSE(judge("CS209", counted({{counter::req_q_full_do_cookies, 7}}, always), {}));
    CHECK(judge("CS209", counted({{counter::req_q_full_do_cookies, 7}, {counter::req_q_full_drop, 1}}, always), {})
              ->message.find("full for 1 SYNs") != std::string::npos);
}

TEST_CASE("tcp_synack_retries = 0 is a warning off loopback, more is not judged") {
    check_warning_off_loopback("CS210", {{key::tcp_synack_retries, "0"}});
    for (const char* retries : {"1", "2", "5", "255"})
        CHECK(level("CS210", {{key::tcp_synack_retries, retries}}) == "nothing");
    fake_root root;
    root.defaults().set("net.ipv4.tcp_synack_retries", "0");
    const auto f = judge("CS210", look(root), {});
    REQUIRE(f);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.ipv4.tcp_synack_retries", "5"}});
}

TEST_CASE("several listeners on a port lose what one has not accepted, unless tcp_migrate_req is on") {
    const auto shared = [](std::vector<std::uint16_t> ports, const settings& values = {}) {
        host::snapshot s = host_with(values);
        s.shared_ports = std::move(ports);
        return s;
    };
    CHECK(level("CS211", shared({}), {}) == "nothing");
    CHECK(level("CS211", shared({443}, {{key::tcp_migrate_req, "1"}}), {}) == "nothing");
    // Whose they are is not known.
    CHECK(level("CS211", shared({443}), {}) == "note");
    CHECK(level("CS211", shared({443, 8080}), {.listening_ports = {8080}}) == "warning");
    CHECK(level("CS211", shared({443, 8080}), {.peers = exposure::loopback, .listening_ports = {8080}}) == "note");
    CHECK(level("CS211", shared({443, 8080}), {.listening_ports = {80}}) == "nothing");
    host::snapshot old = shared({443});
    old[key::tcp_migrate_req] = {};
    CHECK(level("CS211", old, {}) == "nothing");

    const auto one = judge("CS211", shared({443, 8080}), {.listening_ports = {8080}});
    CHECK(one->message.find("on port 8080 (SO_REUSEPORT)") != std::string::npos);
    CHECK(one->settings == std::vector<host::finding::setting>{{"net.ipv4.tcp_migrate_req", "1"}});
    const auto many = judge("CS211", shared({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), {});
    CHECK(many->message.find("on ports 1, 2, 3, 4, 5, 6, 7, 8 and 2 more (") != std::string::npos);
}
