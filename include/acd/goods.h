/* acd/goods.h: sealing and opening goods as streams of any chunk boundary, and one chunk at a time.
 *
 * C2SP chunked-encryption with HKDF-SHA-256 and AEAD_XChaCha20_Poly1305; input key = k, context = n:
 *
 *   key(32) || base nonce(24) || commitment(32) =
 *       HKDF-Expand(k, "c2sp.org/chunked-encryption@v1+AEAD_XChaCha20_Poly1305" || 0x00 || salt(24) || n(16))
 *   sealed = salt(24) || commitment(32) || chunk_0 || chunk_1 || ... || chunk_last
 *
 * Chunks hold 16,384 bytes of plaintext, the last one fewer (perhaps none); chunk i is sealed under base
 * nonce XOR i. The contract commits to the RFC 6962 root over the *ciphertext*: leaf 0 is the 56-byte
 * header, leaf i + 1 is sealed chunk i. So a damaged chunk is found, and proven, alone.
 *
 * Plaintext is released only after its chunk's tag held: where it does not, or the engine fails, the room
 * for the chunk's plaintext is zeroed, so in place the sealed chunk is lost. The caller must not act on the
 * plaintext as a whole before acd_goods_open_finish returned ACD_OK: only then is the end known to be the
 * end.
 */
#ifndef ACD_GOODS_H
#define ACD_GOODS_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/merkle.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_GOODS_KEY_SIZE 32u
#define ACD_GOODS_SALT_SIZE 24u
#define ACD_GOODS_CONTEXT_SIZE 16u /* n */
#define ACD_GOODS_COMMITMENT_SIZE 32u
#define ACD_GOODS_HEADER_SIZE (ACD_GOODS_SALT_SIZE + ACD_GOODS_COMMITMENT_SIZE)
#define ACD_GOODS_CHUNK_SIZE 16384u
#define ACD_GOODS_SEALED_CHUNK_SIZE (ACD_GOODS_CHUNK_SIZE + ACD_AEAD_TAG_SIZE)
#define ACD_GOODS_LENGTH_MAX (UINT64_C(1) << 48) /* plaintext bytes */

/* acd_goods_sealed_length is the sealed length of `length` bytes of goods; 0 if length is over the
 * maximum. */
uint64_t acd_goods_sealed_length(uint64_t length);

/* acd_goods_length is the inverse: fails with ACD_ERR_TRUNCATED on a length that no goods have. */
ACD_MUST_CHECK acd_status acd_goods_length(uint64_t *out_length, uint64_t sealed_length);

/* acd_goods_keys: derived keys, for chunk-wise use from many threads. Secret: wipe with acd_wipe. */
typedef struct acd_goods_keys {
    uint8_t subkey[ACD_AEAD_KEY_SIZE]; /* of key and base nonce: the index changes the nonce's end only */
    uint8_t base_nonce[ACD_AEAD_NONCE_SIZE];
    uint8_t header[ACD_GOODS_HEADER_SIZE]; /* salt || commitment: not secret */
} acd_goods_keys;

/* For sealing: `salt` fresh and random. */
ACD_MUST_CHECK acd_status acd_goods_keys_init(acd_goods_keys *keys, const uint8_t k[ACD_GOODS_KEY_SIZE],
                                              const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                                              const uint8_t salt[ACD_GOODS_SALT_SIZE]);
/* For opening: checks the commitment in the header (ACD_ERR_AUTHENTICATION). */
ACD_MUST_CHECK acd_status acd_goods_keys_open(acd_goods_keys *keys, const uint8_t k[ACD_GOODS_KEY_SIZE],
                                              const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                                              const uint8_t header[ACD_GOODS_HEADER_SIZE]);

/* Chunk `index`, len <= ACD_GOODS_CHUNK_SIZE plaintext bytes; writes len + ACD_AEAD_TAG_SIZE. In place
 * allowed. All chunks but the last are full: the caller's duty here. */
ACD_MUST_CHECK acd_status acd_goods_seal_chunk(const acd_goods_keys *keys, acd_aead_engine engine,
                                               uint8_t *out, const uint8_t *plain, size_t len,
                                               uint64_t index);
ACD_MUST_CHECK acd_status acd_goods_open_chunk(const acd_goods_keys *keys, acd_aead_engine engine,
                                               uint8_t *out, const uint8_t *sealed, size_t len,
                                               uint64_t index);

/* MARK: Runs: up to ACD_GOODS_RUN_MAX consecutive chunks and the hashes of their leaves
 *
 * What engines that hash several messages at once are made for. The sealed chunks of a run stand in a room,
 * not quite one behind the other: sealed chunk i at ACD_GOODS_RUN_CHUNK(i), since the byte ahead of each
 * takes its leaf's prefix. Files are written from such a room, and read into it, by vectors; nothing is
 * copied. All chunks are full but perhaps the last of the goods: the caller's duty. */

#define ACD_GOODS_RUN_MAX 16u
#define ACD_GOODS_RUN_AHEAD 64u     /* ahead of the first chunk */
#define ACD_GOODS_RUN_STRIDE 16448u /* from one to the next: whole lines of the cache */
#define ACD_GOODS_RUN_CHUNK(i) (ACD_GOODS_RUN_AHEAD + (i) * ACD_GOODS_RUN_STRIDE)
#define ACD_GOODS_RUN_ROOM(chunks) ACD_GOODS_RUN_CHUNK(chunks) /* bytes of room for so many chunks */

/* Seals `chunks` chunks, the first of them chunk `first`, from `plain`, which holds them one behind the other
 * in `len` bytes: the last one has what the full ones leave. Writes the sealed chunks into `room` and a hash
 * for each to `leaves`. */
ACD_MUST_CHECK acd_status acd_goods_seal_run(const acd_goods_keys *keys, acd_engine engine, uint8_t *room,
                                             const uint8_t *plain, size_t len, size_t chunks, uint64_t first,
                                             uint8_t *leaves);
/* Opens `chunks` chunks in `room`, which have `len` sealed bytes in all, to `plain`, one behind the other,
 * and writes a hash of each sealed chunk to `leaves`. Fails at the first chunk that is not this sale's in
 * this place: then what came before it in `plain` must not be used. */
ACD_MUST_CHECK acd_status acd_goods_open_run(const acd_goods_keys *keys, acd_engine engine, uint8_t *plain,
                                             uint8_t *room, size_t len, size_t chunks, uint64_t first,
                                             uint8_t *leaves);

/* MARK: Streaming: init -> update* -> finish; an error is sticky and wipes the keys. */

typedef struct acd_goods_stream {
    acd_goods_keys keys;      /* secret */
    acd_aead_engine aead;
    acd_merkle tree;
    uint64_t index;           /* of the chunk being filled */
    uint64_t sealed_length;   /* sealed bytes so far */
    size_t fill;              /* bytes in `chunk` */
    acd_status status;
    uint8_t phase;            /* internal */
    uint8_t k[ACD_GOODS_KEY_SIZE];             /* secret; until the header is read */
    uint8_t context[ACD_GOODS_CONTEXT_SIZE];
    uint8_t chunk[ACD_GOODS_SEALED_CHUNK_SIZE]; /* secret while it holds plaintext */
} acd_goods_stream;

/* The most bytes one update or finish call can write for in_len input bytes. */
#define ACD_GOODS_SEAL_OUT_MAX(in_len) \
    ((in_len) + ((in_len) / ACD_GOODS_CHUNK_SIZE + 2u) * ACD_AEAD_TAG_SIZE + ACD_GOODS_CHUNK_SIZE + \
     ACD_GOODS_HEADER_SIZE)
#define ACD_GOODS_OPEN_OUT_MAX(in_len) ((in_len) + ACD_GOODS_SEALED_CHUNK_SIZE)

ACD_MUST_CHECK acd_status acd_goods_seal_init(acd_goods_stream *stream, acd_engine engine,
                                              const uint8_t k[ACD_GOODS_KEY_SIZE],
                                              const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                                              const uint8_t salt[ACD_GOODS_SALT_SIZE]);
ACD_MUST_CHECK acd_status acd_goods_seal_update(acd_goods_stream *stream, uint8_t *out, size_t out_cap,
                                                size_t *out_len, const void *plain, size_t len);
/* Writes the last chunk, then the root and the sealed length that the contract names; wipes the keys. */
ACD_MUST_CHECK acd_status acd_goods_seal_finish(acd_goods_stream *stream, uint8_t *out, size_t out_cap,
                                                size_t *out_len, uint8_t root[ACD_HASH_SIZE],
                                                uint64_t *out_sealed_length);

ACD_MUST_CHECK acd_status acd_goods_open_init(acd_goods_stream *stream, acd_engine engine,
                                              const uint8_t k[ACD_GOODS_KEY_SIZE],
                                              const uint8_t context[ACD_GOODS_CONTEXT_SIZE]);
ACD_MUST_CHECK acd_status acd_goods_open_update(acd_goods_stream *stream, uint8_t *out, size_t out_cap,
                                                size_t *out_len, const void *sealed, size_t len);
/* Opens the last chunk and fails unless the whole ciphertext has this root and length. */
ACD_MUST_CHECK acd_status acd_goods_open_finish(acd_goods_stream *stream, uint8_t *out, size_t out_cap,
                                                size_t *out_len, const uint8_t root[ACD_HASH_SIZE],
                                                uint64_t sealed_length);

/* acd_goods_check: the root of a ciphertext without any key, streaming, to be compared with the contract
 * before paying. Uses the same struct: check_init -> check_update* -> check_finish. */
void acd_goods_check_init(acd_goods_stream *stream, acd_hash_engine engine);
ACD_MUST_CHECK acd_status acd_goods_check_update(acd_goods_stream *stream, const void *sealed, size_t len);
ACD_MUST_CHECK acd_status acd_goods_check_finish(acd_goods_stream *stream, uint8_t root[ACD_HASH_SIZE],
                                                 uint64_t *out_sealed_length);

void acd_goods_stream_wipe(acd_goods_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
