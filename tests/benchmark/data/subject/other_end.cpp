// SPDX-License-Identifier: BSL-1.0
#include "other_end.hpp"

#include "benchmark/support/measured_part.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <sys/socket.h>

namespace benchmark_data {

namespace {

using chunk = std::array<char, operation_size * operations_ahead>;

void check(bool done, const char* call) {
    if (!done) throw std::system_error(errno, std::generic_category(), call);
}

} // namespace

void other_end::feed() {
    const benchmark_support::not_measured here;
    const chunk data{};
    check(::send(ends_.other(), data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size()), "send");
    ends_.wait_for_input(static_cast<int>(data.size()));
}

void other_end::drain() {
    const benchmark_support::not_measured here;
    chunk data;
    check(::recv(ends_.other(), data.data(), data.size(), MSG_WAITALL) == static_cast<ssize_t>(data.size()), "recv");
}

} // namespace benchmark_data
