// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_OBSERVED_HPP
#define CLOSESIDE_LAB_SUPPORT_OBSERVED_HPP

#include "observation/counters.hpp"
#include "observation/descriptor.hpp"
#include "observation/host.hpp"
#include "observation/process.hpp"
#include "observation/program.hpp"
#include "observation/socket_table.hpp"
#include "observation/wait.hpp"

namespace lab {

// Hosts and what the kernel tells of them are what every lab is about.
using namespace observation;

} // namespace lab

#endif
