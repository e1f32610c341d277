# SPDX-License-Identifier: BSL-1.0
#
# Our tests and tools are written for standalone Asio. In ${boost_as_asio} <asio/x.hpp> stands for <boost/asio/x.hpp>, and
# `asio` for `boost::asio`, so that the same files are built and run with Boost.Asio. Nobody else's program needs this.

set(boost_as_asio "${CMAKE_CURRENT_BINARY_DIR}/boost_as_asio")
get_target_property(boost_include Boost::headers INTERFACE_INCLUDE_DIRECTORIES)
list(GET boost_include 0 boost_include)

function(add_forwarding_header name text)
    # The time stamp of what has not changed stays, so that nothing is compiled anew.
    file(CONFIGURE OUTPUT "${boost_as_asio}/${name}" CONTENT "${text}" @ONLY)
endfunction()

file(GLOB_RECURSE headers RELATIVE "${boost_include}/boost" "${boost_include}/boost/asio/*.hpp")
list(FILTER headers EXCLUDE REGEX "/(detail|impl)/")
foreach(header IN LISTS headers)
    set(text "#pragma once\n#include <boost/${header}>\nnamespace boost::asio {}\nnamespace asio = boost::asio;\n")
    if(header STREQUAL "asio/version.hpp")
        string(APPEND text "#define ASIO_VERSION BOOST_ASIO_VERSION\n")
    endif()
    if(header STREQUAL "asio/io_context.hpp")
        string(APPEND text "#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)\n#define ASIO_HAS_IO_URING_AS_DEFAULT 1\n#endif\n")
    endif()
    add_forwarding_header("${header}" "${text}")
endforeach()
