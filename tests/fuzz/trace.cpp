// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include "check/follow_ending.hpp"
#include "check/follow_event.hpp"
#include "check/follow_format.hpp"
#include "check/follow_history.hpp"
#include "check/follow_lingering.hpp"
#include "check/follow_page.hpp"

#include <algorithm>
#include <string>
#include <vector>

// The kernel's trace: what its format files say, the pages of its ring buffer, and what becomes of the events.
namespace fuzz {

using namespace check::follow;

namespace trace_format {

void run(input in) {
    const std::string_view text = in.rest();
    if (const auto format = parse_event_format(text)) {
        require(format->id != 0, "an event has a number");
        require(format->fields.size() <= 256 && format->reasons.size() <= 1024, "a format is bounded");
        for (const auto& [name, place] : format->fields) {
            require(!name.empty() && name.size() <= 64 && !has_control_byte(name), "a field has a plain name");
            require(place.offset <= 1 << 16 && place.size <= 1 << 16, "a field lies near the beginning");
            require(format->raw(name, {}).size() == 0, "an empty record has no field");
            (void)format->number(name, {});
        }
        for (const auto& [value, name] : format->reasons)
            require(!has_control_byte(name) && name.find(' ') == name.npos, "a reason has a plain name");
    }
    if (const auto layout = parse_page_layout(text)) {
        require(layout->timestamp.offset + layout->timestamp.size <= layout->data.offset, "the time is in the head");
        require(layout->commit.offset + layout->commit.size <= layout->data.offset, "the length is in the head");
    }
}

const target here("trace_format", run);

} // namespace trace_format

/// Holds what a life may be.
inline void is_told(const life& l) {
    const ending e = judge(l);
    require(static_cast<std::size_t>(e.why) < cause_count, "an ending has a cause");
    require(!has_control_byte(e.reason()), "an ending is told in printable words");
    require(std::string_view(to_string(e.by())).size() > 1, "an ending has an ender");
    require(to_string(l.ends.local).find('?') == std::string::npos, "an end has an address");
}

namespace trace_page {

/// A format, the parts of the input apart: of the page, of states, of RSTs; then a page.
void run(input in) {
    const page_layout layout = parse_page_layout(in.take_part()).value_or(page_layout{});
    event_reader reader;
    for (const event_kind kind : {event_kind::state, event_kind::reset_sent})
        if (auto format = parse_event_format(in.take_part())) reader.add(kind, *std::move(format));
    const auto left = in.take_bytes(in.size());
    const std::vector<std::uint8_t> page(left.begin(), left.end());

    history of(16, [](const connection&) { return leftover::nothing; });
    std::size_t visited = 0;
    std::uint64_t latest = 0;
    visit_page(layout, page, [&](std::uint64_t time, bytes record) {
        ++visited;
        require(record.data() >= page.data() && record.data() + record.size() <= page.data() + page.size(),
                "a record lies in its page");
        const auto event = reader.read(time, record);
        if (!event) return;
        require(event->time == time, "an event has the time of its record");
        latest = std::max(latest, time);
        of.on_event(*event);
    });
    require(visited * 4 <= page.size(), "each record has a head of its own");
    for (const life& l : of.take(latest + 3'000'000'000)) is_told(l);
}

const target here("trace_page", run);

} // namespace trace_page

namespace trace_history {

constexpr std::size_t most = 8;

connection some_ends(input& in) {
    const std::uint8_t address[] = {192, 0, 2, static_cast<std::uint8_t>(in.below(3))};
    const auto local = make_end_point(address, 80),
               peer = make_end_point(address, static_cast<std::uint16_t>(in.below(3)));
    return {*local, *peer};
}

trace_event some_event(input& in, std::uint64_t time) {
    trace_event e{.kind = static_cast<event_kind>(in.below(event_names.size())), .time = time};
    e.socket = in.below(12);
    e.ends = some_ends(in);
    e.thread = in.flag();
    e.before = static_cast<tcp_state>(in.below(13));
    e.after = static_cast<tcp_state>(in.below(13));
    e.cookie = in.below(12);
    e.error = static_cast<int>(in.below(200));
    e.reason = in.flag() ? "TCP_ABORT_ON_CLOSE" : "";
    return e;
}

/// What watch::next does with the lives: orphans linger until they are gone.
void tell(std::vector<life> lives, lingering& orphans, std::uint64_t now) {
    for (const life& l : lives) {
        require(l.states.end() - l.states.begin() <= 8, "a life has at most eight states");
        if (l.left == leftover::fin_wait2 && !l.reset_sent && orphans.add(l, now)) continue;
        is_told(l);
    }
    require(orphans.size() <= most, "no more orphans are remembered than asked for");
    orphans.look(now);
    for (const life& l : orphans.take()) {
        require(l.ended <= now, "what has ended has not ended later");
        is_told(l);
    }
}

/// Arbitrary events, in the order of their times.
void run(input in) {
    std::uint8_t answers = in.take<std::uint8_t>();
    const auto what = [&answers] {
        answers = static_cast<std::uint8_t>(answers * 5 + 1);
        return static_cast<leftover>(answers % 4);
    };
    history of(most, [&](const connection&) { return what(); });
    lingering orphans(most, [&](const connection&) { return looked_up{what(), answers * 1'000'000'000u}; });
    std::uint64_t now = 1'000'000'000;
    while (!in.empty()) {
        now += std::uint64_t{in.take<std::uint8_t>()} * 10'000'000;
        switch (in.below(4)) {
        case 0: of.on_destroyed({in.below(12), some_ends(in)}, now); break;
        case 1: tell(of.take(now), orphans, now); break;
        default: {
            const trace_event e = some_event(in, now);
            if (e.kind == event_kind::reset_sent) orphans.on_reset(e);
            of.on_event(e);
        }
        }
        require(of.held() <= most, "no more sockets are remembered than asked for");
    }
    constexpr std::uint64_t long_after = 600'000'000'000;
    tell(of.take(now + long_after), orphans, now + long_after);
    require(of.take(now + long_after).empty(), "what has been told is not told again");
}

const target here("trace_history", run);

} // namespace trace_history

namespace address_block {

void run(input in) {
    const std::string text(in.rest());
    const auto block = parse_address_block(text);
    if (!block) return;
    require(block->bits <= 128, "a block has at most as many bits as an address");
    require(block->contains(block->from), "a block contains its beginning");
    require(!is_ipv4(block->from) || block->bits >= 96 || text.find(':') != text.npos, "an IPv4 block is one of IPv4");
    const std::string address = text.substr(0, text.find('/'));
    const auto alone = parse_address_block(address);
    require(alone && alone->bits == 128 && alone->contains(block->from), "without its bits a block is an address");
}

const target here("address_block", run);

} // namespace address_block

} // namespace fuzz
