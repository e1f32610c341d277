// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_SAME_CONFIGURATION_HPP
#define CLOSESIDE_DETAIL_ASIO_SAME_CONFIGURATION_HPP

#include <closeside/detail/asio/asio.hpp>

#include <cstddef>

// Separate compilation: the file with closeside/src.hpp must see the same Asio as the others. Its macros change what Asio's
// inline functions return and how large its objects are, and the linker takes either for the other.
namespace closeside::detail::inline CLOSESIDE_BACKEND {

enum class asio_macros : unsigned {
    none = 0,
    no_deprecated = 1,
    has_io_uring_as_default = 2,
    has_threads = 4,
    enable_handler_tracking = 8,
    no_typeid = 16,
    use_ts_executor_as_default = 32,
};

constexpr asio_macros operator|(asio_macros a, asio_macros b) noexcept {
    return static_cast<asio_macros>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// Of this file.
inline constexpr asio_macros defined_macros = asio_macros::none
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_NO_DEPRECATED) : defined(ASIO_NO_DEPRECATED)
                                              | asio_macros::no_deprecated
#endif
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)                                    \
                                      : defined(ASIO_HAS_IO_URING_AS_DEFAULT)
                                              | asio_macros::has_io_uring_as_default
#endif
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_HAS_THREADS) : defined(ASIO_HAS_THREADS)
                                              | asio_macros::has_threads
#endif
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING)                                    \
                                      : defined(ASIO_ENABLE_HANDLER_TRACKING)
                                              | asio_macros::enable_handler_tracking
#endif
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_NO_TYPEID) : defined(ASIO_NO_TYPEID)
                                              | asio_macros::no_typeid
#endif
#if defined(CLOSESIDE_USE_BOOST_ASIO) ? defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)                                 \
                                      : defined(ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
                                              | asio_macros::use_ts_executor_as_default
#endif
    ;

/// The linker's message is the name. ASIO_NO_DEPRECATED is 1, the others follow as above.
template <int Version, asio_macros Macros, std::size_t SizeOfSocket>
struct closeside_src_hpp_is_missing_or_compiled_with_other_macros_of_Asio {
    static const char here; ///< defined by src.hpp
};

#if defined(CLOSESIDE_USE_BOOST_ASIO)
inline constexpr int asio_version = BOOST_ASIO_VERSION;
#else
inline constexpr int asio_version = ASIO_VERSION;
#endif
using asio_configuration =
    closeside_src_hpp_is_missing_or_compiled_with_other_macros_of_Asio<asio_version, defined_macros,
                                                                       sizeof(any_tcp_socket)>;

namespace {
[[gnu::used]] const char* const configuration_of_this_file = &asio_configuration::here;
} // namespace

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
