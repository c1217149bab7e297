#pragma once

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdint.h>
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
