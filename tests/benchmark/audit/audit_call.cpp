// SPDX-License-Identifier: BSL-1.0
#include "audit_call.hpp"

#include <closeside/host/startup.hpp>
#include <closeside/policy.hpp>

#include <string_view>

namespace benchmark_audit {

cost call_audit() {
    using closeside::policies::graceful;
    using closeside::policies::peer_first;
    return cost_of(
        [] { closeside::warn_at_startup<graceful, peer_first>([](closeside::host::severity, std::string_view) {}); });
}

} // namespace benchmark_audit
