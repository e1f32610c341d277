// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_CERTIFICATE_HPP
#define CLOSESIDE_TESTS_SUPPORT_CERTIFICATE_HPP

#include "observation/certificate.hpp"

namespace tests {

using observation::certificate;
using observation::openssl_ptr;
using observation::server_context;

} // namespace tests

#endif
