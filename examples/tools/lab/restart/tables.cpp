// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace lab::restart {

namespace {

using nlohmann::json;

constexpr std::array left_states{tcp_state::established, tcp_state::close_wait, tcp_state::fin_wait1,
                                 tcp_state::fin_wait2,   tcp_state::closing,    tcp_state::last_ack,
                                 tcp_state::time_wait};

std::string outcome_text(const attempt& a) {
    if (a.error == 0) return "yes";
    return a.error == EADDRINUSE ? "EADDRINUSE" : std::strerror(a.error);
}

} // namespace

table table_of_attempts(const results& all) {
    table t{.key = "restarts",
            .title = "Who gets the port at once: a plain listener with these options, or an acceptor by its policy.",
            .columns = {{"old_server", "the old server"}},
            .rows = {}};
    for (const newcomer who : newcomers) t.columns.push_back({key(who), to_string(who)});
    t.columns.push_back({"as_expected", "as expected"});
    for (const result& r : all) {
        t.rows.push_back({r.what.name});
        for (const newcomer who : newcomers) t.rows.back().push_back(outcome_text(r.of(who)));
        t.rows.back().push_back(r.wrong.empty());
    }
    return t;
}

table table_of_states(const results& all) {
    table t{.key = "left",
            .title = "Connections on the port at that moment. ESTABLISHED and CLOSE-WAIT are held by a worker that "
                     "lives on, or by a server that still runs.",
            .columns = {{"old_server", "the old server"}},
            .rows = {}};
    for (const tcp_state state : left_states) t.columns.push_back({state_name(state), state_name(state)});
    for (const result& r : all) {
        t.rows.push_back({r.what.name});
        for (const tcp_state state : left_states) {
            const auto found = r.left.find(state);
            t.rows.back().push_back(found == r.left.end() ? 0 : found->second);
        }
    }
    return t;
}

table table_of_diagnoses(const results& all) {
    table t{.key = "diagnoses",
            .title = "What the acceptor's exception says.",
            .columns = {{"old_server", "the old server"}, {"acceptor", "acceptor"}, {"says", "says"}},
            .rows = {}};
    for (const result& r : all)
        for (const newcomer who : {newcomer::acceptor, newcomer::acceptor_without})
            if (const attempt& a = r.of(who); !a.said.empty()) t.rows.push_back({r.what.name, to_string(who), a.said});
    return t;
}

table table_of_waits(const std::vector<waited>& all) {
    table t{.key = "waits",
            .title = "How long until bind(2) with SO_REUSEADDR succeeds; the old socket had no option where not said.",
            .columns = {{"left", "what is left"}, {"connections", "connections"}, {"seconds", "s", 1}},
            .rows = {}};
    for (const waited& one : all)
        t.rows.push_back({one.what.name, one.counted.front().second, one.seconds ? json(*one.seconds) : json()});
    return t;
}

} // namespace lab::restart
