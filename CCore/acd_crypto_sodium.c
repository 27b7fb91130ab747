/* acd_crypto_sodium.c: the crypto boundary on libsodium; the only file of the core that includes <sodium.h>.
 *
 * Invariants: no primitive is implemented here; every secret on the stack is wiped before return. Sealed
 * boxes are byte for byte those of crypto_box_curve25519xchacha20poly1305_seal: ephemeral public key, then
 * the box under nonce = BLAKE2b-192(ephemeral public key || recipient).
 */
#include "acd/crypto.h"

#include <sodium.h>
#include <string.h>

#include "acd_internal.h"

_Static_assert(ACD_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");
_Static_assert(ACD_SEED_SIZE == crypto_sign_SEEDBYTES, "Ed25519 seed");
_Static_assert(ACD_SECRET_KEY_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
_Static_assert(ACD_PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(ACD_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(ACD_AEAD_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "AEAD key");
_Static_assert(ACD_AEAD_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "AEAD nonce");
_Static_assert(ACD_AEAD_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "AEAD tag");
_Static_assert(ACD_AEAD_ENGINE_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "engine nonce");
_Static_assert(ACD_AEAD_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "engine tag");
_Static_assert(ACD_AEAD_KEY_SIZE == crypto_core_hchacha20_OUTPUTBYTES, "engine key");
_Static_assert(ACD_SEALED_OVERHEAD == crypto_box_curve25519xchacha20poly1305_SEALBYTES, "sealed box");

acd_status acd_crypto_init(void)
{
    return sodium_init() < 0 ? ACD_ERR_NOT_INITIALISED : ACD_OK;
}

void acd_wipe(void *secret, size_t len)
{
    if (len > 0) {
        sodium_memzero(secret, len);
    }
}

int acd_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || sodium_memcmp(a, b, len) == 0;
}

/* MARK: SHA-256, HMAC, HKDF */

void acd_sha256_parts(uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts, size_t part_count)
{
    crypto_hash_sha256_state state; /* libsodium wipes it: what is hashed may be a key not yet published */
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < part_count; i++) {
        crypto_hash_sha256_update(&state, parts[i].bytes, parts[i].len);
    }
    crypto_hash_sha256_final(&state, out);
}

void acd_sha256(uint8_t out[ACD_HASH_SIZE], const void *bytes, size_t len)
{
    crypto_hash_sha256(out, bytes, len);
}

static int sodium_digest(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts,
                         size_t part_count)
{
    (void)state;
    acd_sha256_parts(out, parts, part_count);
    return 0;
}

const acd_hash_engine acd_hash_sodium = {NULL, sodium_digest, NULL};

acd_status acd_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[ACD_HASH_SIZE],
                           const acd_hash_part *info, size_t info_count)
{
    if (out == NULL || out_len == 0 || out_len > 255u * ACD_HASH_SIZE) {
        return ACD_ERR_MISUSE;
    }
    crypto_auth_hmacsha256_state state; /* secret */
    uint8_t block[ACD_HASH_SIZE];       /* secret */
    uint8_t counter = 0;
    size_t done = 0;
    while (done < out_len) {
        crypto_auth_hmacsha256_init(&state, prk, ACD_HASH_SIZE);
        if (counter > 0) {
            crypto_auth_hmacsha256_update(&state, block, sizeof block);
        }
        for (size_t i = 0; i < info_count; i++) {
            crypto_auth_hmacsha256_update(&state, info[i].bytes, info[i].len);
        }
        counter++; /* at most 255: out_len <= 255 * 32 */
        crypto_auth_hmacsha256_update(&state, &counter, 1);
        crypto_auth_hmacsha256_final(&state, block);
        const size_t take = out_len - done < sizeof block ? out_len - done : sizeof block;
        memcpy(out + done, block, take);
        done += take;
    }
    sodium_memzero(&state, sizeof state);
    sodium_memzero(block, sizeof block);
    return ACD_OK;
}

/* MARK: Ed25519 */

void acd_key_from_seed(uint8_t public_key[ACD_PUBLIC_KEY_SIZE], uint8_t secret_key[ACD_SECRET_KEY_SIZE],
                       const uint8_t seed[ACD_SEED_SIZE])
{
    crypto_sign_seed_keypair(public_key, secret_key, seed);
}

void acd_ed25519_sign(uint8_t signature[ACD_SIGNATURE_SIZE], const void *message, size_t len,
                      const uint8_t secret_key[ACD_SECRET_KEY_SIZE])
{
    crypto_sign_detached(signature, NULL, message, len, secret_key);
}

acd_status acd_ed25519_verify(const uint8_t signature[ACD_SIGNATURE_SIZE], const void *message, size_t len,
                              const uint8_t public_key[ACD_PUBLIC_KEY_SIZE])
{
    return crypto_sign_verify_detached(signature, message, len, public_key) == 0 ? ACD_OK
                                                                                 : ACD_ERR_AUTHENTICATION;
}

acd_status acd_public_key_check(const uint8_t public_key[ACD_PUBLIC_KEY_SIZE])
{
    return crypto_core_ed25519_is_valid_point(public_key) == 1 ? ACD_OK : ACD_ERR_BAD_KEY;
}

/* MARK: Engines */

static int sodium_seal(void *state, uint8_t *out, const uint8_t *plain, size_t len,
                       const uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE])
{
    (void)state;
    return crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, NULL, 0, NULL, nonce, key);
}

static int sodium_open(void *state, uint8_t *out, const uint8_t *sealed, size_t len,
                       const uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE])
{
    (void)state;
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, NULL, sealed, len, sealed + len, NULL, 0,
                                                              nonce, key) == 0
               ? 0
               : 1;
}

const acd_aead_engine acd_aead_sodium = {NULL, sodium_seal, sodium_open};
const acd_engine acd_engine_sodium = {{NULL, sodium_digest, NULL}, {NULL, sodium_seal, sodium_open}};

void acd_aead_subkey(uint8_t subkey[ACD_AEAD_KEY_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE],
                     const uint8_t nonce[ACD_AEAD_NONCE_SIZE])
{
    crypto_core_hchacha20(subkey, nonce, key, NULL);
}

/* MARK: XChaCha20-Poly1305 */

void acd_aead_seal(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t nonce[ACD_AEAD_NONCE_SIZE],
                   const uint8_t key[ACD_AEAD_KEY_SIZE])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain, len, NULL, 0, NULL, nonce, key);
}

acd_status acd_aead_open(uint8_t *out, const uint8_t *sealed, size_t len,
                         const uint8_t nonce[ACD_AEAD_NONCE_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE])
{
    if (len < ACD_AEAD_TAG_SIZE) {
        return ACD_ERR_TRUNCATED;
    }
    const size_t plain_len = len - ACD_AEAD_TAG_SIZE;
    /* Without an output libsodium only checks the tag. With one it would zero the output when the tag is
     * wrong, which in place destroys the caller's ciphertext. */
    if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(NULL, NULL, sealed, plain_len, sealed + plain_len,
                                                            NULL, 0, nonce, key) != 0) {
        return ACD_ERR_AUTHENTICATION;
    }
    /* The same key stream from block 1 on (draft-irtf-cfrg-xchacha s. 2.3), without a second check of the
     * tag. */
    crypto_stream_xchacha20_xor_ic(out, sealed, plain_len, nonce, 1, key);
    return ACD_OK;
}

/* MARK: Sealed boxes */

void acd_box_key_from_seed(uint8_t public_key[32], uint8_t secret_key[32], const uint8_t seed[32])
{
    crypto_box_curve25519xchacha20poly1305_seed_keypair(public_key, secret_key, seed);
}

static void seal_nonce(uint8_t nonce[24], const uint8_t ephemeral[32], const uint8_t recipient[32])
{
    crypto_generichash_state state; /* Not secret: two public keys. */
    crypto_generichash_init(&state, NULL, 0, 24);
    crypto_generichash_update(&state, ephemeral, 32);
    crypto_generichash_update(&state, recipient, 32);
    crypto_generichash_final(&state, nonce, 24);
}

acd_status acd_box_seal(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t recipient[32],
                        const uint8_t ephemeral_seed[32])
{
    uint8_t ephemeral_public[32];
    uint8_t ephemeral_secret[32];
    uint8_t nonce[24];
    acd_box_key_from_seed(ephemeral_public, ephemeral_secret, ephemeral_seed);
    seal_nonce(nonce, ephemeral_public, recipient);
    const int failed =
        crypto_box_curve25519xchacha20poly1305_easy(out + 32, plain, len, nonce, recipient, ephemeral_secret);
    sodium_memzero(ephemeral_secret, sizeof ephemeral_secret);
    if (failed != 0) {
        return ACD_ERR_BAD_KEY; /* a recipient of small order */
    }
    memcpy(out, ephemeral_public, sizeof ephemeral_public);
    return ACD_OK;
}

acd_status acd_box_open(uint8_t *out, const uint8_t *sealed, size_t len, const uint8_t public_key[32],
                        const uint8_t secret_key[32])
{
    if (len < ACD_SEALED_OVERHEAD) {
        return ACD_ERR_TRUNCATED;
    }
    return crypto_box_curve25519xchacha20poly1305_seal_open(out, sealed, len, public_key, secret_key) == 0
               ? ACD_OK
               : ACD_ERR_AUTHENTICATION;
}

acd_status acd_box_reopen(uint8_t *out, const uint8_t *sealed, size_t len, const uint8_t recipient[32],
                          const uint8_t ephemeral_seed[32])
{
    if (len < ACD_SEALED_OVERHEAD) {
        return ACD_ERR_TRUNCATED;
    }
    uint8_t ephemeral_public[32];
    uint8_t ephemeral_secret[32];
    uint8_t nonce[24];
    acd_status status = ACD_ERR_AUTHENTICATION;
    acd_box_key_from_seed(ephemeral_public, ephemeral_secret, ephemeral_seed);
    if (sodium_memcmp(ephemeral_public, sealed, 32) == 0) {
        seal_nonce(nonce, sealed, recipient);
        if (crypto_box_curve25519xchacha20poly1305_open_easy(out, sealed + 32, len - 32, nonce, recipient,
                                                             ephemeral_secret) == 0) {
            status = ACD_OK;
        }
    }
    sodium_memzero(ephemeral_secret, sizeof ephemeral_secret);
    return status;
}
