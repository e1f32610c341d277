// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_SRC_HPP
#define CLOSESIDE_SRC_HPP

/// The functions that headers only declare with CLOSESIDE_SEPARATE_COMPILATION: for one file of a program or library.
/** CLOSESIDE_SEPARATE_COMPILATION must be defined for every file that includes closeside, best by the build system; the
 *  targets closeside::compiled and closeside::boost_compiled do it all. A program of both Asios has one such file for
 *  each. The host check's are in closeside/host/src.hpp. */

#ifndef CLOSESIDE_SEPARATE_COMPILATION
// clang-format off
#error "closeside/src.hpp needs CLOSESIDE_SEPARATE_COMPILATION: define it for every file of the program"
// clang-format on
#endif

#include <closeside/closeside.hpp>

#include <closeside/detail/close/impl/deadlines.ipp>
#include <closeside/detail/connect/impl/connect_diagnosis.ipp>
#include <closeside/detail/connect/impl/connect_socket.ipp>
#include <closeside/detail/listen/impl/accepted.ipp>
#include <closeside/detail/listen/impl/listening_socket.ipp>
#include <closeside/detail/stop/impl/stop_core.ipp>

#include <cstddef>

namespace closeside::detail::inline CLOSESIDE_BACKEND {
template <int Version, asio_macros Macros, std::size_t SizeOfSocket>
const char closeside_src_hpp_is_missing_or_compiled_with_other_macros_of_Asio<Version, Macros, SizeOfSocket>::here = 0;
template const char closeside_src_hpp_is_missing_or_compiled_with_other_macros_of_Asio<asio_version, defined_macros,
                                                                                       sizeof(any_tcp_socket)>::here;
} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#define CLOSESIDE_INSTANCE template
#include <closeside/detail/close/impl/instances.ipp>
#include <closeside/detail/listen/impl/instances.ipp>
#undef CLOSESIDE_INSTANCE

#endif
