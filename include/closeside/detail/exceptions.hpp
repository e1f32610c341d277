// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_EXCEPTIONS_HPP
#define CLOSESIDE_DETAIL_EXCEPTIONS_HPP

// A lack of memory in the middle of a close is caught and made good; without exceptions there is nothing to catch.
#if !defined(__cpp_exceptions)
#error "closeside does not work with -fno-exceptions, nor with ASIO_NO_EXCEPTIONS beside it: leave -fno-exceptions out"
#endif

#endif
