/* acd/crypto.h: the crypto boundary. Ed25519, SHA-256, HMAC and HKDF, XChaCha20-Poly1305 and sealed
 * boxes, all from libsodium; CCore/acd_crypto_sodium.c is the only file that includes <sodium.h>.
 *
 * Ed25519 verification means libsodium's rules everywhere (docs/SPEC.md, "Signatures").
 */
#ifndef ACD_CRYPTO_H
#define ACD_CRYPTO_H

#include <stddef.h>
#include <stdint.h>
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_HASH_SIZE 32u        /* SHA-256 */
#define ACD_SEED_SIZE 32u        /* Ed25519 seed: secret */
#define ACD_SECRET_KEY_SIZE 64u  /* Ed25519 seed || public key, as libsodium has it: secret */
#define ACD_PUBLIC_KEY_SIZE 32u  /* Ed25519 or X25519 */
#define ACD_SIGNATURE_SIZE 64u
#define ACD_AEAD_KEY_SIZE 32u
#define ACD_AEAD_NONCE_SIZE 24u
#define ACD_AEAD_TAG_SIZE 16u
#define ACD_SEALED_OVERHEAD 48u  /* ephemeral X25519 key || tag */

/* acd_crypto_init prepares libsodium. Idempotent; call once before any other function. */
ACD_MUST_CHECK acd_status acd_crypto_init(void);

/* acd_wipe overwrites secret memory; the compiler does not remove it. */
void acd_wipe(void *secret, size_t len);

/* acd_equal compares in constant time; 1 if equal. */
ACD_MUST_CHECK int acd_equal(const void *a, const void *b, size_t len);

/* MARK: SHA-256 */

/* A hash engine. The default is libsodium's; a server hands in OpenSSL's, which is six times as fast.
 * One-shot over up to three parts, concatenated: all that the core needs. `state` is the engine's own,
 * and may be NULL. An engine that fails makes the call that used it fail with ACD_ERR_MISUSE.
 *
 * One stream of SHA-256 leaves most of a processor idle. An engine that hashes several messages at once says
 * so with `digest_many`: it is asked wherever the core has several, each of them in one piece. */
typedef struct acd_hash_part {
    const void *bytes;
    size_t len;
} acd_hash_part;

typedef struct acd_hash_engine {
    void *state;
    /* Writes SHA-256 of the parts' concatenation to `out`. Returns 0, or another value on failure. */
    int (*digest)(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts, size_t part_count);
    /* Writes SHA-256 of each of `count` messages to `out`, one behind the other. Returns 0, or another value
     * on failure. May be NULL: then `digest` is asked for each. */
    int (*digest_many)(void *state, uint8_t *out, const acd_hash_part *messages, size_t count);
} acd_hash_engine;

/* acd_hash_sodium is libsodium's SHA-256. */
extern const acd_hash_engine acd_hash_sodium;

/* acd_sha256 hashes one buffer with libsodium's SHA-256. */
void acd_sha256(uint8_t out[ACD_HASH_SIZE], const void *bytes, size_t len);

/* acd_sha256_parts hashes the concatenation of parts with libsodium's SHA-256. */
void acd_sha256_parts(uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts, size_t part_count);

/* acd_hkdf_expand is HKDF-Expand with HMAC-SHA-256 (RFC 5869 s. 2.3); out_len <= 255 * 32. `prk` is
 * secret. */
ACD_MUST_CHECK acd_status acd_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[ACD_HASH_SIZE],
                                          const acd_hash_part *info, size_t info_count);

/* MARK: Ed25519 (RFC 8032) */

/* acd_key_from_seed expands a seed; both the seed and `secret_key` are secret. */
void acd_key_from_seed(uint8_t public_key[ACD_PUBLIC_KEY_SIZE], uint8_t secret_key[ACD_SECRET_KEY_SIZE],
                       const uint8_t seed[ACD_SEED_SIZE]);

void acd_ed25519_sign(uint8_t signature[ACD_SIGNATURE_SIZE], const void *message, size_t len,
                      const uint8_t secret_key[ACD_SECRET_KEY_SIZE]);

ACD_MUST_CHECK acd_status acd_ed25519_verify(const uint8_t signature[ACD_SIGNATURE_SIZE], const void *message,
                                             size_t len, const uint8_t public_key[ACD_PUBLIC_KEY_SIZE]);

/* acd_public_key_check refuses (ACD_ERR_BAD_KEY) what is not a canonical point of the prime-order group:
 * small and mixed order. Every key is checked once, where it is first registered or trusted. */
ACD_MUST_CHECK acd_status acd_public_key_check(const uint8_t public_key[ACD_PUBLIC_KEY_SIZE]);

/* MARK: Bulk encryption: engines for ChaCha20-Poly1305 (RFC 8439) without associated data
 *
 * XChaCha20-Poly1305 is ChaCha20-Poly1305 under the key HChaCha20(key, nonce[0..16]) and the nonce
 * 0^4 || nonce[16..24] (draft-irtf-cfrg-xchacha s. 2.3). The core makes both; an engine does the rest. */

#define ACD_AEAD_ENGINE_NONCE_SIZE 12u

typedef struct acd_aead_engine {
    void *state; /* the engine's own; may be NULL */
    /* Writes len + ACD_AEAD_TAG_SIZE bytes; `out` may be `plain`. Returns 0, or another value on failure. */
    int (*seal)(void *state, uint8_t *out, const uint8_t *plain, size_t len,
                const uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE]);
    /* Writes len bytes, from len + ACD_AEAD_TAG_SIZE; `out` may be `sealed`. Returns 0; 1 when the tag does
     * not hold; another value on failure. It may write before it knows: what it wrote, the core wipes. */
    int (*open)(void *state, uint8_t *out, const uint8_t *sealed, size_t len,
                const uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE]);
} acd_aead_engine;

/* acd_aead_sodium is libsodium's ChaCha20-Poly1305. */
extern const acd_aead_engine acd_aead_sodium;

/* What goods are hashed and sealed with. Both halves may be used from several threads at once. */
typedef struct acd_engine {
    acd_hash_engine hash;
    acd_aead_engine aead;
} acd_engine;

/* acd_engine_sodium is both of libsodium's. */
extern const acd_engine acd_engine_sodium;

/* acd_aead_subkey is HChaCha20(key, nonce[0..16]): the engine's key. Secret. `subkey` may be `key`. */
void acd_aead_subkey(uint8_t subkey[ACD_AEAD_KEY_SIZE], const uint8_t key[ACD_AEAD_KEY_SIZE],
                     const uint8_t nonce[ACD_AEAD_NONCE_SIZE]);

/* MARK: XChaCha20-Poly1305, no associated data (the nonce and key bind the context) */

/* acd_aead_seal writes len + ACD_AEAD_TAG_SIZE bytes. `out` may be `plain`. */
void acd_aead_seal(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t nonce[ACD_AEAD_NONCE_SIZE],
                   const uint8_t key[ACD_AEAD_KEY_SIZE]);

/* acd_aead_open checks the tag before it writes len - ACD_AEAD_TAG_SIZE bytes. `out` may be `sealed`. */
ACD_MUST_CHECK acd_status acd_aead_open(uint8_t *out, const uint8_t *sealed, size_t len,
                                        const uint8_t nonce[ACD_AEAD_NONCE_SIZE],
                                        const uint8_t key[ACD_AEAD_KEY_SIZE]);

/* MARK: Sealed boxes: P_x(...), anonymous public-key encryption
 *
 * libsodium's crypto_box_curve25519xchacha20poly1305_seal format. The ephemeral key comes from the caller's
 * seed, so that the sender can later open its own message to a judge (docs/SPEC.md, "Sealed messages"). */

/* acd_box_key_from_seed expands a 32-byte seed into an X25519 key pair. */
void acd_box_key_from_seed(uint8_t public_key[32], uint8_t secret_key[32], const uint8_t seed[32]);

/* acd_box_seal writes len + ACD_SEALED_OVERHEAD bytes. `ephemeral_seed` must be fresh, random and secret. */
ACD_MUST_CHECK acd_status acd_box_seal(uint8_t *out, const uint8_t *plain, size_t len,
                                       const uint8_t recipient[32], const uint8_t ephemeral_seed[32]);

/* acd_box_open writes len - ACD_SEALED_OVERHEAD bytes. */
ACD_MUST_CHECK acd_status acd_box_open(uint8_t *out, const uint8_t *sealed, size_t len,
                                       const uint8_t public_key[32], const uint8_t secret_key[32]);

/* acd_box_reopen opens what acd_box_seal made, from the sender's seed and without the recipient's key: for a
 * judge. It fails unless the box was made with this seed for this recipient. */
ACD_MUST_CHECK acd_status acd_box_reopen(uint8_t *out, const uint8_t *sealed, size_t len,
                                         const uint8_t recipient[32], const uint8_t ephemeral_seed[32]);

#ifdef __cplusplus
}
#endif
#endif
