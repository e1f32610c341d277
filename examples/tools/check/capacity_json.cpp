// SPDX-License-Identifier: BSL-1.0
#include "capacity.hpp"

#include "document.hpp"

#include <array>
#include <cmath>
#include <ostream>

namespace check {

namespace {

namespace host = closeside::host;
using json = nlohmann::ordered_json;

/// null where there is no limit: JSON has no infinity.
json finite(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json scale(const simulated_load& how, const simulated& seen) {
    return {{"connects", seen.connects},
            {"seed", how.seed},
            {"spaces", how.spaces},
            {"ports", how.ports},
            {"per_second", how.per_second},
            {"warm_up_seconds", how.warm_up_seconds},
            {"seconds", how.measured_seconds},
            {"scale", how.scale}};
}

json document_of(const capacity_answer& a, const accepted_answer& one) {
    const host::accepted_forecast& f = one.foretold;
    json simulated = nullptr;
    if (one.seen) {
        const double time_waits = one.seen->time_waits / one.how->scale;
        simulated = {{"refused", one.seen->refused_share()},
                     {"meet", one.seen->met_share()},
                     {"challenged", one.seen->challenged_share()},
                     {"timed_out", one.seen->timed_out_share()},
                     {"time_waits", time_waits},
                     {"time_wait_bytes", time_waits * a.memory.bytes},
                     {"without_time_wait", one.seen->without_share()},
                     {"run", scale(*one.how, *one.seen)}};
    }
    return {{"addresses", one.load.addresses},
            {"per_second_each", one.load.per_second / static_cast<double>(one.load.addresses)},
            {"refused", f.refused},
            {"meet", f.meet},
            {"challenged", f.challenged},
            {"timed_out", f.timed_out},
            {"time_waits", f.time_waits},
            {"time_wait_bytes", f.time_waits * a.memory.bytes},
            {"without_time_wait", f.without_time_wait},
            {"ports_held_each", f.ports_held},
            {"connects_per_second_each_at_most", finite(f.address_per_second)},
            {"simulated", std::move(simulated)}};
}

json document_of(const capacity_answer& a, const opened_answer& one) {
    const host::opened_forecast& f = one.foretold;
    json simulated = nullptr;
    if (one.seen)
        simulated = {{"refused", one.seen->refused_share()},
                     {"time_waits", one.seen->time_waits / one.how->scale},
                     {"run", scale(*one.how, *one.seen)}};
    return {{"destinations", one.load.destinations},
            {"local_ports", one.load.ports},
            {"port_hold_seconds", one.load.hold_seconds},
            {"refused", f.refused},
            {"ports_held_each", f.ports_held},
            {"connects_per_second_at_most", finite(f.per_second)},
            {"time_waits", f.time_waits},
            {"time_wait_bytes", a.bytes(one)},
            {"simulated", std::move(simulated)}};
}

} // namespace

void print_capacity_json(std::ostream& out, const capacity_answer& a) {
    const capacity_question& asked = a.asked;
    json accepted = json::array(), policies = json::array(), rates = json::array();
    for (const accepted_answer& one : a.accepted) accepted.push_back(document_of(a, one));
    for (const policy_answer& p : a.policies)
        policies.push_back(
            {{"policy", p.name},
             {"time_wait_share", p.share},
             {a.opened ? "opened" : "accepted", a.opened ? document_of(a, p.opened) : document_of(a, p.accepted)}});
    if (!a.accepted.empty())
        for (const double share : {0.01, 0.1, 0.5})
            if (const auto rate = host::rate_at_meet(a.accepted.front().load, share))
                rates.push_back({{"meet", share}, {"per_second_each", *rate}});
    const json document{{"asked",
                         {{"closes_per_second", asked.closes_per_second},
                          {"assumed", asked.assumed},
                          {"peers_in_time", asked.peers_in_time},
                          {"open_seconds", asked.open_seconds},
                          {"nat_ports", asked.from.ports},
                          {"nat_reuse_seconds", asked.from.reuse_seconds},
                          {"nat_choice", to_string(asked.from.choice)},
                          {"loopback", asked.to_loopback}}},
                        {"kernel", a.kernel.empty() ? json(nullptr) : json(a.kernel)},
                        {"root", asked.root},
                        {"tcp_max_tw_buckets", a.limits.buckets ? json(*a.limits.buckets) : json(nullptr)},
                        {"tcp_rfc1337", a.limits.ignores_resets},
                        {"time_wait_bytes", a.memory.bytes},
                        {"time_wait_bytes_measured", a.memory.measured},
                        {"time_wait_share", a.share},
                        {"accepted", std::move(accepted)},
                        {"meet_rates", std::move(rates)},
                        {"opened", a.opened ? document_of(a, *a.opened) : json(nullptr)},
                        {"policies", std::move(policies)}};
    out << text_of(document);
}

} // namespace check
