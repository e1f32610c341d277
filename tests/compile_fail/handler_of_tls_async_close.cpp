// SPDX-License-Identifier: BSL-1.0
// error: async_close of a TLS stream completes with (error_code, tls_close_report)
#include <closeside/ssl.hpp>

constexpr closeside::close_policy front_end{};

void use(closeside::ssl_stream<front_end>& s) {
#ifdef BAD
    s.async_close([](closeside::error_code) {});
#else
    s.async_close([](closeside::error_code, closeside::tls_close_report) {});
#endif
}
