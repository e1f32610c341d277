// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_CERTIFICATE_HPP
#define CLOSESIDE_OBSERVATION_CERTIFICATE_HPP

#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace observation {

struct openssl_free {
    void operator()(::EVP_PKEY* p) const { ::EVP_PKEY_free(p); }
    void operator()(::X509* p) const { ::X509_free(p); }
    void operator()(::SSL_CTX* p) const { ::SSL_CTX_free(p); }
    void operator()(::SSL* p) const { ::SSL_free(p); }
};
template <class T>
using openssl_ptr = std::unique_ptr<T, openssl_free>;

/// A certificate that its own key has signed, made for this process. Who includes this links OpenSSL.
struct certificate {
    openssl_ptr<::EVP_PKEY> key{EVP_EC_gen("P-256")};
    openssl_ptr<::X509> x509{::X509_new()};

    certificate() {
        ::X509_set_version(x509.get(), 2);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(x509.get()), 1);
        ::X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
        ::X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
        ::X509_NAME* const name = ::X509_get_subject_name(x509.get());
        ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                     -1, 0);
        ::X509_set_issuer_name(x509.get(), name);
        ::X509_set_pubkey(x509.get(), key.get());
        if (::X509_sign(x509.get(), key.get(), ::EVP_sha256()) == 0) throw std::runtime_error("no certificate");
    }
};

/// Of either Asio. `version`: TLS1_2_VERSION or TLS1_3_VERSION.
template <class Context>
Context server_context(int version = TLS1_3_VERSION) {
    static const certificate own;
    Context context(Context::tls_server);
    ::SSL_CTX_use_certificate(context.native_handle(), own.x509.get());
    ::SSL_CTX_use_PrivateKey(context.native_handle(), own.key.get());
    ::SSL_CTX_set_min_proto_version(context.native_handle(), version);
    ::SSL_CTX_set_max_proto_version(context.native_handle(), version);
    return context;
}

} // namespace observation

#endif
