// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_AS_TUPLE_HPP
#define CLOSESIDE_TESTS_SUPPORT_AS_TUPLE_HPP

// Asio 1.22 has it as an experiment, and later ones no longer there.
#if defined(CLOSESIDE_USE_BOOST_ASIO)
#include <boost/asio/as_tuple.hpp>
namespace tests {
using boost::asio::as_tuple;
}
#elif __has_include(<asio/as_tuple.hpp>)
#include <asio/as_tuple.hpp>
namespace tests {
using asio::as_tuple;
}
#else
#include <asio/experimental/as_tuple.hpp>
namespace tests {
using asio::experimental::as_tuple;
}
#endif

#endif
