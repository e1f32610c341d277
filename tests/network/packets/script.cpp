// SPDX-License-Identifier: BSL-1.0
#include "network/packets/script.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <string>

namespace packets {

namespace {

/// Of each script's own.
std::uint16_t next_peer_port() {
    static std::uint16_t last = 50000;
    return ++last;
}

address listening_at(const terms& t) { return at(t.v6 ? tun::local_v6 : tun::local_v4, 0); }

} // namespace

script::script(const under& policy, const terms& t)
    : player(wire(), t, next_peer_port(), [this] { return program_->run(); }), program_(policy.make(listening_at(t))) {
    if (t.connects) {
        program_->connect(peer());
        *this >> syn(0);
        if (t.unanswered) return;
        *this << syn(0).ack(1);
        *this >> empty(1).ack(1);
    } else {
        local_is(program_->listens_at());
        program_->accept();
        *this << syn(0) >> syn(0).ack(1) << empty(1).ack(1);
    }
    until([this] { return program_->has_stream(); }, "the connection", here::current());
}

script::~script() {
    if (std::uncaught_exceptions() != 0) return;
    try {
        silence();
    } catch (const std::exception& e) {
        const std::string text = std::string("at the end of a script: ") + e.what();
        ADD_FAIL_CHECK_AT(__FILE__, __LINE__, text);
    }
}

script& script::running() {
    while (program_->run()) {
    }
    return *this;
}

script& script::closes() { return closes_with(0); }

script& script::closes(const closeside::close_policy& p) { return closes_with(0, p); }

script& script::closes_with(std::size_t last_bytes) {
    program_->close({}, last_bytes);
    return running();
}

script& script::closes_with(std::size_t last_bytes, const closeside::close_policy& p) {
    program_->close(p, last_bytes);
    return running();
}

script& script::cancels() {
    program_->cancel();
    return running();
}

script& script::drops() {
    program_->drop();
    return running();
}

script& script::aborts() {
    program_->abort();
    return *this;
}

script& script::half_closes() {
    program_->half_close();
    return *this;
}

script& script::writes(std::size_t size) {
    program_->write(size);
    return *this;
}

script& script::reads(std::size_t size) {
    program_->read(size);
    return *this;
}

script& script::stops(bool idle, std::chrono::milliseconds within) {
    program_->stop(idle, within);
    return running();
}

script& script::reports(closeside::close_report wanted, std::error_code error, here where) {
    until([this] { return program_->report.has_value(); }, "the close completes", where);
    const closeside::close_report& got = *program_->report;
    wanted.elapsed = got.elapsed;
    if (got != wanted) fail("the close is to report " + to_string(wanted) + ", and reports " + to_string(got), where);
    if (program_->error != error)
        fail("the close is to say \"" + error.message() + "\", and says \"" + program_->error.message() + "\"", where);
    return *this;
}

script& script::waits(here where) {
    silence(where);
    if (program_->report) fail("the close waits no more: " + to_string(*program_->report), where);
    return *this;
}

script& script::silence(here where) {
    player::silence(where);
    return *this;
}

script& script::in(observation::tcp_state s, here where) {
    player::in(s, where);
    return *this;
}

} // namespace packets
