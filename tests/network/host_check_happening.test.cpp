// SPDX-License-Identifier: BSL-1.0
// Between two looks at the running kernel, that of which a rule warns is made to happen: the finding then says so.
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/render.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/policy.hpp>

#include "support/in_child.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_mounts.hpp"
#include "support/own_network.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>

namespace host = closeside::host;
using namespace std::chrono_literals;
using namespace tests;
using namespace tests::loopback_tcp;
using host::counter;

namespace {

constexpr std::array waits_for_peers{closeside::policies::peer_first};

/// A second look, once that counter has risen that far; none after five seconds.
std::optional<host::snapshot> once_counted(const host::snapshot& before, counter c, std::uint64_t events = 1) {
    for (const auto end = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < end;) {
        host::snapshot now = host::take_snapshot();
        if (host::detail::rise(before, now, c).value_or(0) >= events) return now;
        ::poll(nullptr, 0, 1);
    }
    return std::nullopt;
}

/// "warning, happening: …" as the rule has it.
std::string verdict_of(std::string_view code, const host::snapshot& now, const host::snapshot& before,
                       host::program program = {}) {
    for (const host::finding& f : host::audit(now, std::move(program), {.earlier = &before}))
        if (f.code == code)
            return std::string(to_string(f.severity)) + ", " + to_string(f.occurrence) + ": " + f.evidence +
                   (host::to_line(f).find("; happening now: " + f.evidence) != std::string::npos ? "" : ", unsaid");
    return "nothing";
}

/// The body's text, or a word about why there is none.
template <class Body>
std::optional<std::string> provoke(counter c, Body body) {
    auto text = in_own_network([&]() -> std::string {
        bring_up_loopback();
        const auto before = host::take_snapshot();
        if (!before.count(c)) return "SKIPPED: this kernel does not count " + std::string(to_string(c));
        return body(before);
    });
    if (!text) text = "SKIPPED: no right to make a network namespace";
    if (!text->starts_with("SKIPPED")) return text;
    MESSAGE(*text);
    return std::nullopt;
}

} // namespace

TEST_CASE("network: closes beyond tcp_max_tw_buckets are seen to lose their TIME-WAIT, and how many a second") {
    const auto text = provoke(counter::tw_overflow, [](const host::snapshot& before) -> std::string {
        set_sysctl("tcp_max_tw_buckets", "0");
        serve_and_close_first(40);
        const auto now = once_counted(before, counter::tw_overflow, 40);
        if (!now) return "not counted";
        const auto a_second = host::detail::rate(before, *now, counter::tw_overflow);
        return verdict_of("CS120", *now, before) + (a_second && *a_second >= 40 / 5.0 ? "" : " without a rate");
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("warning, happening: TCPTimeWaitOverflow 40 (+40 in "));
    CHECK(text->ends_with(" s)"));
}

TEST_CASE("network: a TIME-WAIT table that is nearly full is seen, and one that overflows is happening") {
    const auto text = provoke(counter::tw_overflow, [](const host::snapshot& fresh) -> std::string {
        set_sysctl("tcp_max_tw_buckets", "20");
        // A late RST ends no TIME-WAIT.
        set_sysctl("tcp_rfc1337", "1");
        serve_and_close_first(18);
        const auto before = host::take_snapshot();
        const std::string nearly = verdict_of("CS123", before, fresh);
        serve_and_close_first(10);
        const auto now = once_counted(before, counter::tw_overflow);
        return now ? nearly + "; " + verdict_of("CS123", *now, before) : "not counted";
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("warning, unseen: TCPTimeWaitOverflow 0 (+0 in "));
    CHECK(text->find("; warning, happening: TCPTimeWaitOverflow ") != std::string::npos);
}

TEST_CASE("network: a full accept queue is seen to drop clients") {
    const auto text = provoke(counter::listen_overflows, [](const host::snapshot& before) -> std::string {
        const descriptor listener = listening(0);
        std::vector<descriptor> clients;
        for (int i = 0; i != 4; ++i) clients.push_back(connecting());
        const auto now = once_counted(before, counter::listen_overflows);
        if (!now) return "not counted";
        return verdict_of("CS208", *now, before, {.backlog = 0}) + "; later: " + verdict_of("CS208", *now, *now);
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("warning, happening: ListenOverflows "));
    CHECK(text->find("; later: note, seen: ListenOverflows ") != std::string::npos);
}

TEST_CASE("network: a full SYN queue is seen to answer with cookies, or to drop") {
    // Without data to wake the server for, each request stays in the SYN queue.
    const auto fill_syn_queue = [](std::vector<descriptor>& open) {
        open.push_back(listening(1));
        const int seconds = 60;
        checked(::setsockopt(open.front().get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds),
                "TCP_DEFER_ACCEPT");
        for (int i = 0; i != 6; ++i) open.push_back(connecting());
    };
    counter counted{};
    std::string expected;
    std::string syncookies;
    SUBCASE("cookies") {
        syncookies = "1";
        counted = counter::req_q_full_do_cookies;
        expected = "TCPReqQFullDoCookies ";
    }
    SUBCASE("drops") {
        syncookies = "0";
        counted = counter::req_q_full_drop;
        expected = "TCPReqQFullDrop ";
    }
    const auto text = provoke(counted, [&](const host::snapshot& before) -> std::string {
        set_sysctl("tcp_syncookies", syncookies);
        std::vector<descriptor> open;
        fill_syn_queue(open);
        const auto now = once_counted(before, counted);
        return now ? verdict_of("CS209", *now, before) : "not counted";
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("warning, happening: "));
    CHECK(text->find(expected) != std::string::npos);
    CHECK(text->find(expected + "0 ") == std::string::npos);
}

namespace {

/// Clients at the ports of TIME-WAITs, some of which these lock out.
struct locked_out_clients {
    // By chance the timestamp of the second client is newer for half of the ports: many ports, and the chance of none is
    // nil.
    static constexpr std::uint16_t ports = 32, first = 20000;

    locked_out_clients() {
        set_sysctl("tcp_rfc1337", "1");
        serve_and_close_first(ports, first);
        listener = listening(ports);
    }

    void come() {
        // Without its random offset, the clock of the second client is that of another host behind the same address.
        set_sysctl("tcp_timestamps", "2");
        for (std::uint16_t i = 0; i != ports; ++i) others.push_back(connecting(static_cast<std::uint16_t>(first + i)));
    }

    descriptor listener;
    std::vector<descriptor> others;
};

/// From here on /proc shows the calling thread the counters that Linux has before 6.16, as of the last refresh().
class older_counters {
public:
    bool mask() {
        refresh();
        return take_own_mounts() &&
               ::mount(directory_.path(".").c_str(), "/proc/thread-self/net", nullptr, MS_BIND, nullptr) == 0;
    }

    /// What TIME-WAIT refuses counts in PAWSEstab there.
    void refresh() {
        for (const char* const same : {"snmp", "sockstat"}) directory_.write(same, text_of(real_ + same));
        std::ifstream real(real_ + "netstat");
        std::ostringstream all;
        for (std::string names, values; std::getline(real, names) && std::getline(real, values);) {
            std::istringstream heads(names), numbers(values);
            std::string shown, numbers_shown, name, number;
            std::uint64_t refused = 0;
            std::vector<std::pair<std::string, std::string>> columns;
            while (heads >> name && numbers >> number) {
                if (name == "PAWSTimewait")
                    refused = std::stoull(number);
                else
                    columns.emplace_back(name, number);
            }
            for (auto& [n, value] : columns) {
                if (n == "PAWSEstab") value = std::to_string(std::stoull(value) + refused);
                shown += (shown.empty() ? "" : " ") + n;
                numbers_shown += (numbers_shown.empty() ? "" : " ") + value;
            }
            all << shown << "\n" << numbers_shown << "\n";
        }
        directory_.write("netstat", all.str());
    }

private:
    static std::string text_of(const std::string& file) {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }

    // Another place than thread-self. Files there cannot be mounted over one by one: the kernel looks them up anew.
    const std::string real_ = "/proc/self/net/";
    temporary_directory directory_;
};

} // namespace

TEST_CASE("network: a client that TIME-WAIT locks out is happening now before Linux 6.16, too") {
    const auto text = in_own_network([]() -> std::string {
        bring_up_loopback();
        older_counters counters;
        if (!host::take_snapshot().count(counter::paws_timewait)) return "SKIPPED: this kernel is older itself";
        if (!counters.mask()) return "SKIPPED: no right to mount";
        locked_out_clients clients;
        const auto before = host::take_snapshot();
        if (before.count(counter::paws_timewait)) return "still counted";
        clients.come();
        for (const auto end = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < end;) {
            counters.refresh();
            const auto now = host::take_snapshot();
            if (host::detail::rise(before, now, counter::paws_estab).value_or(0) >= 1)
                return verdict_of("CS101", now, before);
            ::poll(nullptr, 0, 1);
        }
        return "not counted";
    });
    if (!text || text->starts_with("SKIPPED")) {
        MESSAGE(text.value_or("SKIPPED: no right to make a network namespace"));
        return;
    }
    CAPTURE(*text);
    CHECK(text->starts_with("critical, happening: PAWSEstab "));
    CHECK(text->find("established") != std::string::npos);
}

TEST_CASE("network: a client that TIME-WAIT locks out under tcp_rfc1337 is happening now") {
    const auto text = provoke(counter::paws_timewait, [](const host::snapshot& before) -> std::string {
        locked_out_clients clients;
        const std::string unmet = verdict_of("CS101", host::take_snapshot(), before);
        clients.come();
        const auto now = once_counted(before, counter::paws_timewait);
        if (!now) return "not counted";
        return unmet + "; " + verdict_of("CS101", *now, before) +
               "; where peers close first: " + verdict_of("CS101", *now, before, {.policies = waits_for_peers});
    });
    if (!text) return;
    CAPTURE(*text);
    CHECK(text->starts_with("critical, unseen: PAWSTimewait 0 "));
    CHECK(text->find("; critical, happening: PAWSTimewait ") != std::string::npos);
    CHECK(text->find("first: warning, happening: PAWSTimewait ") != std::string::npos);
}
