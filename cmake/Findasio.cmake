# SPDX-License-Identifier: BSL-1.0
#
# Findasio: standalone Asio as the imported target asio::asio.
#
# Asio has no CMake package of its own, and Debian's libasio-dev no .pc file either. Where a package manager provides
# one (vcpkg, Conan), it is taken; otherwise the headers are looked for. -Dasio_INCLUDE_DIR=<directory that holds
# asio.hpp> chooses a certain Asio.
#
# Sets asio_FOUND and asio_VERSION; caches asio_INCLUDE_DIR.

include(FindPackageHandleStandardArgs)

if(NOT TARGET asio::asio AND NOT asio_INCLUDE_DIR)
    find_package(asio CONFIG QUIET)
endif()
if(TARGET asio::asio)
    find_package_handle_standard_args(asio REQUIRED_VARS asio_DIR VERSION_VAR asio_VERSION)
    return()
endif()

find_path(asio_INCLUDE_DIR asio.hpp DOC "Directory that holds asio.hpp, of standalone Asio")
mark_as_advanced(asio_INCLUDE_DIR)

unset(asio_VERSION)
if(asio_INCLUDE_DIR AND EXISTS "${asio_INCLUDE_DIR}/asio/version.hpp")
    file(STRINGS "${asio_INCLUDE_DIR}/asio/version.hpp" asio_version_line REGEX "^#define ASIO_VERSION [0-9]+")
    if(asio_version_line MATCHES "ASIO_VERSION ([0-9]+)")
        math(EXPR asio_version_major "${CMAKE_MATCH_1} / 100000")
        math(EXPR asio_version_minor "${CMAKE_MATCH_1} / 100 % 1000")
        math(EXPR asio_version_patch "${CMAKE_MATCH_1} % 100")
        set(asio_VERSION "${asio_version_major}.${asio_version_minor}.${asio_version_patch}")
    endif()
endif()

find_package_handle_standard_args(
    asio
    REQUIRED_VARS asio_INCLUDE_DIR asio_VERSION
    VERSION_VAR asio_VERSION
    REASON_FAILURE_MESSAGE
        "Install libasio-dev (Debian, Ubuntu), or give -Dasio_INCLUDE_DIR=<directory that holds asio.hpp>."
)

if(asio_FOUND)
    find_package(Threads REQUIRED)
    add_library(asio::asio INTERFACE IMPORTED)
    target_include_directories(asio::asio INTERFACE "${asio_INCLUDE_DIR}")
    target_compile_definitions(asio::asio INTERFACE ASIO_STANDALONE)
    target_link_libraries(asio::asio INTERFACE Threads::Threads)
endif()
