// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"

#include <closeside/host/rule_table.hpp>
#include <closeside/policy.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

template <class Value, std::size_t N>
using choices = std::array<std::pair<std::string_view, Value>, N>;

constexpr choices<host::exposure, 3> exposures{
    {{"nat", host::exposure::nat}, {"direct", host::exposure::direct}, {"loopback", host::exposure::loopback}}};

constexpr choices<closeside::close_policy, 3> assumptions{{{"local", closeside::policies::graceful},
                                                           {"peer", closeside::policies::peer_first},
                                                           {"abort", closeside::policies::abortive}}};

template <class Value, std::size_t N>
Value choose(const choices<Value, N>& among, const std::string& option, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& [known, value] : among) {
        if (known == name) return value;
        names.emplace_back(known);
    }
    refuse(option, name, "is not known; give " + alternatives(names));
}

void require_known(const std::string& code) {
    if (host::find_rule(code)) return;
    std::string codes;
    for (const host::rule& r : host::rule_table) codes += " " + std::string(r.code);
    refuse("--ignore", code, "is not the code of a rule; the codes are" + codes);
}

} // namespace

void add_audit_options(CLI::App& app, audit_options& given) {
    app.add_option_function<std::string>(
           "--root",
           [&given](const std::string& directory) {
               if (directory.empty()) refuse("--root", directory, "is not a directory; give one that holds proc/");
               given.root = directory;
           },
           "Directory that holds proc/ (default: /)")
        ->type_name("DIR");
    app.add_option("--assume", given.assumed,
                   "How the program closes: local (default; it closes first), peer (its peers do) or abort; repeatable")
        ->type_name("POLICY")
        ->allow_extra_args(false);
    app.add_option_function<std::string>(
           "--exposure", [&given](const std::string& name) { given.exposure = choose(exposures, "--exposure", name); },
           "How peers reach it: nat (default; many behind few addresses), direct or loopback")
        ->type_name("EXPOSURE");
    app.add_option("--ignore", given.ignored, "Code of a rule whose finding does not count; repeatable")
        ->type_name("CODE")
        ->allow_extra_args(false);
}

void complete(audit_options& given) {
    if (given.assumed.empty()) given.assumed = {"local"};
    for (const std::string& name : given.assumed) given.policies.push_back(choose(assumptions, "--assume", name));
    for (const std::string& code : given.ignored) require_known(code);
}

} // namespace check
