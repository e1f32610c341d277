// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_ASIO_SSL_HPP
#define CLOSESIDE_DETAIL_SSL_ASIO_SSL_HPP

// TLS of the Asio in use, and OpenSSL behind it; only ssl.hpp leads here.
#include <closeside/detail/asio/asio.hpp>

#if defined(CLOSESIDE_USE_BOOST_ASIO)
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#else
#include <asio/ssl/context.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/ssl/stream_base.hpp>
#endif

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <openssl/ssl.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "closeside/ssl.hpp needs OpenSSL 3.0 or newer"
#endif

#endif
