// SPDX-License-Identifier: BSL-1.0
#include "contenders.hpp"

namespace benchmark_close {

namespace {

const std::string told_to_nobody = "ours, told to nobody";
const std::string with_a_report = "ours, with a report";

} // namespace

std::vector<contender> all_contenders() {
    using enum contender::kind;
    const std::string on_asio = CLOSESIDE_CLOSE_ASIO_SUBJECT;
    std::vector<contender> all{
        {told_to_nobody, {on_asio, "ours-detached"}, ours},
        {with_a_report, {on_asio, "ours-told"}, ours},
        {"ours, dropped", {on_asio, "ours-dropped"}, ours_by_itself},
        {"ours, with a report and recycled memory", {on_asio, "ours-recycling"}, ours_by_itself, 0},
        {"by hand, 4 KiB buffer", {on_asio, "by-hand-4k"}, peer, 1, true},
        {"by hand, 64 KiB buffer", {on_asio, "by-hand-64k"}, peer}};
#ifdef CLOSESIDE_CLOSE_BEAST_SUBJECT
    all.push_back({"Beast", {CLOSESIDE_CLOSE_BEAST_SUBJECT, "beast"}, peer});
#endif
#ifdef CLOSESIDE_CLOSE_UV_SUBJECT
    all.push_back({"libuv", {CLOSESIDE_CLOSE_UV_SUBJECT, "libuv"}, peer});
#endif
    return all;
}

std::vector<scenario> all_scenarios() {
    return {{"one close after another, the peers answer",
             {"alone", "answers"},
             true,
             {{told_to_nobody, 1.3}, {with_a_report, 1.4}}},
            {"one close after another, 64 KiB unread in each", {"alone", "uploads"}},
            {"64 closes at once, the peers answer", {"batch", "answers"}, true, {{told_to_nobody, 1}}},
            {"64 closes at once, 64 KiB unread in each", {"batch", "uploads"}},
            {"one close after another, the peers have closed already", {"alone", "leaves"}, false},
            {"64 closes at once, the peers have closed already", {"batch", "leaves"}, false}};
}

} // namespace benchmark_close
