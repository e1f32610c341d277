// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_CONFIGURATION_HPP
#define CLOSESIDE_DETAIL_ASIO_CONFIGURATION_HPP

#include <closeside/detail/exceptions.hpp>

// To be included before any header of Asio, whose own errors are many and name no cure.
#if !defined(__cpp_rtti) && !defined(ASIO_NO_TYPEID) && !defined(ASIO_ENABLE_BOOST) // Boost.Config sees it by itself
#error "closeside: with -fno-rtti Asio needs ASIO_NO_TYPEID: define it for every file, or leave -fno-rtti out"
#endif

#endif
