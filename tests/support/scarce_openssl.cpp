// SPDX-License-Identifier: BSL-1.0
#include "support/scarce_openssl.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace tests {
namespace {

thread_local int until_failure = -1; // negative: none fails
thread_local int failed = 0;
thread_local const char* call_that_fails = nullptr;
thread_local bool call_has_failed = false;

bool allocation_fails() noexcept {
    if (until_failure < 0 || until_failure-- > 0) return false;
    ++failed;
    return true;
}

void* allocate(std::size_t size, const char*, int) { return allocation_fails() ? nullptr : std::malloc(size); }
void* reallocate(void* memory, std::size_t size, const char*, int) {
    return allocation_fails() ? nullptr : std::realloc(memory, size);
}
void release(void* memory, const char*, int) { std::free(memory); }

const bool in_use = ::CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;

bool fails(const char* name) noexcept {
    if (call_that_fails == nullptr || std::strcmp(call_that_fails, name) != 0) return false;
    call_that_fails = nullptr;
    call_has_failed = true;
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return true;
}

template <class Function>
Function* hidden(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

scarce_openssl::scarce_openssl(int n) noexcept {
    failed = 0;
    until_failure = n;
}
scarce_openssl::~scarce_openssl() { until_failure = -1; }
int scarce_openssl::failures() const noexcept { return failed; }
bool scarce_openssl::is_in_use() noexcept { return in_use; }

failing_openssl_call::failing_openssl_call(const char* name) noexcept {
    call_has_failed = false;
    call_that_fails = name;
}
failing_openssl_call::~failing_openssl_call() { call_that_fails = nullptr; }
bool failing_openssl_call::has_failed() const noexcept { return call_has_failed; }

} // namespace tests

extern "C" {

BIO* BIO_new(const BIO_METHOD* method) {
    static auto* const next = tests::hidden<BIO*(const BIO_METHOD*)>("BIO_new");
    return tests::fails("BIO_new") ? nullptr : next(method);
}

int SSL_shutdown(SSL* ssl) {
    static auto* const next = tests::hidden<int(SSL*)>("SSL_shutdown");
    return tests::fails("SSL_shutdown") ? -1 : next(ssl);
}

long BIO_ctrl(BIO* bio, int command, long number, void* pointer) {
    static auto* const next = tests::hidden<long(BIO*, int, long, void*)>("BIO_ctrl");
    if (command == BIO_CTRL_INFO && tests::fails("BIO_ctrl")) return 0;
    return next(bio, command, number, pointer);
}

} // extern "C"
