// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../support/firewall.hpp"
#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "observation/segment_capture.hpp"

#include <memory>
#include <stdexcept>

namespace lab::loss {

namespace {

using namespace std::chrono_literals;

constexpr auto server_limit = 12s; // for what it is still closing when the clients are gone: drain_idle and some more

/// Segments of the size that travels, each of which is lost or not: veth passes on 64 KiB in one piece otherwise.
void send_single_segments(const host& h, const std::string& interface) {
    h.run([&] { run_tool({"ip", "link", "set", "dev", interface, "gso_max_segs", "1"}); });
}

} // namespace

outcome run(const variant& chosen, client_plan plan) {
    const host server_host("server"), client_host("client");
    link(server_host, server_address + "/24", client_host, client_address + "/24");
    send_single_segments(server_host, "client");
    send_single_segments(client_host, "server");
    lose_at_random(server_host, chosen.percent);
    lose_at_random(client_host, chosen.percent);
    std::unique_ptr<observation::segment_capture> capture;
    if (chosen.recorded)
        capture = server_host.run([] {
            return std::make_unique<observation::segment_capture>("client", observation::recorded::every_segment);
        });
    const std::unique_ptr<server> serving = serve(server_host, chosen.how);
    const counters before(server_host), before_on_client(client_host);

    outcome result;
    plan.closes_first = chosen.how == ending::peer_first || chosen.how == ending::peer_first_or_reset;
    plan.reads_slowly = chosen.slow;
    result.receipts = client_host.run([&] {
        return fetch_replies({observation::ipv4(server_address), server_port}, plan);
    });
    eventually([&] { return serving->closes().open == 0; }, server_limit);

    const counters after(server_host), after_on_client(client_host);
    result.closes = serving->closes().all();
    result.time_wait_on_server = count(server_host, tcp_state::time_wait);
    result.time_wait_on_client = count(client_host, tcp_state::time_wait);
    result.aborts_on_close = after.moved_since(before, "TCPAbortOnClose");
    result.aborts_on_data = after.moved_since(before, "TCPAbortOnData");
    result.orphans_reset = after.moved_since(before, "TCPAbortOnMemory") +
                           after_on_client.moved_since(before_on_client, "TCPAbortOnMemory");
    if (!capture) return result;
    result.segments = capture->all();
    if (capture->dropped() != 0) throw std::runtime_error("the kernel could not record every segment; run it again");
    return result;
}

} // namespace lab::loss
