# SPDX-License-Identifier: BSL-1.0
#
# Both Asios, each if it is there: the targets asio::asio and Boost::headers. A target that exists is taken as it is.

set(closeside_asio_floor 1.22.1)
set(closeside_boost_floor 1.79) # the first with the cancellation of Asio 1.22.1

if(NOT TARGET asio::asio)
    find_package(asio ${closeside_asio_floor} MODULE QUIET)
endif()
if(NOT TARGET Boost::headers)
    find_package(Boost ${closeside_boost_floor} CONFIG QUIET)
    # CMake has had a module of its own up to 3.29.
    if(NOT TARGET Boost::headers AND CMAKE_VERSION VERSION_LESS 3.30)
        find_package(Boost ${closeside_boost_floor} MODULE QUIET)
    endif()
endif()
