// SPDX-License-Identifier: BSL-1.0
// What this host's TCP settings mean for a server, as JSON: `host_check_json`. The host check needs no Asio.
#include <closeside/host.hpp>
#include <closeside/policy.hpp>

#include <nlohmann/json.hpp>

#include <iostream>

int main() {
    using namespace closeside;
    static constexpr close_policy policies[]{policies::graceful, policies::peer_first}; // what the server closes with
    nlohmann::json findings = nlohmann::json::array();
    for (const host::finding& f : host::audit(host::take_snapshot(), host::exposure::nat, policies))
        findings.push_back({{"code", f.code},
                            {"severity", to_string(f.severity)},
                            {"keys", f.keys},
                            {"message", f.message},
                            {"consequence", f.consequence},
                            {"fix", f.fix}});
    std::cout << nlohmann::json{{"findings", findings}}.dump(2) << '\n';
}
