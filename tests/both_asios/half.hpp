// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_BOTH_ASIOS_HALF_HPP
#define CLOSESIDE_TESTS_BOTH_ASIOS_HALF_HPP

#include <string>

/// What one Asio says of a connection that was accepted, connected and closed on both sides; empty if all is right.
std::string standalone_half();
std::string boost_half();

#endif
