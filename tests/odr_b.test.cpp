// SPDX-License-Identifier: BSL-1.0
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include <asio/io_context.hpp>

#include <string>
#include <system_error>

namespace odr_b {

const std::error_category* category() { return &closeside::error_category(); }

const closeside::close_policy* graceful() { return &closeside::policies::graceful; }

std::string text() { return to_string(closeside::policies::graceful) + to_string(closeside::close_report{}); }

bool closed_stream_is_open(asio::io_context& io) {
    return closeside::stream<closeside::policies::graceful>(io).is_open();
}

} // namespace odr_b
