// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "peers.hpp"

#include <algorithm>
#include <stdexcept>

namespace lab::orphan {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t slow_read = 200; // each pace
constexpr auto pace = 50ms;            // the kernel walks a table of the whole machine each time

/// Nothing from the server reaches the peers any more.
void silence(const host& peers) {
    peers.nft("table ip silence {\n"
              "    chain arriving {\n"
              "        type filter hook prerouting priority raw;\n"
              "        iifname \"server\" meta l4proto tcp drop\n    }\n}\n");
}

struct look {
    std::size_t fin_wait1 = 0;
    std::size_t fin_wait2 = 0;
    std::uint64_t queued = 0;
    bool held =
        false; ///< some descriptor is open: before the close, or in a child of this process that has yet to exec
};

look look_at_orphans(const host& server) {
    constexpr std::uint32_t wanted = set_of(tcp_state::fin_wait1) | set_of(tcp_state::fin_wait2);
    look seen;
    for (const socket_entry& s : tcp_sockets(server, wanted)) {
        if (s.inode != 0) {
            seen.held = true;
            continue;
        }
        if (s.state == tcp_state::fin_wait2) {
            ++seen.fin_wait2;
            continue;
        }
        ++seen.fin_wait1;
        seen.queued += s.send_queue - (s.send_queue > 0 ? 1 : 0); // without the FIN
    }
    return seen;
}

/// When the median connection's descriptor was released.
steady::time_point release_of(const std::vector<ended>& endings) {
    std::vector<steady::time_point> at;
    for (const ended& e : endings) at.push_back(e.at);
    std::nth_element(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(at.size() / 2), at.end());
    return at[at.size() / 2];
}

class watch {
public:
    watch(const host& server, outcome& into) : server_(server), into_(into) {}

    /// Returns whether there is an orphan, or a connection that is about to be one.
    bool look() {
        const orphan::look seen = look_at_orphans(server_);
        times_.push_back(steady::now());
        into_.samples.push_back({.fin_wait1 = seen.fin_wait1, .fin_wait2 = seen.fin_wait2});
        into_.most_fin_wait1 = std::max(into_.most_fin_wait1, seen.fin_wait1);
        into_.most_fin_wait2 = std::max(into_.most_fin_wait2, seen.fin_wait2);
        into_.queued = std::max(into_.queued, seen.queued);
        return seen.held || seen.fin_wait1 + seen.fin_wait2 > 0;
    }

    void evaluate(std::size_t connections, steady::time_point released) {
        const std::size_t most = std::max(into_.most_fin_wait1, into_.most_fin_wait2);
        bool all_there = false;
        for (std::size_t i = 0; i < times_.size(); ++i) {
            sample& s = into_.samples[i];
            s.at = std::chrono::duration<double>(times_[i] - released).count();
            const std::size_t orphans = s.fin_wait1 + s.fin_wait2;
            all_there = all_there || (orphans >= most && most > connections / 2);
            if (!all_there) continue;
            if (!into_.half_gone && orphans <= connections / 2) into_.half_gone = s.at;
            if (!into_.gone && orphans == 0) into_.gone = s.at;
        }
    }

private:
    const host& server_;
    outcome& into_;
    std::vector<steady::time_point> times_;
};

} // namespace

const std::vector<std::string> counter_names{"TCPAbortOnLinger", "TCPAbortOnTimeout"};

const char* to_string(behaviour b) noexcept {
    switch (b) {
    case behaviour::never_close: return "never close";
    case behaviour::read_slowly: return "read slowly";
    case behaviour::close_late: return "close late";
    case behaviour::silent: return "silent";
    case behaviour::silent_a_while: return "silent a while";
    }
    return "?";
}

double variant::fin_wait2_seconds() const noexcept {
    if (skips()) return 0;
    return linger2 == closeside::fin_wait2::system ? fin_timeout : static_cast<double>(linger2.time.count) / 1000;
}

std::string name_of_linger2(const variant& v) {
    if (v.skips()) return "skip";
    if (v.linger2 == closeside::fin_wait2::system) return "system, " + std::to_string(v.fin_timeout) + " s";
    return std::to_string(v.linger2.time.count / 1000) + " s";
}

outcome run(const variant& chosen, std::size_t connections, std::chrono::milliseconds limit) {
    const host server_host("server"), peer_host("peers");
    link(server_host, "192.0.2.1/24", peer_host, "192.0.2.2/24");
    server_host.set_sysctl("net.ipv4.tcp_fin_timeout", std::to_string(chosen.fin_timeout));
    server_host.set_sysctl("net.ipv4.tcp_orphan_retries", std::to_string(chosen.orphan_retries));
    server serving(server_host, {.linger2 = chosen.linger2, .drain_time = chosen.drain_time()});
    const counters before(server_host);

    outcome result;
    const std::size_t at_once = chosen.peers == behaviour::read_slowly ? slow_read : peers::everything;
    peers connected = peer_host.run([&] {
        return peers({observation::ipv4("192.0.2.1"), server_port}, connections, at_once);
    });
    if (!eventually([&] { return serving.accepted() == connections; }, 10s))
        throw std::runtime_error("the server accepted " + std::to_string(serving.accepted()) + " connections only");
    if (chosen.ever_silent()) silence(peer_host);
    serving.end_all();

    watch observer(server_host, result);
    bool left = false; // by the server
    eventually(
        [&] {
            const bool all_closed = serving.closed() == connections;
            connected.read();
            const bool more = observer.look();
            if (all_closed && !left) {
                left = true;
                if (chosen.peers == behaviour::close_late) connected.close();
                if (chosen.peers == behaviour::silent_a_while) peer_host.nft("delete table ip silence\n");
            }
            return all_closed && !more;
        },
        limit, pace);
    if (serving.closed() != connections) throw std::runtime_error("a close did not end");
    if (chosen.skips()) eventually([&] { return connected.read(), connected.resets() == connections; }, 2s);

    result.endings = serving.endings();
    observer.evaluate(connections, release_of(result.endings));
    result.received = connected.received();
    result.resets = connected.resets();
    result.time_wait = count(server_host, tcp_state::time_wait);
    result.counted = counters(server_host).moved_since(before, counter_names);
    return result;
}

} // namespace lab::orphan
