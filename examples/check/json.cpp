// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <nlohmann/json.hpp>

#include <ostream>

namespace check {

namespace host = closeside::host;

namespace {

using json = nlohmann::ordered_json;

json to_json(const judged& j) {
    const host::finding& f = j.finding;
    json observed = json::object();
    json where = json::object();
    for (const host::observation& o : f.observed) {
        observed[o.key] = o.value;
        where[o.key] = o.where;
    }
    return {{"code", f.code},
            {"severity", to_string(f.severity)},
            {"keys", f.keys},
            {"observed", std::move(observed)},
            {"where", std::move(where)},
            {"message", f.message},
            {"consequence", f.consequence},
            {"fix", f.fix},
            {"source", f.source},
            {"suppressed", j.suppressed}};
}

json to_json(const host::key_value& v) {
    json value{{"status", to_string(v.status)}};
    const bool has_text = v.status == host::key_status::present || v.status == host::key_status::malformed;
    value["value"] = has_text ? json(v.text) : json(nullptr);
    if (!v.problem.empty()) value["problem"] = v.problem;
    return value;
}

} // namespace

void print_json(std::ostream& out, const report& r) {
    json findings = json::array();
    for (const judged& j : r.findings) findings.push_back(to_json(j));
    json values = json::object();
    for (const host::key_facts& facts : host::all_keys) values[std::string(facts.name)] = to_json(r.seen[facts.id]);

    const json document{{"findings", std::move(findings)},
                        {"values", std::move(values)},
                        {"kernel", r.seen.kernel.empty() ? json(nullptr) : json(r.seen.kernel)},
                        {"netns", r.seen.netns ? json(*r.seen.netns) : json(nullptr)},
                        {"namespace", to_string(r.seen.space)},
                        {"root", r.seen.root},
                        {"exposure", to_string(r.exposure)},
                        {"assumed", r.assumed}};
    // A path below root may be no UTF-8.
    out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

} // namespace check
