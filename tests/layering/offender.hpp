// SPDX-License-Identifier: BSL-1.0
#include <asio/error.hpp>

#include <filesystem>
#include <iostream>
#include <regex>
