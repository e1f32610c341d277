// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_FUZZ_PRINTABLE_VIEW_HPP
#define CLOSESIDE_TESTS_FUZZ_PRINTABLE_VIEW_HPP

#include "target.hpp"

#include <closeside/host/config_view.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/render.hpp>

#include <string>

namespace fuzz {

inline void is_printable(const closeside::host::config_key::setting& s) {
    for (const std::string* text : {&s.value, &s.file, &s.pattern})
        require(!has_control_byte(*text), "what a line sets is printable");
    require(s.line != 0, "a setting has a line");
}

inline void is_printable(const closeside::host::config_key::outcome& o) {
    if (o.winner) is_printable(*o.winner);
    require(!has_control_byte(o.shown), "what the kernel is to show is printable");
    require(o.winner.has_value() || o.shown.empty(), "what is shown comes of a line");
    for (const auto& loser : o.losers) {
        is_printable(loser.setting);
        require(!has_control_byte(loser.by), "why a line loses is printable");
    }
}

/// What has been read from files holds no byte that steers a terminal, and its keys are in order, each once.
inline void is_printable(const closeside::host::config_view& view) {
    const std::string* before = nullptr;
    for (const auto& key : view.keys) {
        require(!has_control_byte(key.name) && !has_control_byte(key.live), "a key is printable");
        require(!before || *before <= key.name, "keys are in order");
        require(view.find(key.name) != nullptr, "a key is found by its name");
        before = &key.name;
        for (const auto* outcome : {&key.systemd, &key.procps, &key.busybox}) is_printable(*outcome);
        if (key.tuned) is_printable(*key.tuned);
    }
    for (const auto& p : view.problems)
        require(!has_control_byte(p.key) && !has_control_byte(p.file) && !has_control_byte(p.text),
                "a problem is printable");
    for (const std::string& file : view.files) require(!has_control_byte(file), "a file's name is printable");
}

inline void is_printable(const closeside::host::finding& f) {
    require(!has_control_byte(to_line(f)), "a finding is a line of its own");
}

} // namespace fuzz

#endif
