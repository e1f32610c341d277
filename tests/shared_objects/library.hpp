// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SHARED_OBJECTS_LIBRARY_HPP
#define CLOSESIDE_TESTS_SHARED_OBJECTS_LIBRARY_HPP

#include <asio/io_context.hpp>

#include <system_error>

/// What a shared library and the program that uses it both see, each through its own copy of the headers.
struct view {
    std::error_code code;                          ///< error::patience_over
    const std::error_category* category = nullptr; ///< closeside::error_category()
    const void* deadlines = nullptr;               ///< the service that ends closes on `io` in time
};

extern "C" {

[[gnu::visibility("default")]] void look(asio::io_context& io, view& seen);

/// Begins a close on `io` that its peer keeps waiting until the limit; `outcome` is what it completes with.
[[gnu::visibility("default")]] void begin_close(asio::io_context& io, std::error_code& outcome);

/// @throws std::system_error with error::ports_exhausted
[[gnu::visibility("default")]] void fail();
}

#endif
