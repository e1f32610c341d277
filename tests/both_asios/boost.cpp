// SPDX-License-Identifier: BSL-1.0
#include "conversation.hpp"
#include "half.hpp"

std::string boost_half() { return converse(); }
