// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "message.hpp"

#include <closeside/error.hpp>

namespace lab::tls {

namespace cs = closeside;

const char* time_wait_of(const result& r) noexcept {
    const bool server = r.at_server == tcp_state::time_wait, client = r.at_client == tcp_state::time_wait;
    return server && client ? "both" : server ? "server" : client ? "client" : "nobody";
}

bool is_whole(const result& r) noexcept { return r.got.received == reply_size; }

double seconds(const result& r) noexcept { return std::chrono::duration<double>(r.said.took).count(); }

std::string told_error(const result& r) {
    if (!r.said.error) return "success";
    if (r.said.error == cs::error::patience_over) return "patience_over";
    if (r.said.error == cs::error::drain_time_over) return "drain_time_over";
    if (r.said.error == cs::error::reset_by_peer) return "reset_by_peer";
    if (r.said.error == cs::error::peer_still_sends) return "peer_still_sends";
    return r.said.error.message();
}

// Of a peer that does not read to the end nothing is known of close_notify. A reset may overtake it.
static std::string contradiction_of_alert(const result& r) {
    if (!reads_to_the_end(r.what.peer)) return {};
    const bool sent = r.said.report->close_notify_sent;
    if (r.got.end == end_seen::close_notify && !sent) return "close_notify_sent is false, and the peer got it";
    if (r.got.end == end_seen::fin_alone && sent) return "close_notify_sent is true, and the peer got none";
    if (r.got.end == end_seen::reset && sent && r.said.report->ended_by == cs::ending::fin)
        return "close_notify_sent is true and ended_by fin, and the peer met a reset";
    return {};
}

static std::string contradiction_of_time_wait(const result& r) {
    const std::string told = to_string(r.said.report->time_wait), seen = time_wait_of(r);
    switch (r.said.report->time_wait) {
    case cs::time_wait_holder::left_to_kernel:
    case cs::time_wait_holder::unknown: return {};
    case cs::time_wait_holder::local:
        if (seen == "server") return {};
        break;
    case cs::time_wait_holder::peer:
        if (seen == "client") return {};
        break;
    case cs::time_wait_holder::both:
    case cs::time_wait_holder::nobody:
        if (seen == told) return {};
        break;
    }
    return "time_wait is " + told + ", and it is at: " + seen;
}

std::string contradiction_of(const result& r) {
    if (!r.said.report || r.what.over == protocol::tcp) return {};
    const std::string alert = contradiction_of_alert(r);
    if (!alert.empty()) return alert;
    if (!r.said.error && is_orderly(r.what.server) && wants_the_reply(r.what.peer) && !is_whole(r))
        return "success, and the peer got " + std::to_string(r.got.received) + " bytes";
    return contradiction_of_time_wait(r);
}

static const char* sent_by_client(const result& r) {
    if (r.client_fin) return r.client_rst ? "FIN, RST" : "FIN";
    return r.client_rst ? "RST" : "-";
}

table table_of(const results& all) {
    table t{.key = "cells",
            .title =
                "Bytes of the reply that the peer got, how the server's end looked to it, who holds TIME-WAIT and what "
                "is left at the server when nothing moves any more, what the client's host sent\nto end it, how long "
                "the close took, and what async_close "
                "said: its error, close_notify_sent, ended_by, first_fin, time_wait, limit.",
            .columns = {{"over", "over"},
                        {"server", "server"},
                        {"peer", "peer"},
                        {"received", "bytes"},
                        {"end", "peer saw"},
                        {"time_wait", "TIME-WAIT"},
                        {"server_state", "left"},
                        {"client_sent", "client sent"},
                        {"close_ms", "close ms"},
                        {"error", "error"},
                        {"close_notify_sent", "alert sent"},
                        {"ended_by", "ended by"},
                        {"first_fin", "first FIN"},
                        {"reported_time_wait", "TIME-WAIT told"},
                        {"limit", "limit"}},
            .rows = {}};
    for (const result& r : all) {
        using nlohmann::json;
        if (r.what.over == protocol::tcp) continue;
        const bool told = r.said.report.has_value();
        t.rows.push_back({to_string(r.what.over), to_string(r.what.server), to_string(r.what.peer), r.got.received,
                          to_string(r.got.end), time_wait_of(r), state_name(r.at_server), sent_by_client(r),
                          std::chrono::floor<std::chrono::milliseconds>(r.said.took).count(),
                          told || r.said.error ? json(told_error(r)) : json(),
                          told ? json(r.said.report->close_notify_sent) : json(),
                          told ? json(to_string(r.said.report->ended_by)) : json(),
                          told ? json(to_string(r.said.report->first_fin)) : json(),
                          told ? json(to_string(r.said.report->time_wait)) : json(),
                          told ? json(to_string(r.said.report->limit)) : json()});
    }
    return t;
}

} // namespace lab::tls
