// SPDX-License-Identifier: BSL-1.0
#include "wire_ending.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include <time.h>

namespace tests {

namespace {

using nlohmann::json;
using observation::segment, observation::endpoint, observation::socket_entry;
using clock = std::chrono::system_clock;
using namespace std::chrono_literals;

/// Between a segment and the event that it is the cause or the effect of, on a machine with other work.
constexpr auto one_act = 50ms;
/// From one look at what the kernel tells to the next, on such a machine; orphans in FIN-WAIT-2 are looked for less often.
constexpr auto one_look = 500ms, two_looks = 1500ms;

const json closed_and_no_more{"ESTABLISHED", "FIN-WAIT-1", "CLOSE"};

endpoint endpoint_of(const json& text) {
    const std::string all = text.get<std::string>();
    const std::size_t colon = all.rfind(':');
    return {observation::ipv4(all.substr(0, colon)), static_cast<std::uint16_t>(std::stoi(all.substr(colon + 1)))};
}

clock::time_point time_of(const json& e) {
    const std::string text = e.at("time");
    ::tm parts{};
    if (!::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts)) throw std::runtime_error("no time: " + text);
    return clock::from_time_t(::timegm(&parts)) + std::chrono::nanoseconds(std::stoi(text.substr(20, 9)));
}

bool acknowledges(const segment& later, const segment& fin) {
    return later.ack && static_cast<std::int32_t>(later.acknowledged - fin.end()) > 0;
}

/// Who sent the first FIN, as JSON has it: by what each had received when it sent its own.
json first_fin_of(const wire_life& l) {
    const segment *const ours = l.first(true, &segment::fin), *const theirs = l.first(false, &segment::fin);
    if (!ours && !theirs) return nullptr;
    if (!ours || !theirs) return ours ? "local" : "peer";
    if (acknowledges(*ours, *theirs)) return "peer";
    return acknowledges(*theirs, *ours) ? "local" : "both";
}

bool passed_between(const wire_life& l, bool outgoing, clock::time_point from, clock::time_point to) {
    return std::ranges::any_of(l.segments, [&](const segment& s) {
        return s.rst && s.outgoing == outgoing && s.when >= from && s.when <= to;
    });
}

/// Empty if the line says what passed.
std::string difference(const wire_life& whole, const json& e, bool is_used_anew, conditions of_host) {
    const clock::time_point at = time_of(e);
    const std::string by = e.at("ended_by"), cause = e.at("cause");
    wire_life l = whole;
    // What comes after a failure is for nobody: the kernel answers it by a RST. An orphan's FIN-WAIT-2 is looked up a
    // moment after its close, which is the time that is told if it was over by then.
    const auto after = by == "failed" ? 0ms : cause == "closed_first" ? one_look : one_act;
    std::erase_if(l.segments, [&](const segment& s) { return s.when > at + after; });
    // What is left of an earlier connection is refused before this one has an answer.
    const auto answer = std::ranges::find_if(l.segments, [](const segment& s) { return s.syn && s.ack; });
    const bool answered = answer != l.segments.end();
    const auto begun = l.segments.begin() + (answered ? answer - l.segments.begin() : 0);
    if (answered)
        l.segments.erase(std::remove_if(l.segments.begin(), begun, [](const segment& s) { return s.rst; }), begun);
    else
        std::erase_if(l.segments, [](const segment& s) { return s.rst && s.outgoing; });
    std::string wrong;
    const json told = e.at("first_fin"), fin = first_fin_of(l);
    // A FIN that waits behind data may never be sent; that one was is known when it is acknowledged.
    const bool unknown = told == "unknown" && e.at("states") == closed_and_no_more;
    // Where segments are lost, one that was seen need not have been taken, nor the first one be the first.
    const bool ours = l.first(true, &segment::fin), theirs = l.first(false, &segment::fin);
    const bool possible = (told == "local" && ours) || (told == "peer" && theirs) ||
                          (told == "both" && ours && theirs) || (told.is_null() && !ours);
    if (unknown ? fin == "peer" : of_host == conditions::loses ? !possible : told != fin)
        wrong += "; the first FIN: " + fin.dump();
    if (by == "reset_by_us" && !passed_between(l, true, at - one_act, at + one_act)) wrong += "; it sent no RST then";
    if (by == "reset_by_peer" && !passed_between(l, false, at - one_act, at + one_act)) wrong += "; no RST came then";
    if ((by == "fin" || by == "failed") && (passed_between(l, true, {}, at) || passed_between(l, false, {}, at)))
        wrong += "; there was a RST";
    if (by == "fin" && cause != "closed_first_unseen" &&
        !(l.first(true, &segment::fin) && l.first(false, &segment::fin)))
        wrong += "; not both sent a FIN";
    if (cause == "fin_wait2_gone" && !is_used_anew && !passed_between(whole, false, at - two_looks, at + one_act))
        wrong += "; no RST came";
    if (by == "unknown" && cause != "fin_wait2_gone") wrong += "; what passed is known";
    return wrong;
}

std::string wire_text(const wire_life& l) {
    std::string text = observation::to_string(l.between.first) + " - " + observation::to_string(l.between.second) + ":";
    for (const segment& s : l.segments)
        text +=
            std::string(s.outgoing ? " >" : " <") + (s.syn ? "SYN" : "") + (s.fin ? "FIN" : "") + (s.rst ? "RST" : "") +
            (s.ack ? "+" : "") + "@" +
            std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(s.when - l.segments[0].when).count());
    return text;
}

bool is_one_of(const std::vector<socket_entry>& left, const ends& between) {
    return std::ranges::any_of(left, [&](const socket_entry& s) {
        return s.state != closeside::detail::tcp_state::time_wait && s.local == between.first &&
               s.remote == between.second;
    });
}

} // namespace

const segment* wire_life::first(bool outgoing, bool segment::*flag) const {
    const auto found =
        std::ranges::find_if(segments, [&](const segment& s) { return s.outgoing == outgoing && s.*flag; });
    return found == segments.end() ? nullptr : &*found;
}

bool wire_life::had_socket() const {
    const segment* const sent = first(true, &segment::syn);
    if (!sent) return false;
    return !sent->ack || first(true, &segment::fin) || first(false, &segment::fin) || first(false, &segment::rst) ||
           first(true, &segment::rst);
}

std::vector<wire_life> lives_on_the_wire(const std::vector<segment>& segments) {
    std::set<std::uint32_t> own;
    for (const segment& s : segments)
        if (s.outgoing) own.insert(s.from.address);
    std::vector<wire_life> all;
    std::map<ends, std::size_t> latest;
    const auto add = [&](segment s, bool outgoing) {
        s.outgoing = outgoing;
        const ends between = outgoing ? ends(s.from, s.to) : ends(s.to, s.from);
        const auto known = latest.find(between);
        const bool opens = s.syn && !s.ack;
        const auto sent_again = [&] {
            const segment& first = all[known->second].segments.front();
            return first.syn && first.sequence == s.sequence && first.outgoing == outgoing;
        };
        if (known == latest.end() || (opens && !sent_again())) {
            latest[between] = all.size();
            all.push_back({between, {s}});
        } else {
            all[known->second].segments.push_back(s);
        }
    };
    for (const segment& s : segments) {
        if (own.contains(s.from.address)) add(s, true);
        if (own.contains(s.to.address)) add(s, false);
    }
    return all;
}

std::string against_wire(const std::vector<json>& told, const std::vector<segment>& segments,
                         const std::vector<socket_entry>& left, conditions of_host) {
    std::string wrong;
    std::map<ends, std::vector<const json*>> lines;
    for (const json& e : told) lines[{endpoint_of(e.at("local")), endpoint_of(e.at("peer"))}].push_back(&e);
    for (auto& [between, of] : lines)
        std::ranges::stable_sort(of, {}, [](const json* e) { return e->at("time").get<std::string>(); });
    std::map<ends, std::size_t> next;
    if (of_host != conditions::forwards) {
        const std::vector<wire_life> lives = lives_on_the_wire(segments);
        for (auto at_life = lives.begin(); at_life != lives.end(); ++at_life) {
            const wire_life& l = *at_life;
            if (!l.had_socket()) continue;
            const bool is_used_anew = std::any_of(at_life + 1, lives.end(),
                                                  [&](const wire_life& later) { return later.between == l.between; });
            const std::vector<const json*>& of = lines[l.between];
            std::size_t& at = next[l.between];
            if (at == of.size()) {
                const bool ended = l.first(true, &segment::fin) || l.first(false, &segment::fin) ||
                                   l.first(true, &segment::rst) || l.first(false, &segment::rst);
                if (ended && !is_one_of(left, l.between)) wrong += "missing " + wire_text(l) + '\n';
                continue;
            }
            const json& e = *of[at++];
            if (const std::string d = difference(l, e, is_used_anew, of_host); !d.empty())
                wrong += "wrong " + e.dump() + d + ", as " + wire_text(l) + '\n';
        }
    }
    for (const auto& [between, of] : lines)
        for (std::size_t i = next[between]; i != of.size(); ++i)
            // A connect that found no port sends nothing, and has none.
            if (of[i]->at("cause") != "no_local_port" || between.first.port != 0)
                wrong += "invented " + of[i]->dump() + '\n';
    return wrong;
}

} // namespace tests
