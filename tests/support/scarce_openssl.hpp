// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_SCARCE_OPENSSL_HPP
#define CLOSESIDE_TESTS_SUPPORT_SCARCE_OPENSSL_HPP

// The memory of OpenSSL, which runs out when a test says so, and its calls that a close makes, which can fail.
namespace tests {

/// While it lives, the n-th allocation (from 0) of OpenSSL on this thread fails.
class scarce_openssl {
public:
    explicit scarce_openssl(int n) noexcept;
    scarce_openssl(const scarce_openssl&) = delete;
    scarce_openssl& operator=(const scarce_openssl&) = delete;
    ~scarce_openssl();

    int failures() const noexcept;

    /// False if OpenSSL took memory before the program could say where from.
    static bool is_in_use() noexcept;
};

/// While it lives, the next call of this function fails as OpenSSL documents it: BIO_new, SSL_shutdown, or BIO_ctrl where
/// it asks for the content of a memory BIO.
class failing_openssl_call {
public:
    explicit failing_openssl_call(const char* name) noexcept;
    failing_openssl_call(const failing_openssl_call&) = delete;
    failing_openssl_call& operator=(const failing_openssl_call&) = delete;
    ~failing_openssl_call();

    bool has_failed() const noexcept;
};

} // namespace tests

#endif
