// SPDX-License-Identifier: BSL-1.0
#include "target.hpp"

#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/value_rules.hpp>
#include <closeside/host/key_value.hpp>

#include <array>
#include <string>

// What the kernel makes of a value that is written to a key, and of one that it shows.
namespace fuzz::sysctl_value {

using namespace closeside::host::detail::sysctl_d;
using closeside::host::key_status;
using closeside::host::detail::kernel_version;
using closeside::host::detail::key_shape;
namespace kernel_text = closeside::detail;

void numbers_are_in_range(const value_rule& rule, const std::string& shown) {
    std::string_view rest = shown;
    std::int64_t last = -1;
    while (const auto number = kernel_text::take_number(rest)) {
        require(rule.form == value_form::port_list || (*number >= rule.lowest && *number <= rule.highest),
                "a number that the kernel takes is in its range");
        last = *number;
    }
    if (rule.form == value_form::number) require(std::to_string(last) == shown, "a number is shown as one");
}

/// In order, nothing touching, none above 65535.
void ports_are_in_order(std::string_view shown) {
    std::int64_t before = -2;
    while (!shown.empty()) {
        const auto low = take_port(shown, "-,");
        auto high = low;
        if (!shown.empty() && shown.front() == '-') {
            shown.remove_prefix(1);
            high = take_port(shown, ",");
        }
        require(low && high && *low > before + 1 && *high >= *low && *high <= 65535, "ports are shown in order");
        before = *high;
        if (!shown.empty()) shown.remove_prefix(1);
    }
}

void write(std::string_view path, const value_rule& rule, std::string_view text, write_context context) {
    const write_result result = write_value(path, text, context);
    require(result.accepted == result.reason.empty(), "a refusal has a reason");
    if (!result.accepted) return;
    const bool oldest = context.kernel && *context.kernel < rule.bounded_since;
    if (rule.form == value_form::port_list)
        ports_are_in_order(result.shown);
    else if (rule.form != value_form::unknown && !oldest)
        numbers_are_in_range(rule, result.shown);
    require(is_same_value(path, result.shown, result.shown), "what is shown is what was set");
    context.before = result.shown;
    const write_result again = write_value(path, result.shown, context);
    require(again.accepted && again.shown == result.shown, "what the kernel shows can be written, and changes nothing");
}

void show(std::string_view text) {
    for (const key_shape shape : {key_shape::number, key_shape::range, key_shape::triple, key_shape::ports}) {
        const auto value = closeside::host::detail::interpret(shape, text);
        require(!has_control_byte(value.text), "a value is printable");
        if (value.status != key_status::present || shape == key_shape::ports) continue;
        require(value.number.has_value(), "a value of numbers has one");
        require(shape == key_shape::number || value.high.has_value(), "a range has two ends");
    }
    std::string_view rest = text;
    if (const auto number = kernel_text::take_number(rest)) {
        require(rest.size() < text.size(), "a number takes characters");
        require(kernel_text::parse_number(std::to_string(*number)) == *number, "a number that is printed is read");
    }
}

void run(input in) {
    const std::size_t which = in.below(value_rules.size() + 1);
    constexpr std::array kernels{kernel_version{3, 10}, kernel_version{5, 15}, kernel_version{6, 18}};
    const kernel_version kernel = kernels[in.below(kernels.size())];
    const std::string_view path = which == value_rules.size() ? "net/ipv4/no_such_key" : value_rules[which].path;
    // No key shows what it does not take.
    const std::string_view before = in.take_line();
    const write_result shown = write_value(path, before, {{}, 1024, kernel});
    const std::string_view text = in.rest();
    write(path, rule_for(path), text, {shown.accepted ? shown.shown : std::string(), 1024, kernel});
    show(text);
}

const target here("sysctl_value", run);

} // namespace fuzz::sysctl_value
