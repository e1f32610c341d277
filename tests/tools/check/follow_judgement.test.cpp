// SPDX-License-Identifier: BSL-1.0
#include "check/follow_ending.hpp"
#include "tools/check/check_program.hpp"

#include <closeside/detail/kernel/printable_text.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <initializer_list>
#include <set>
#include <string>

using namespace check::follow;
using s = tcp_state;

namespace {

struct seen : life {
    seen(std::initializer_list<tcp_state> passed) {
        for (const tcp_state one : passed) states.push(one);
        ended = 1'000'000'000;
        ends.local.port = 5000;
    }
    seen& sent(std::string_view reason) {
        reset_sent = true;
        kernel_reason = reason;
        return *this;
    }
    seen& taken() {
        reset_taken = true;
        return *this;
    }
    seen& told(int errno_value) {
        error = errno_value;
        return *this;
    }
    seen& kept(leftover r) {
        left = r;
        return *this;
    }
};

std::string judged(const life& l) {
    const ending e = judge(l);
    const char* const fin = to_string(e.fin);
    return std::string(facts(e.why).name) + " " + to_string(e.by()) + " " + (fin ? fin : "none");
}

} // namespace

TEST_CASE("an ending by FIN goes by who passed through which states") {
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}.kept(leftover::time_wait)) ==
          "closed_first fin local");
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}.kept(leftover::nothing)) ==
          "closed_first_unkept fin local");
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}) == "closed_first_unseen fin local");
    CHECK(judged(seen{s::established, s::close_wait, s::last_ack}) == "closed_second fin peer");
    CHECK(judged(seen{s::last_ack}) == "closed_second fin peer");
    CHECK(judged(seen{s::established, s::fin_wait1, s::closing}.kept(leftover::time_wait)) ==
          "closed_together fin both");
}

TEST_CASE("what the kernel calls TCP_STATE is told apart by what went before") {
    CHECK(judged(seen{s::established}.sent("TCP_STATE")) == "abort_option reset_by_us none");
    CHECK(judged(seen{s::established}.sent("TCP_STATE").told(ECONNABORTED)) == "killed reset_by_us none");
    seen unaccepted{s::established};
    unaccepted.listener_closed = true;
    CHECK(judged(unaccepted.sent("TCP_STATE")) == "listener_queue reset_by_us none");
    CHECK(judged(unaccepted.sent("TCP_ABORT_ON_CLOSE")) == "unread_input reset_by_us none");
}

TEST_CASE("each reason of the kernel has its words, and one that is not known has some too") {
    CHECK(judged(seen{s::established}.sent("TCP_ABORT_ON_CLOSE")) == "unread_input reset_by_us none");
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}.sent("TCP_ABORT_ON_LINGER")) ==
          "negative_linger2 reset_by_us local");
    CHECK(judged(seen{s::established, s::fin_wait1}.sent("TCP_ABORT_ON_DATA")) == "late_data reset_by_us unknown");
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}.sent("TCP_TIMEWAIT_SOCKET")) ==
          "late_data reset_by_us local");
    CHECK(judged(seen{s::established}.sent("TCP_KEEPALIVE_TIMEOUT")) == "keepalive reset_by_us none");
    CHECK(judged(seen{s::fin_wait1}.sent("TCP_ABORT_ON_MEMORY")) == "out_of_memory reset_by_us unknown");
    CHECK(judged(seen{s::established}.sent("SOMETHING_NEW")) == "bad_segment reset_by_us none");
    CHECK(judge(seen{s::established}.sent("SOMETHING_NEW")).reason().ends_with("(SOMETHING_NEW)"));
    CHECK(judged(seen{s::established}.sent("")) == "reset reset_by_us none");
    CHECK(judge(seen{s::established}.sent("")).reason().find("6.10") != std::string::npos);
}

TEST_CASE(
    "TCP_LINGER2 below 0 and data that comes with the acknowledgement of the FIN look the same, later data does not") {
    seen l{s::established, s::fin_wait1, s::fin_wait2};
    l.fin_acked = l.ended - 1000;
    CHECK(judged(l.sent("TCP_ABORT_ON_DATA")) == "ack_of_fin reset_by_us local");
    CHECK(judged(l.taken()) == "late_data reset_by_us local");
    l.reset_taken = false;
    l.fin_acked = 1;
    CHECK(judged(l) == "late_data reset_by_us local");
}

TEST_CASE("the peer's RST is named by when it came") {
    CHECK(judged(seen{s::established}.taken()) == "peer_reset_open reset_by_peer none");
    CHECK(judged(seen{s::established, s::fin_wait1, s::fin_wait2}.taken()) ==
          "peer_reset_after_our_fin reset_by_peer local");
    CHECK(judged(seen{s::established, s::fin_wait1, s::closing}.taken()) ==
          "peer_reset_after_our_fin reset_by_peer both");
    // The FIN may have waited behind data until then.
    CHECK(judged(seen{s::established, s::fin_wait1}.taken()) == "peer_reset_after_our_close reset_by_peer unknown");
    CHECK(judged(seen{s::established, s::close_wait}.taken()) == "peer_reset_after_its_fin reset_by_peer peer");
    CHECK(judged(seen{s::syn_sent}.taken()) == "refused reset_by_peer none");
}

TEST_CASE("what ends by time has failed, and says what was waited for") {
    CHECK(judged(seen{s::established}.told(ETIMEDOUT)) == "time_out failed none");
    CHECK(judged(seen{s::established, s::fin_wait1}) == "fin_time_out failed unknown");
    seen last{s::established, s::close_wait, s::last_ack};
    last.gave_up = true;
    CHECK(judged(last) == "fin_time_out failed peer");
    CHECK(judged(seen{s::syn_sent}.told(ETIMEDOUT)) == "no_answer failed none");
    CHECK(judged(seen{s::syn_sent}.told(EHOSTUNREACH)) == "connect_failed failed none");
    CHECK(judge(seen{s::syn_sent}.told(EHOSTUNREACH)).reason().ends_with("(No route to host)"));
    CHECK(judged(seen{s::syn_sent}) == "connect_given_up failed none");
    seen without_port{s::syn_sent};
    without_port.ends.local.port = 0;
    CHECK(judged(without_port) == "no_local_port failed none");
    seen orphan{s::established, s::fin_wait1, s::fin_wait2};
    CHECK(judged(orphan.kept(leftover::used_anew)) == "closed_first_unkept fin local");
    orphan.orphan = true;
    CHECK(judged(orphan.kept(leftover::nothing)) == "fin_wait2_gone unknown local");
    CHECK(judged(orphan.kept(leftover::fin_wait2)) == "fin_wait2_gone unknown local");
    orphan.left_ran_out = true;
    CHECK(judged(orphan) == "fin_wait2_time_out failed local");
}

TEST_CASE("what was not seen is unknown") {
    CHECK(judged(seen{s::established}) == "unexplained unknown none");
    seen l{};
    l.traced = false;
    CHECK(judged(l) == "untraced unknown unknown");
}

TEST_CASE("every cause has a name of its own, plain words, and a topic that closeside-check explains") {
    std::set<std::string_view> names, topics;
    for (std::size_t i = 0; i != cause_count; ++i) {
        const cause_facts& f = facts(static_cast<cause>(i));
        CAPTURE(f.name);
        CHECK(names.insert(f.name).second);
        CHECK(closeside::detail::is_one_printable_line(f.words));
        topics.insert(f.topic);
    }
    for (const std::string_view topic : topics) {
        CAPTURE(topic);
        CHECK(tests::check({"explain", std::string(topic)}).status == 0);
    }
}
