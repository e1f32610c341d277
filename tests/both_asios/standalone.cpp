// SPDX-License-Identifier: BSL-1.0
#include "conversation.hpp"
#include "half.hpp"

std::string standalone_half() { return converse(); }
