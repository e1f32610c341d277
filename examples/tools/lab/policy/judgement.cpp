// SPDX-License-Identifier: BSL-1.0
#include "judgement.hpp"

#include <closeside/policy.hpp>

namespace lab::policy {

namespace {

namespace cs = closeside;
using namespace std::chrono_literals;

constexpr auto clock_slack = 2ms; // between the packets' time stamps and the program's own clock
constexpr auto blocking = 20ms;   // an event loop that stands still for so long is late for everybody else

bool whole_reply(const cell& c, const settings& lab) { return c.got.received == lab.reply_bytes; }

bool holds_or_may_hold_time_wait(tcp_state s) {
    return s == tcp_state::time_wait || s == tcp_state::fin_wait1 || s == tcp_state::fin_wait2 ||
           s == tcp_state::closing;
}

/// What ended the connection is not known any more if the program's own write has taken the error that told it.
void check_unknown(const cell& c, std::vector<std::string>& found) {
    const cs::close_report& said = *c.said.report;
    const bool unknown = said.first_fin == cs::fin_sender::unknown || said.ended_by == cs::ending::unknown ||
                         said.time_wait == cs::time_wait_holder::unknown;
    if (unknown && !c.said.write_error) found.push_back("unknown, although the program had taken no error");
}

void check_first_fin(const cell& c, std::vector<std::string>& found) {
    const std::optional<bool> first = c.kernel.first_fin_from_server();
    const cs::fin_sender said = c.said.report->first_fin;
    if (said == cs::fin_sender::unknown) return;
    const bool local = said == cs::fin_sender::local, sent = said != cs::fin_sender::none;
    if (sent && !first) {
        // A FIN that queues behind unacknowledged data is sent as far as the program is concerned.
        const bool queued = local && c.kernel.server_at_close == tcp_state::fin_wait1;
        const bool overtaken = local && c.kernel.first_reset();
        if (!queued && !overtaken)
            found.push_back(std::string("first_fin=") + to_string(said) + ", but no FIN was sent before the end");
    } else if (sent && *first != local) {
        found.push_back(std::string("first_fin=") + to_string(said) + ", but the first FIN came from the " +
                        (*first ? "server" : "peer"));
    } else if (!sent && first && c.said.report->ended_by != cs::ending::failed) {
        // After the release of the descriptor a FIN can still come.
        const wire_event& fin = c.kernel.wire.front();
        if (*first || (c.kernel.from_packets && fin.when < c.said.closed_at - c.said.close_time - clock_slack))
            found.push_back("first_fin=none, but a FIN was sent before the end");
    }
}

void check_ending(const cell& c, std::vector<std::string>& found) {
    const cs::ending said = c.said.report->ended_by;
    const evidence& kernel = c.kernel;
    const bool reset_by_server = kernel.has(true, signal::reset);
    const bool reset_by_peer = kernel.has(false, signal::reset) || kernel.has(false, signal::reset_answer);
    switch (said) {
    case cs::ending::reset_by_us:
        if (!reset_by_server) found.push_back("ended_by=reset_by_us, but the server's close sent no RST");
        break;
    case cs::ending::reset_by_peer:
        if (!reset_by_peer) found.push_back("ended_by=reset_by_peer, but the peer sent no RST");
        break;
    case cs::ending::fin:
        // Late data may draw a RST from the kernel when the descriptor is long gone: not the close's doing.
        if (kernel.from_packets && reset_by_server) found.push_back("ended_by=fin, but the server's close sent a RST");
        if (reset_by_peer && kernel.from_packets && kernel.first_reset()->when < c.said.closed_at - clock_slack)
            found.push_back("ended_by=fin, but the peer had sent a RST");
        break;
    case cs::ending::failed: found.push_back("ended_by=failed, on loopback"); break;
    case cs::ending::unknown: break;
    }
}

void check_time_wait(const cell& c, std::vector<std::string>& found) {
    using enum cs::time_wait_holder;
    const cs::time_wait_holder said = c.said.report->time_wait;
    const holder kernel = c.kernel.time_wait();
    const auto differs = [&] {
        found.push_back(std::string("time_wait=") + to_string(said) +
                        ", but the kernel's table shows: " + to_string(kernel));
    };
    switch (said) {
    case nobody:
        if (kernel != holder::nobody) differs();
        break;
    case local:
        if (kernel != holder::server) differs();
        break;
    case peer:
        if (kernel != holder::peer) differs();
        break;
    case both:
        if (kernel != holder::both) differs();
        break;
    case left_to_kernel:
        if (c.said.report->first_fin != cs::fin_sender::local)
            found.push_back("time_wait=left_to_kernel without a first FIN of ours");
        if (kernel == holder::peer) differs(); // whose FIN came first stays with it
        break;
    case unknown: break;
    }
}

void check_byte_counts(const cell& c, std::vector<std::string>& found) {
    const cs::close_report& said = *c.said.report;
    const std::uint64_t unread = c.got.sent > c.said.read ? c.got.sent - c.said.read : 0;
    // Both FINs and no RST: what the peer sent and the program had not read is what the close discarded, to the byte.
    const bool to_the_end = !c.kernel.first_reset() && c.kernel.has(false, signal::fin) &&
                            said.time_wait != cs::time_wait_holder::left_to_kernel &&
                            said.time_wait != cs::time_wait_holder::unknown;
    if (said.discarded > unread || (to_the_end && said.discarded != unread))
        found.push_back("discarded=" + std::to_string(said.discarded) + ", but the peer had sent " +
                        std::to_string(unread) + " bytes that the program did not read");
    // The orphan's queue counts the FIN as one.
    if (c.kernel.server_at_close == tcp_state::fin_wait1 && c.kernel.unacknowledged_at_close > said.unacknowledged + 1)
        found.push_back("unacknowledged=" + std::to_string(said.unacknowledged) + ", but the orphan still has " +
                        std::to_string(c.kernel.unacknowledged_at_close - 1) + " in its send queue");
}

std::string ending_text(const cell& c) {
    std::string text;
    for (const wire_event& e : c.kernel.wire) {
        text += e.from_server ? "server " : "peer ";
        text += e.what == signal::fin ? "FIN, " : "RST, ";
    }
    return text + "TIME-WAIT: " + to_string(c.kernel.time_wait());
}

void keep_whole_reply(const cell& c, const settings& lab, std::vector<std::string>& broken) {
    if (!reads_on(c.peer)) return;
    if (!whole_reply(c, lab))
        broken.push_back("a peer that reads on gets the whole reply: " + std::to_string(c.got.received) + " of " +
                         std::to_string(lab.reply_bytes) + " bytes arrived");
}

} // namespace

std::vector<std::string> disagreements(const cell& c, const settings& lab) {
    std::vector<std::string> found;
    if (!c.said.report) return found;
    check_unknown(c, found);
    check_first_fin(c, found);
    check_ending(c, found);
    check_time_wait(c, found);
    check_byte_counts(c, found);
    if (c.said.report->elapsed > c.said.close_time + clock_slack || c.said.report->elapsed > lab.bound)
        found.push_back("elapsed is longer than the close took");
    return found;
}

const char* promise_of(server_kind s) noexcept {
    switch (s) {
    case server_kind::graceful:
    case server_kind::graceful_unread: return "a peer that reads on gets the whole reply, and no RST while it closes";
    case server_kind::peer_first:
        return "a peer that reads on gets the whole reply; no TIME-WAIT on the server if it closes";
    case server_kind::peer_first_or_reset:
        return "a peer that reads on gets the whole reply; TIME-WAIT is never on the server";
    case server_kind::abortive:
    case server_kind::abortive_destroyed: return "RST; nobody is left in TIME-WAIT";
    case server_kind::system: return "the same segments and the same TIME-WAIT as plain close()";
    case server_kind::asio_close:
    case server_kind::asio_unread:
    case server_kind::asio_linger_destroyed:
    case server_kind::asio_linger_close: return "";
    }
    return "";
}

std::vector<std::string> broken_promises(const cell& c, const settings& lab, const cell* plain) {
    std::vector<std::string> broken;
    switch (c.server) {
    case server_kind::graceful:
    case server_kind::graceful_unread:
        keep_whole_reply(c, lab, broken);
        // A peer that does not close in time is past the limits.
        if (c.peer != peer_kind::never_closes && reads_on(c.peer) && c.kernel.first_reset())
            broken.push_back("no RST while the peer closes: " + ending_text(c));
        break;
    case server_kind::peer_first:
        keep_whole_reply(c, lab, broken);
        if (ends_by_itself(c.peer) && holds_or_may_hold_time_wait(c.kernel.server_settled))
            broken.push_back(std::string("no TIME-WAIT on the server if the peer closes: it is in ") +
                             state_name(c.kernel.server_settled));
        if (c.kernel.has(true, signal::reset)) broken.push_back("no RST by a limit: " + ending_text(c));
        break;
    case server_kind::peer_first_or_reset:
        keep_whole_reply(c, lab, broken);
        if (holds_or_may_hold_time_wait(c.kernel.server_settled))
            broken.push_back(std::string("TIME-WAIT is never on the server: it is in ") +
                             state_name(c.kernel.server_settled));
        break;
    case server_kind::abortive:
    case server_kind::abortive_destroyed:
        if (!c.kernel.has(true, signal::reset) && !c.got.sent_reset) broken.push_back("RST: " + ending_text(c));
        if (c.kernel.time_wait() != holder::nobody || holds_or_may_hold_time_wait(c.kernel.server_settled))
            broken.push_back("nobody is left in TIME-WAIT: " + ending_text(c));
        break;
    case server_kind::system:
        if (plain && (ending_text(c) != ending_text(*plain) || whole_reply(c, lab) != whole_reply(*plain, lab)))
            broken.push_back("the same as plain close(): " + ending_text(c) + "; plain: " + ending_text(*plain));
        break;
    case server_kind::asio_close:
    case server_kind::asio_unread:
    case server_kind::asio_linger_destroyed:
    case server_kind::asio_linger_close: break;
    }
    return broken;
}

const char* to_string(loss l) noexcept {
    switch (l) {
    case loss::reply_truncated: return "reply truncated";
    case loss::linger_undone: return "SO_LINGER {1,0} undone";
    case loss::thread_held: return "thread held";
    }
    return "?";
}

std::vector<loss> losses(const cell& c, const settings& lab) {
    std::vector<loss> found;
    const bool wants_abort = c.server == server_kind::abortive || c.server == server_kind::abortive_destroyed ||
                             c.server == server_kind::asio_linger_destroyed;
    if (reads_on(c.peer) && !whole_reply(c, lab) && !wants_abort) found.push_back(loss::reply_truncated);
    if (c.server == server_kind::asio_linger_destroyed && !c.kernel.first_reset()) found.push_back(loss::linger_undone);
    if (c.said.blocked > blocking) found.push_back(loss::thread_held);
    return found;
}

known_loss known_loss_of(const cell& c, const settings& lab) {
    const bool truncated = !whole_reply(c, lab);
    switch (c.server) {
    case server_kind::asio_close:
        if (c.peer == peer_kind::keeps_sending)
            return {"unread input turns its FIN into a RST, which discards the reply", truncated};
        return {};
    case server_kind::asio_unread:
        if (reads_on(c.peer)) return {"unread input turns its FIN into a RST, which discards the reply", truncated};
        return {};
    case server_kind::asio_linger_destroyed:
        if (c.peer == peer_kind::closes_after_reply || c.peer == peer_kind::never_closes)
            return {"the destructor undoes SO_LINGER: FIN, and TIME-WAIT here", !c.kernel.first_reset()};
        return {};
    case server_kind::asio_linger_close:
        if (c.peer == peer_kind::stops_reading)
            return {"close(2) waits, and the event loop with it", c.said.blocked > blocking};
        return {};
    default: return {};
    }
}

} // namespace lab::policy
