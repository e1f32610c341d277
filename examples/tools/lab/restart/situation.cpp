// SPDX-License-Identifier: BSL-1.0
#include "situation.hpp"

#include <algorithm>
#include <cerrno>

namespace lab::restart {

namespace {

std::string pid_text(std::optional<pid_t> id) { return "(pid " + std::to_string(id.value_or(0)) + ")"; }

std::string counted(const states& left) {
    std::size_t time_wait = 0, others = 0;
    for (const auto& [state, count] : left) (state == tcp_state::time_wait ? time_wait : others) += count;
    return "(" + std::to_string(time_wait) + " in TIME-WAIT, " + std::to_string(others) + " in other states)";
}

expected_words words_on_connections(const result& r, const scene& built, newcomer who) {
    expected_words words{{"nothing listens there", counted(r.left)}, {"live listener", "leaked"}};
    const auto say = [&](const char* part) { words.said.push_back(part); };
    if (r.what.old.reuse_address && who == newcomer::acceptor_without) {
        say("reuse_address is off: set reuse_address = true in the policy");
        words.never.push_back("without SO_REUSEADDR");
        return words;
    }
    say("TIME-WAIT ends within ");
    say("one is a live connection");
    say("another process of this program");
    words.said.push_back(pid_text(built.worker()));
    words.never.push_back("set reuse_address = true");
    if (r.what.old.reuse_port)
        say("their socket had SO_REUSEPORT without SO_REUSEADDR, and this acceptor does not set SO_REUSEPORT");
    else
        say("a socket on it was without SO_REUSEADDR, which the old and the new one both need");
    return words;
}

expected_words words_on_listener(const result& r, const scene& built) {
    expected_words words{{"a live listener (socket inode "}, {"TIME-WAIT", "nothing listens"}};
    const auto say = [&](std::string more) { words.said.push_back(std::move(more)); };
    if (r.what.what == legacy::leaked) {
        say("'sleep' " + pid_text(built.program()));
        say("That is another program");
        say("the descriptor leaked to it over fork and exec, for want of SOCK_CLOEXEC");
    } else {
        say(pid_text(built.old_process()));
        say("another process of this program, to be stopped first");
        words.never.push_back("leaked");
    }
    if (r.what.old.reuse_port)
        say("it is bound with SO_REUSEPORT, which this acceptor does not set");
    else
        words.never.push_back("SO_REUSEPORT");
    return words;
}

void compare(result& r, const scene& built, const attempt& a) {
    const std::string who = std::string(to_string(a.who)) + ": ";
    const bool let_in = std::find(r.what.let_in.begin(), r.what.let_in.end(), a.who) != r.what.let_in.end();
    if (a.error != (let_in ? 0 : EADDRINUSE)) {
        r.wrong.push_back(who + "errno " + std::to_string(a.error));
        return;
    }
    if (let_in || (a.who != newcomer::acceptor && a.who != newcomer::acceptor_without)) return;
    const expected_words words =
        r.what.what == legacy::connections ? words_on_connections(r, built, a.who) : words_on_listener(r, built);
    for (const std::string& part : words.said)
        if (a.said.find(part) == std::string::npos) r.wrong.push_back(who + "not said: " + part);
    for (const std::string& part : words.never)
        if (a.said.find(part) != std::string::npos) r.wrong.push_back(who + "wrongly said: " + part);
}

} // namespace

const attempt& result::of(newcomer who) const {
    return *std::find_if(attempts.begin(), attempts.end(), [=](const attempt& a) { return a.who == who; });
}

const std::vector<situation>& situations() {
    using enum newcomer;
    static const std::vector<situation> all{
        {"stopped, had no option", {}, legacy::connections, {}},
        {"stopped, had SO_REUSEADDR", {.reuse_address = true}, legacy::connections, {reuse_address, acceptor}},
        {"stopped, had SO_REUSEPORT", {.reuse_port = true}, legacy::connections, {reuse_port}},
        {"still runs, SO_REUSEADDR", {.reuse_address = true}, legacy::live, {}},
        {"still runs, both options", {.reuse_address = true, .reuse_port = true}, legacy::live, {reuse_port}},
        {"stopped, its listener leaked to a child", {.reuse_address = true}, legacy::leaked, {}},
    };
    return all;
}

result run(const situation& what, const amounts& many) {
    const scene built(what.old, what.what, many);
    result r{.what = what, .left = built.connections(), .attempts = {}, .wrong = {}};
    for (const newcomer who : newcomers) r.attempts.push_back(try_to_listen(built.server(), who));
    for (const attempt& a : r.attempts) compare(r, built, a);
    return r;
}

} // namespace lab::restart
