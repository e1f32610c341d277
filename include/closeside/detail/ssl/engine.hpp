// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_ENGINE_HPP
#define CLOSESIDE_DETAIL_SSL_ENGINE_HPP

#include <closeside/detail/ssl/asio_ssl.hpp>
#include <closeside/last_bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace closeside::detail {

/// What our calls leave in OpenSSL's error queue of this thread is taken out again; what was there stays.
class error_queue_mark {
public:
    error_queue_mark() noexcept { ::ERR_set_mark(); }
    error_queue_mark(const error_queue_mark&) = delete;
    error_queue_mark& operator=(const error_queue_mark&) = delete;
    ~error_queue_mark() { ::ERR_pop_to_mark(); }
};

/// A record of TLS, ready to be sent.
struct tls_record {
    last_bytes_memory memory;
    std::uint32_t size = 0;
};

/// Has TLS given out bytes that nobody has taken over for sending? Asio's engine is one end of a pair of BIOs.
inline bool has_unsent_output(SSL* ssl) noexcept {
    BIO* const out = ::SSL_get_wbio(ssl);
    return out != nullptr && BIO_wpending(out) != 0;
}

inline bool has_sent_close_notify(SSL* ssl) noexcept { return (::SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0; }
/// A fatal alert sets the flag as well, and leaves TLS as if it were in a handshake.
inline bool has_received_close_notify(SSL* ssl) noexcept {
    return (::SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0 && !::SSL_in_init(ssl);
}

/// The close_notify alert, encrypted. None before the end of the handshake or after a fatal error (SSL_in_init is true
/// then), if one has been sent, and if there is no memory. No I/O; nothing can be written with `ssl` after it.
inline tls_record take_close_notify(SSL* ssl) noexcept {
    if (::SSL_in_init(ssl) || !::SSL_is_init_finished(ssl) || has_sent_close_notify(ssl)) return {};
    const error_queue_mark mark;
    BIO* const out = ::BIO_new(::BIO_s_mem());
    if (out == nullptr) return {};
    ::SSL_set0_wbio(ssl, out); // which is now its owner
    if (::SSL_shutdown(ssl) < 0) return {};
    const char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    if (size <= 0) return {}; // a quiet shutdown
    tls_record r{last_bytes_memory(new (std::nothrow) std::byte[static_cast<std::size_t>(size)]),
                 static_cast<std::uint32_t>(size)};
    if (!r.memory) return {};
    std::memcpy(r.memory.get(), bytes, r.size);
    return r;
}

/// Would a read get something without anything new from the socket: decrypted bytes, a whole record, an alert?
/** Asio reads into the pair of BIOs only when TLS has emptied it, so that what is there begins with a record. */
inline bool has_input(SSL* ssl) noexcept {
    if (::SSL_pending(ssl) > 0) return true;
    BIO* const in = ::SSL_get_rbio(ssl);
    if (in == nullptr) return false;
    // Of records that TLS has begun to take in, or under read_ahead all of them, it does not say whether they are whole.
    if (::SSL_has_pending(ssl) && (::SSL_get_read_ahead(ssl) || BIO_pending(in) > 0)) return true;
    constexpr int header_size = 5; // type, version, length (RFC 8446, 5.1)
    char* record = nullptr;
    const int size = ::BIO_nread0(in, &record);
    if (size < header_size) return false;
    const auto at = [record](int i) { return static_cast<unsigned char>(record[i]); };
    return size >= header_size + (at(3) << 8 | at(4));
}

} // namespace closeside::detail

#endif
