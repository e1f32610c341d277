// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_METRIC_HPP
#define CLOSESIDE_CHECK_METRIC_HPP

#include "output.hpp"

#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace check {

using metric_labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// One metric in the Prometheus text format: its description, which is printed before the first sample, and its samples.
class metric {
public:
    metric(std::ostream& out, std::string_view name, std::string_view help, std::string_view type = "gauge")
        : out_(out), name_(name), help_(help), type_(type) {}

    template <class Number>
    void sample(metric_labels of, Number value) {
        if (!std::exchange(described_, true))
            out_ << "# HELP " << name_ << " " << help_ << "\n# TYPE " << name_ << " " << type_ << "\n";
        out_ << name_;
        const char* before = "{";
        for (const auto& [label, text] : of) out_ << std::exchange(before, ",") << label << "=" << quoted_label(text);
        out_ << (of.size() == 0 ? " " : "} ") << text_of(value) << "\n";
    }

    /// What is not known has no sample: 0 would be a lie.
    template <class Number>
    void sample(metric_labels of, const std::optional<Number>& value) {
        if (value) sample(of, *value);
    }

private:
    /// Without the locale that a stream has.
    template <class Number>
    static std::string text_of(Number value) {
        std::array<char, 64> digits;
        return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
    }

    std::ostream& out_;
    std::string_view name_, help_, type_;
    bool described_ = false;
};

} // namespace check

#endif
