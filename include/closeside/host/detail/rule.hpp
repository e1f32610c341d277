// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULE_HPP
#define CLOSESIDE_HOST_DETAIL_RULE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/policy/rules.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/counter_list.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail {

/// Several peers share an address, so that one of them can meet what another has left behind.
constexpr bool shares_addresses(exposure e) noexcept { return e == exposure::nat || e == exposure::balancer; }

/// A value that configuration files would give a key, and of which another rule warns, or for which it would have another.
struct bad_value {
    key id;
    /// As config_key::outcome shows it.
    std::string value;
    /// It is worth no more than a note.
    bool merely_noted = false;
};

/// What a rule judges: the host, and the program on it. Its maker keeps alive what it refers to.
struct rule_input {
    const snapshot& host;
    /// Its `policies` are never empty.
    const host::program& program;
    /// What the configuration files set; nullptr if nobody has read them.
    const config_view* config = nullptr;
    /// Those values of the files that nobody should be told to set.
    std::span<const bad_value> bad_values{};

    bool is_bad(key k, std::string_view value) const noexcept {
        return std::any_of(bad_values.begin(), bad_values.end(), [&](const bad_value& bad) {
            return !bad.merely_noted && bad.id == k && bad.value == value;
        });
    }

    /// Some finding of the next boot would have another value; nobody is to be told to set this one.
    bool is_unwanted(key k, std::string_view value) const noexcept {
        return std::any_of(bad_values.begin(), bad_values.end(),
                           [&](const bad_value& bad) { return bad.id == k && bad.value == value; });
    }

    /// The number under a key; nothing unless it is present.
    std::optional<std::int64_t> number(key k) const noexcept { return host.number(k); }

    /// The key is present and not 0: the kernel takes every other number for "on".
    bool is_on(key k) const noexcept { return number(k).value_or(0) != 0; }

    bool is_off(key k) const noexcept { return number(k) == 0; }

    /// Some connection of the program can end up in TIME-WAIT on this host. That is a risk worth a warning if
    /// closes_first() says so too; else it takes a peer that does not close in time, which is worth a note.
    bool can_hold_time_wait() const noexcept {
        return std::any_of(program.policies.begin(), program.policies.end(), closeside::can_hold_time_wait);
    }

    /// Some policy has this side send the first FIN, so that TIME-WAIT here is the rule and no exception.
    bool closes_first() const noexcept {
        return std::any_of(program.policies.begin(), program.policies.end(), [](const close_policy& p) {
            return p.closes_first == side::local && p.linger != lingering::abort;
        });
    }

    /// Some connection of the program can be an orphan in FIN-WAIT-2 for which tcp_fin_timeout is the limit.
    bool depends_on_fin_timeout() const noexcept {
        return std::any_of(program.policies.begin(), program.policies.end(), leaves_orphans_to_fin_timeout);
    }

    /// ... by a policy under which this side sends the first FIN as a rule.
    bool closes_first_and_depends_on_fin_timeout() const noexcept {
        return std::any_of(program.policies.begin(), program.policies.end(), [](const close_policy& p) {
            return p.closes_first == side::local && leaves_orphans_to_fin_timeout(p);
        });
    }

private:
    static bool leaves_orphans_to_fin_timeout(const close_policy& p) noexcept {
        return p.linger != lingering::abort && p.linger2 == fin_wait2::system &&
               !closeside::detail::never_orphan_in_fin_wait2(p);
    }
};

/// What a rule found; audit() completes it to a finding.
struct judgement {
    host::severity severity;
    std::vector<key> keys;
    std::string message;
    std::string consequence;
    remedy fix;
    std::string_view source;
};

/// What a rule returns that has found something; out of line, as every rule does so and few find anything.
[[gnu::cold, gnu::noinline]] inline std::optional<judgement> found(severity how_bad, const std::vector<key>& keys,
                                                                   std::string_view message,
                                                                   std::string_view consequence, const remedy& fix,
                                                                   std::string_view source) {
    return judgement{how_bad, keys, std::string(message), std::string(consequence), fix, source};
}

[[gnu::cold, gnu::noinline]] inline std::optional<judgement> found(severity how_bad, std::initializer_list<key> keys,
                                                                   std::string_view message,
                                                                   std::string_view consequence, const remedy& fix,
                                                                   std::string_view source) {
    return found(how_bad, std::vector<key>(keys), message, consequence, fix, source);
}

/// One rule of the host check.
struct rule {
    std::string_view code;
    std::string_view title;
    /// A pure function; nothing when the rule has nothing to say.
    std::optional<judgement> (*judge)(const rule_input&);
    /// What the kernel counts when that of which the rule warns happens; audit() turns them into evidence.
    counter_list confirmed_by{};
    /// What it is at least while that happens.
    severity if_happening = severity::warning;
};

} // namespace closeside::host::detail

#endif
