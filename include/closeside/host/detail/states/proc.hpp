// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_PROC_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_PROC_HPP

#include <closeside/detail/kernel/lines_of_file.hpp>
#include <closeside/detail/kernel/proc_net_tcp_row.hpp>
#include <closeside/host/detail/states/count.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/tcp_states.hpp>

#include <cerrno>
#include <cstdint>
#include <string_view>

namespace closeside::host::detail {

/// Counts the rows of /proc/net/tcp or tcp6.
class proc_row_counter {
public:
    /// `local_port` 0: every row.
    proc_row_counter(tcp_states& to, std::uint16_t local_port) noexcept : to_(to), local_port_(local_port) {}

    void add_piece(std::string_view piece) {
        lines_.add_piece(piece, [this](std::string_view line) { add_line(line); });
    }

    /// A last row without line end was cut short, and so was a file without the heading.
    void add_end() noexcept {
        if (lines_.is_within_line() || !headed_) ++to_.malformed;
    }

private:
    void add_line(std::string_view line) noexcept {
        if (!headed_) {
            headed_ = true;
            constexpr std::string_view heading = "  sl  local_address";
            if (!line.starts_with(heading)) ++to_.malformed;
            return;
        }
        closeside::detail::row_cursor row(line);
        closeside::detail::tcp_entry e;
        if (!parse_row_head(row, e))
            ++to_.malformed;
        else if (local_port_ == 0 || local_port_ == e.local_port)
            count_socket(to_, e.state, e.timer);
    }

    tcp_states& to_;
    const std::uint16_t local_port_;
    bool headed_ = false;
    closeside::detail::line_splitter lines_;
};

/// Counts the rows of one table; returns 0 or an errno, and sets `stopped` when the budget is over.
inline int add_proc_file(tcp_states& to, int proc_net, const char* table, std::uint16_t local_port,
                         const time_budget& budget) noexcept {
    proc_row_counter rows(to, local_port);
    const int error = closeside::detail::for_each_piece(
        proc_net, table, [&](std::string_view piece) { rows.add_piece(piece); },
        [&] { return to.stopped = budget.over(); });
    if (error == 0 && !to.stopped) rows.add_end();
    return error;
}

/// Counts the rows of tcp and tcp6 in a directory proc/…/net; returns 0 or an errno, and sets `exact` or `stopped`.
inline int count_by_proc(tcp_states& to, int proc_net, std::uint16_t local_port, const time_budget& budget) noexcept {
    if (const int error = add_proc_file(to, proc_net, "tcp", local_port, budget)) return error;
    if (to.stopped) return 0;
    const int error = add_proc_file(to, proc_net, "tcp6", local_port, budget);
    if (error != 0 && error != ENOENT) return error; // no such file: a kernel without IPv6
    to.exact = !to.stopped && to.malformed == 0;
    return 0;
}

} // namespace closeside::host::detail

#endif
