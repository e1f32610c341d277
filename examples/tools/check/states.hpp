// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_STATES_HPP
#define CLOSESIDE_CHECK_STATES_HPP

#include "output.hpp"

#include <closeside/host/states.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>

namespace check {

/// What `closeside-check states` has found.
struct states_report {
    closeside::host::states_options asked;
    closeside::host::tcp_states counted;
    /// Of the whole network namespace, whatever the port.
    std::optional<std::uint64_t> time_wait_quick;
    std::optional<bool> shared_table;
};

void print_states_text(std::ostream& out, const states_report& r, const terminal& on);
void print_states_json(std::ostream& out, const states_report& r);
void print_states_prometheus(std::ostream& out, const states_report& r);

/// The counts of a whole network namespace in the Prometheus text format, for any output.
void print_state_metrics(std::ostream& out, const closeside::host::tcp_states& counted);

} // namespace check

#endif
