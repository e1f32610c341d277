// SPDX-License-Identifier: BSL-1.0
#include "json_report.hpp"

#include <asio/version.hpp>
#include <nlohmann/json.hpp>

#include <chrono>

namespace lab::policy {

namespace {

using json = nlohmann::ordered_json;

double milliseconds(std::chrono::microseconds t) { return std::chrono::duration<double, std::milli>(t).count(); }

json report_of(const closeside::close_report& r) {
    return {{"first_fin", r.first_fin == closeside::fin_sender::none ? json() : json(to_string(r.first_fin))},
            {"ended_by", to_string(r.ended_by)},
            {"time_wait", to_string(r.time_wait)},
            {"limit", to_string(r.limit)},
            {"discarded", r.discarded},
            {"unacknowledged", r.unacknowledged},
            {"elapsed_ms", milliseconds(r.elapsed)}};
}

const char* name(signal s) {
    switch (s) {
    case signal::fin: return "FIN";
    case signal::reset: return "RST";
    case signal::reset_answer: return "RST-answer";
    }
    return "?";
}

const char* end_name(bool server) { return server ? "server" : "peer"; }

json states_of(const std::vector<tcp_state>& trail) {
    json states = json::array();
    for (const tcp_state s : trail) states.push_back(state_name(s));
    return states;
}

json losses_of(const std::vector<loss>& losses) {
    json names = json::array();
    for (const loss l : losses) names.push_back(to_string(l));
    return names;
}

json kernel_of(const evidence& e) {
    json wire = json::array();
    for (const wire_event& event : e.wire)
        wire.push_back({{"from", end_name(event.from_server)}, {"segment", name(event.what)}});
    const std::optional<bool> first_fin = e.first_fin_from_server();
    const wire_event* const reset = e.first_reset();
    return {{"first_fin", first_fin ? json(end_name(*first_fin)) : json()},
            {"ended_by", reset ? "rst" : "fin"},
            {"reset_by", reset ? json(end_name(reset->from_server)) : json()},
            {"time_wait", to_string(e.time_wait())},
            {"wire", std::move(wire)},
            {"server_state", state_name(e.server_settled)},
            {"peer_state", state_name(e.peer_settled)},
            {"server_states", states_of(e.server_states)},
            {"peer_states", states_of(e.peer_states)}};
}

json cell_of(const judged_cell& c) {
    const cell& facts = c.facts;
    json known;
    if (c.known.what) known = {{"what", c.known.what}, {"reproduced", c.known.reproduced}};
    return {{"server", policy::name(facts.server)},
            {"library", is_closeside(facts.server) ? "closeside" : "asio"},
            {"peer", policy::name(facts.peer)},
            {"reply_received", facts.got.received},
            {"peer_sent", facts.got.sent},
            {"peer_errno", facts.got.error},
            {"close_ms", milliseconds(facts.said.close_time)},
            {"blocked_ms", milliseconds(facts.said.blocked)},
            {"kernel", kernel_of(facts.kernel)},
            {"report", facts.said.report ? report_of(*facts.said.report) : json()},
            {"error", facts.said.close_error ? json(facts.said.close_error.message()) : json()},
            {"agrees", facts.said.report ? json(c.disagreements.empty()) : json()},
            {"disagreements", c.disagreements},
            {"broken_promises", c.broken},
            {"losses", losses_of(c.losses)},
            {"known_loss", std::move(known)},
            {"failure", facts.failure.empty() ? json() : json(facts.failure)}};
}

} // namespace

const char* const json_shape =
    R"(--json writes one object:
  lab      reply_bytes, request_bytes, limits {patience_ms, drain_time_ms, drain_bytes}, witness (packets|states),
           table (where the TCP states come from), namespace (own|own_in_user_namespace|shared), kernel, asio
  cells[]  server, library (closeside|asio), peer, reply_received, peer_sent, peer_errno, close_ms, blocked_ms,
           kernel {first_fin (server|peer|null), ended_by (fin|rst), reset_by (server|peer|null), time_wait
           (nobody|server|peer|both), wire [{from, segment (FIN|RST|RST-answer)}], server_state, peer_state,
           server_states[], peer_states[]}, report (close_report or null), error, agrees (null without a report),
           disagreements[], broken_promises[], losses[], known_loss {what, reproduced} or null, failure
  verdict  cells, reports, disagreeing, broken, failed, ok)";

std::string to_json(const lab_result& result) {
    json cells = json::array();
    for (const auto& row : result.rows)
        for (const judged_cell& c : row) cells.push_back(cell_of(c));
    const settings& lab = result.lab;
    const std::size_t count = cells.size();
    const json document{
        {"lab",
         {{"reply_bytes", lab.reply_bytes},
          {"request_bytes", lab.request_bytes},
          {"limits",
           {{"patience_ms", lab.limit.count()},
            {"drain_time_ms", lab.limit.count()},
            {"drain_bytes", lab.drain_bytes}}},
          {"witness", result.witness},
          {"table", to_string(lab.table)},
          {"namespace", result.namespace_kind},
          {"kernel", result.kernel},
          {"asio", std::to_string(ASIO_VERSION / 100000) + "." + std::to_string(ASIO_VERSION / 100 % 1000) + "." +
                       std::to_string(ASIO_VERSION % 100)}}},
        {"cells", std::move(cells)},
        {"verdict",
         {{"cells", count},
          {"reports", result.reports()},
          {"disagreeing", result.disagreeing()},
          {"broken", result.broken()},
          {"failed", result.failed()},
          {"ok", result.good()}}}};
    return document.dump(2) + "\n";
}

} // namespace lab::policy
