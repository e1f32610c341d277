// SPDX-License-Identifier: BSL-1.0
#include "cost.hpp"

#include "benchmark/support/instruments.hpp"
#include "benchmark/support/process.hpp"

#include <cstdint>
#include <map>
#include <sstream>

namespace benchmark_close {

namespace {

const std::string told_to_nobody = "ours, told to nobody";
const std::string with_a_report = "ours, with a report";

/// Lines of a name and a number.
std::map<std::string, std::uint64_t> numbers_in(const std::string& text) {
    std::map<std::string, std::uint64_t> numbers;
    std::istringstream lines(text);
    std::string name;
    for (std::uint64_t value = 0; lines >> name >> value;) numbers[name] = value;
    return numbers;
}

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

close_cost measure(const contender& c, const scenario& s, const instruments& available) {
    std::vector<std::string> command = c.command;
    command.insert(command.end(), s.arguments.begin(), s.arguments.end());
    auto printed = numbers_in(benchmark_support::run_checked(command).out);
    const auto per_close = [&](std::uint64_t n) {
        return static_cast<double>(n) / static_cast<double>(printed.at("closes"));
    };
    close_cost cost;
    cost.allocations = per_close(printed.at("allocations"));
    cost.resets = printed.at("resets") != 0;
    if (available.system_calls)
        cost.system_calls = per_close(benchmark_support::count_system_calls(command).all_calls());
    if (available.instructions)
        cost.instructions = per_close(benchmark_support::count_instructions(command).instructions);
    return cost;
}

} // namespace benchmark_close
