/* acd_test_engine.c: engines. OpenSSL's gives the bytes of libsodium's at every length around the bounds of
 * blocks and chunks; both are XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha); an engine that fails, or writes
 * before it knows the tag, leaves nothing of the plaintext behind. */
#include <openssl/evp.h>
#include "acd_test.h"

#define LENGTH_MAX (3u * ACD_GOODS_CHUNK_SIZE)
#define SEALED_MAX (LENGTH_MAX + 1024u)

static const uint8_t k[ACD_GOODS_KEY_SIZE] = {1, 2, 3};
static const uint8_t context[ACD_GOODS_CONTEXT_SIZE] = {4, 5, 6};
static const uint8_t salt[ACD_GOODS_SALT_SIZE] = {7, 8, 9};
static uint8_t plain[LENGTH_MAX];
static uint8_t sealed[SEALED_MAX];
static uint8_t theirs[SEALED_MAX];
static uint8_t opened[SEALED_MAX];

/* MARK: An engine on OpenSSL, as a server has it */

static int openssl_digest(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts,
                          size_t part_count)
{
    (void)state;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    int good = EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; good && i < part_count; i++) {
        good = EVP_DigestUpdate(digest, parts[i].bytes, parts[i].len) == 1;
    }
    good = good && EVP_DigestFinal_ex(digest, out, NULL) == 1;
    EVP_MD_CTX_free(digest);
    return good ? 0 : -1;
}

static int openssl_seal(void *state, uint8_t *out, const uint8_t *in, size_t len, const uint8_t nonce[12],
                        const uint8_t key[32])
{
    (void)state;
    int wrote = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    const int good = EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
                     (len == 0 || EVP_EncryptUpdate(cipher, out, &wrote, in, (int)len) == 1) &&
                     EVP_EncryptFinal_ex(cipher, out + wrote, &wrote) == 1 &&
                     EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + len) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return good ? 0 : -1;
}

static int openssl_open(void *state, uint8_t *out, const uint8_t *in, size_t len, const uint8_t nonce[12],
                        const uint8_t key[32])
{
    (void)state;
    int wrote = 0;
    uint8_t tag[16];
    uint8_t none = 0;
    memcpy(tag, in + len, sizeof tag);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    const int good = EVP_DecryptInit_ex(cipher, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
                     EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1 &&
                     (len == 0 || EVP_DecryptUpdate(cipher, out, &wrote, in, (int)len) == 1);
    const int holds = good && EVP_DecryptFinal_ex(cipher, &none, &wrote) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return holds ? 0 : good ? 1 : -1;
}

static const acd_engine openssl = {{NULL, openssl_digest, NULL}, {NULL, openssl_seal, openssl_open}};

static void prepare(void)
{
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 13u + (i >> 7) + 1u);
    }
}

static int all_zero(const uint8_t *bytes, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum |= bytes[i];
    }
    return sum == 0;
}

/* MARK: The same bytes from every engine */

static void a_chunk_is_xchacha20_poly1305_from_both_engines(void)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 16383, 16384};
    static const uint64_t indices[] = {0, 1, 255, 256, 0x01020304, UINT64_C(1) << 33};
    static const char label[] = "c2sp.org/chunked-encryption@v1+AEAD_XChaCha20_Poly1305";
    const acd_hash_part info[] = {{label, sizeof label}, {salt, sizeof salt}, {context, sizeof context}};
    uint8_t derived[56];
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_hkdf_expand(derived, sizeof derived, k, info, 3));
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        uint8_t nonce[24];
        memcpy(nonce, derived + 32, sizeof nonce);
        for (size_t byte = 0; byte < 8; byte++) {
            nonce[23 - byte] ^= (uint8_t)(indices[i] >> (8 * byte));
        }
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            const size_t len = lengths[j];
            acd_aead_seal(theirs, plain, len, nonce, derived);
            CHECK_STATUS(ACD_OK,
                         acd_goods_seal_chunk(&keys, acd_aead_sodium, sealed, plain, len, indices[i]));
            CHECK_BYTES(sealed, theirs, len + 16);
            memset(sealed, 0, len + 16);
            CHECK_STATUS(ACD_OK, acd_goods_seal_chunk(&keys, openssl.aead, sealed, plain, len, indices[i]));
            CHECK_BYTES(sealed, theirs, len + 16);
            CHECK_STATUS(ACD_OK,
                         acd_goods_open_chunk(&keys, acd_aead_sodium, opened, sealed, len + 16, indices[i]));
            CHECK_BYTES(opened, plain, len);
            CHECK_STATUS(ACD_OK,
                         acd_goods_open_chunk(&keys, openssl.aead, sealed, sealed, len + 16, indices[i]));
            CHECK_BYTES(sealed, plain, len); /* in place */
        }
    }
}

static size_t seal(acd_engine engine, size_t len, uint8_t *out, uint8_t root[ACD_HASH_SIZE])
{
    static acd_goods_stream stream;
    size_t first = 0;
    size_t rest = 0;
    uint64_t total = 0;
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, engine, k, context, salt));
    CHECK_STATUS(ACD_OK, acd_goods_seal_update(&stream, out, SEALED_MAX, &first, plain, len));
    CHECK_STATUS(ACD_OK,
                 acd_goods_seal_finish(&stream, out + first, SEALED_MAX - first, &rest, root, &total));
    CHECK(total == first + rest);
    return first + rest;
}

static void a_stream_is_the_same_from_both_engines(void)
{
    static const size_t lengths[] = {0, 1, 16383, 16384, 16385, 32767, 32768, 32769, LENGTH_MAX};
    static acd_goods_stream stream;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t root[ACD_HASH_SIZE];
        uint8_t other[ACD_HASH_SIZE];
        size_t first = 0;
        size_t rest = 0;
        const size_t total = seal(acd_engine_sodium, lengths[i], sealed, root);
        CHECK(seal(openssl, lengths[i], theirs, other) == total);
        CHECK_BYTES(theirs, sealed, total);
        CHECK_BYTES(other, root, sizeof root);
        CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, openssl, k, context));
        CHECK_STATUS(ACD_OK, acd_goods_open_update(&stream, opened, SEALED_MAX, &first, sealed, total));
        CHECK_STATUS(ACD_OK, acd_goods_open_finish(&stream, opened + first, SEALED_MAX - first, &rest, root,
                                                   total));
        CHECK(first + rest == lengths[i]);
        CHECK_BYTES(opened, plain, lengths[i]);
    }
}

/* MARK: Failures */

static void a_wrong_tag_leaves_no_plaintext_whatever_the_engine_wrote(void)
{
    const acd_aead_engine engines[] = {acd_aead_sodium, openssl.aead};
    static const size_t places[] = {0, 8000, 16383, 16384, 16399};
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    for (size_t e = 0; e < 2; e++) {
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            CHECK_STATUS(ACD_OK, acd_goods_seal_chunk(&keys, engines[e], sealed, plain, 16384, 5));
            sealed[places[i]] ^= 0x40;
            memset(opened, 0xee, 16385);
            CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                         acd_goods_open_chunk(&keys, engines[e], opened, sealed, 16400, 5));
            CHECK(all_zero(opened, 16384) && opened[16384] == 0xee);
            sealed[places[i]] ^= 0x40;
            CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                         acd_goods_open_chunk(&keys, engines[e], opened, sealed, 16400, 6));
            CHECK(all_zero(opened, 16384));
            CHECK_STATUS(ACD_OK, acd_goods_open_chunk(&keys, engines[e], opened, sealed, 16400, 5));
        }
    }
}

/* An engine that writes all and then fails with the code in its state. */
static int leaky(void *state, uint8_t *out, const uint8_t *in, size_t len, const uint8_t nonce[12],
                 const uint8_t key[32])
{
    (void)nonce;
    (void)key;
    memcpy(out, in, len);
    return *(int *)state;
}

static void a_failing_engine_fails_the_call_and_what_it_wrote_is_wiped(void)
{
    int code = -1;
    const acd_aead_engine broken = {&code, leaky, leaky};
    const acd_aead_engine none = {NULL, NULL, NULL};
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    memset(opened, 0xee, 116);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_chunk(&keys, broken, opened, plain, 100, 0));
    CHECK(all_zero(opened, 116));
    memset(opened, 0xee, 116);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_chunk(&keys, broken, opened, plain, 116, 0));
    CHECK(all_zero(opened, 100) && opened[100] == 0xee);
    code = 1; /* "the tag does not hold" */
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_goods_open_chunk(&keys, broken, opened, plain, 116, 0));
    CHECK(all_zero(opened, 100));
    code = 2;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_chunk(&keys, broken, opened, plain, 116, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_chunk(&keys, none, opened, plain, 100, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_chunk(&keys, none, opened, plain, 116, 0));
}

static void a_failing_engine_ends_a_stream(void)
{
    static acd_goods_stream stream;
    int code = -1;
    const acd_engine broken = {acd_hash_sodium, {&code, leaky, leaky}};
    uint8_t root[ACD_HASH_SIZE];
    size_t len = 0;
    const size_t total = seal(acd_engine_sodium, LENGTH_MAX, sealed, root);
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, broken, k, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_update(&stream, theirs, SEALED_MAX, &len, plain, 16384));
    CHECK(all_zero(theirs + ACD_GOODS_HEADER_SIZE, ACD_GOODS_SEALED_CHUNK_SIZE));
    CHECK(all_zero(stream.keys.subkey, sizeof stream.keys.subkey));
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, broken, k, context));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_update(&stream, opened, SEALED_MAX, &len, sealed, total));
    CHECK(all_zero(opened, ACD_GOODS_CHUNK_SIZE));
    CHECK(all_zero(stream.keys.subkey, sizeof stream.keys.subkey));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    prepare();
    RUN(a_chunk_is_xchacha20_poly1305_from_both_engines);
    RUN(a_stream_is_the_same_from_both_engines);
    RUN(a_wrong_tag_leaves_no_plaintext_whatever_the_engine_wrote);
    RUN(a_failing_engine_fails_the_call_and_what_it_wrote_is_wiped);
    RUN(a_failing_engine_ends_a_stream);
    return TEST_RESULT();
}
