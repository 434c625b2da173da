#ifndef SWIFTLET_CCRYPTO_H
#define SWIFTLET_CCRYPTO_H

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

// What Swift needs of libcrypto, with pointers and lengths only: OpenSSL's own macros and its const-ness differ from
// one minor version to the next, and these do not.

/// Hashes `count` bytes. 1 for success.
static inline int swiftlet_sha256(const void *bytes, size_t count, unsigned char digest[32]) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL);
}

/// Hashes `count` bytes as RFC 6455 asks for. 1 for success.
static inline int swiftlet_sha1(const void *bytes, size_t count, unsigned char digest[20]) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha1(), NULL);
}

/// A hash that is fed in pieces; NULL without memory.
static inline EVP_MD_CTX *swiftlet_sha256_begin(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return context;
}

/// Feeds a hash. 1 for success.
static inline int swiftlet_sha256_update(EVP_MD_CTX *context, const void *bytes, size_t count) {
    return EVP_DigestUpdate(context, bytes, count);
}

/// Ends a hash. 1 for success.
static inline int swiftlet_sha256_finish(EVP_MD_CTX *context, unsigned char digest[32]) {
    return EVP_DigestFinal_ex(context, digest, NULL);
}

/// HMAC with SHA-256. 1 for success.
static inline int swiftlet_hmac_sha256(const void *key, size_t key_count, const void *bytes, size_t count,
                                       unsigned char code[32]) {
    unsigned int length = 0;
    return HMAC(EVP_sha256(), key, (int)key_count, bytes, count, code, &length) != NULL && length == 32;
}

/// Compares in a time that depends on `count` alone. 0 for equal.
static inline int swiftlet_compare(const void *left, const void *right, size_t count) {
    return CRYPTO_memcmp(left, right, count);
}

#endif
