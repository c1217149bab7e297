#pragma once

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

// The allocator's entry points are macros that add file and line; Swift sees functions only.

static inline void *gh_secure_malloc(size_t count) { return OPENSSL_secure_zalloc(count); }

static inline void gh_secure_clear_free(void *pointer, size_t count) {
    OPENSSL_secure_clear_free(pointer, count);
}

// An OSSL_PARAM keeps the address of its name, so the names must be C literals: a Swift string would be gone.

static inline int gh_hkdf(
    EVP_KDF *kdf, const char *digest, const void *key, size_t key_count, const void *salt, size_t salt_count,
    const void *info, size_t info_count, void *out, size_t out_count
) {
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    if (context == NULL) { return 0; }
    OSSL_PARAM parameters[5];
    size_t used = 0;
    parameters[used++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
    parameters[used++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_count);
    if (salt_count > 0) {
        parameters[used++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count);
    }
    if (info_count > 0) {
        parameters[used++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count);
    }
    parameters[used] = OSSL_PARAM_construct_end();
    int result = EVP_KDF_derive(context, (unsigned char *)out, out_count, parameters);
    EVP_KDF_CTX_free(context);
    return result;
}

static inline int gh_scrypt(
    EVP_KDF *kdf, const void *passphrase, size_t passphrase_count, const void *salt, size_t salt_count,
    uint64_t n, uint32_t r, uint32_t p, uint64_t memory_bytes_max, void *out, size_t out_count
) {
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    if (context == NULL) { return 0; }
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)passphrase, passphrase_count),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_bytes_max),
        OSSL_PARAM_construct_end(),
    };
    int result = EVP_KDF_derive(context, (unsigned char *)out, out_count, parameters);
    EVP_KDF_CTX_free(context);
    return result;
}

static inline int gh_hmac(
    EVP_MAC *mac, const char *digest, const void *key, size_t key_count, const void *message,
    size_t message_count, void *out, size_t out_count
) {
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    if (context == NULL) { return 0; }
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t written = 0;
    int result = EVP_MAC_init(context, (const unsigned char *)key, key_count, parameters) == 1
        && EVP_MAC_update(context, (const unsigned char *)message, message_count) == 1
        && EVP_MAC_final(context, (unsigned char *)out, &written, out_count) == 1 && written == out_count;
    EVP_MAC_CTX_free(context);
    return result;
}

// HMAC-SHA-256 (RFC 2104) for the path of a call. The EVP interface allocates, and looks the digest up by name, for
// every code; here the two blocks that depend on the key alone are hashed once, and a code is two more blocks.
// OpenSSL 3 calls these functions deprecated in favour of EVP; it still has them, with the same assembly behind.

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

typedef struct {
    SHA256_CTX inner, outer;
} gh_hmac_state;

// `key` has at most 64 bytes, the block of SHA-256.
static inline int gh_hmac_prepare(void *state, const void *key, size_t key_count) {
    gh_hmac_state *made = (gh_hmac_state *)state;
    unsigned char block[SHA256_CBLOCK];
    if (key_count > sizeof(block)) { return 0; }
    memset(block, 0x36, sizeof(block));
    for (size_t at = 0; at < key_count; at++) { block[at] ^= ((const unsigned char *)key)[at]; }
    int done = SHA256_Init(&made->inner) && SHA256_Update(&made->inner, block, sizeof(block));
    for (size_t at = 0; at < sizeof(block); at++) { block[at] ^= 0x36 ^ 0x5c; }
    done = done && SHA256_Init(&made->outer) && SHA256_Update(&made->outer, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
    return done;
}

static inline int gh_hmac_finish(SHA256_CTX *inner, const gh_hmac_state *state, void *out) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX outer = state->outer;
    int done = SHA256_Final(digest, inner) && SHA256_Update(&outer, digest, sizeof(digest))
        && SHA256_Final((unsigned char *)out, &outer);
    OPENSSL_cleanse(digest, sizeof(digest));
    return done;
}

// The code of `message` into the 32 bytes at `out`.
static inline int gh_hmac_prepared(const void *state, const void *message, size_t count, void *out) {
    SHA256_CTX inner = ((const gh_hmac_state *)state)->inner;
    return SHA256_Update(&inner, message, count) && gh_hmac_finish(&inner, (const gh_hmac_state *)state, out);
}

// The code of the SHA-256 of `message`.
static inline int gh_hmac_prepared_digest(const void *state, const void *message, size_t count, void *out) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX plain;
    SHA256_CTX inner = ((const gh_hmac_state *)state)->inner;
    return SHA256_Init(&plain) && SHA256_Update(&plain, message, count) && SHA256_Final(digest, &plain)
        && SHA256_Update(&inner, digest, sizeof(digest))
        && gh_hmac_finish(&inner, (const gh_hmac_state *)state, out);
}

#pragma clang diagnostic pop
