// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_VOCABULARY_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_VOCABULARY_HPP

#include "network/packets/script.hpp"
#include "network/packets/with_sysctl.hpp"

#include <closeside/policy.hpp>

#include <chrono>

// The words of the scripts.
namespace packets {

namespace policies = closeside::policies;
using closeside::close_policy;
using closeside::error;
using enum observation::tcp_state;
using namespace std::chrono_literals;

using fin_by = closeside::fin_sender;
using ended = closeside::ending;
using time_wait_of = closeside::time_wait_holder;
using limit_of = closeside::close_limit;
using last = closeside::last_bytes_fate;

} // namespace packets

#endif
