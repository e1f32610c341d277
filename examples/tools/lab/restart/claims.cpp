// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

namespace lab::restart {

namespace {

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
}

void claim_states(report& r, const results& all) {
    std::vector<std::string> missing;
    for (const result& one : all) {
        if (one.what.what == legacy::live) continue;
        for (const tcp_state state :
             {tcp_state::established, tcp_state::close_wait, tcp_state::fin_wait1, tcp_state::fin_wait2,
              tcp_state::closing, tcp_state::last_ack, tcp_state::time_wait})
            if (one.left.count(state) == 0) missing.push_back(one.what.name + ": " + state_name(state));
    }
    r.check(missing.empty(), "A stopped server leaves connections in every state that outlives a listener.",
            missing.empty() ? "see the table" : "missing: " + joined(missing));
}

/// `who` against what the situations say of it.
void claim_outcomes(report& r, const results& all, std::string text, std::vector<newcomer> of) {
    std::vector<std::string> wrong;
    std::size_t refused = 0, let_in = 0;
    for (const result& one : all)
        for (const newcomer who : of) {
            const bool expected =
                std::find(one.what.let_in.begin(), one.what.let_in.end(), who) != one.what.let_in.end();
            const int error = one.of(who).error;
            ++(error == 0 ? let_in : refused);
            if ((error == 0) != expected || (error != 0 && error != EADDRINUSE))
                wrong.push_back(one.what.name + ": " + to_string(who) + ", errno " + std::to_string(error));
        }
    const std::string numbers = std::to_string(let_in) + " let in, " + std::to_string(refused) + " refused";
    r.check(wrong.empty(), std::move(text), wrong.empty() ? numbers : joined(wrong));
}

void claim_diagnoses(report& r, const results& all) {
    std::vector<std::string> wrong;
    std::size_t diagnoses = 0;
    for (const result& one : all) {
        for (const attempt& a : one.attempts) diagnoses += a.said.empty() ? 0 : 1;
        for (const std::string& what : one.wrong) wrong.push_back(one.what.name + ": " + what);
    }
    r.check(wrong.empty() && diagnoses > 0,
            "Where an acceptor does not get the port, its exception names the cause: the numbers in TIME-WAIT and in "
            "other states, the option that is missing and on which side, the process, the leak.",
            wrong.empty() ? std::to_string(diagnoses) + " diagnoses compared, part by part, with what was built"
                          : joined(wrong));
}

void claim_waits(report& r, const std::vector<waited>& waits) {
    if (waits.empty()) {
        r.notes.push_back("how long the port stays taken is measured in the full form only: it takes minutes");
        return;
    }
    const auto seconds = [&](std::size_t i) { return waits[i].seconds.value_or(-1); };
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "%.1f s with SO_REUSEADDR, %.1f s without", seconds(0), seconds(1));
    // TIME-WAIT began a moment before the stop.
    r.check(seconds(0) >= 0 && seconds(0) < 5 && seconds(1) > 50 && seconds(1) < 70,
            "TIME-WAIT keeps the port of a server without SO_REUSEADDR for a minute, whatever the new one sets; with "
            "it on both, the port is free at once.",
            numbers);
}

} // namespace

void check_claims(report& r, const results& all, const std::vector<waited>& waits) {
    using enum newcomer;
    claim_states(r, all);
    claim_outcomes(r, all, "A plain bind without an option fails with EADDRINUSE in every case.", {plain});
    claim_outcomes(r, all,
                   "SO_REUSEADDR on the new socket helps exactly where the old one had it, too, and nothing listens.",
                   {reuse_address});
    claim_outcomes(r, all,
                   "SO_REUSEPORT does not stand in for it: it helps only where the old socket had SO_REUSEPORT.",
                   {reuse_port});
    claim_outcomes(r, all,
                   "A restarted closeside acceptor gets its port at once by default, and not with reuse_address = "
                   "false.",
                   {acceptor, acceptor_without});
    claim_diagnoses(r, all);
    claim_waits(r, waits);
}

} // namespace lab::restart
