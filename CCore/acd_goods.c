/* acd_goods.c: sealing and opening goods, chunk by chunk or as a stream.
 * Source: C2SP chunked-encryption with HKDF-SHA-256 and AEAD_XChaCha20_Poly1305; RFC 6962 over the
 * ciphertext.
 *
 * Invariants: every chunk but the last is full, and the last is never full, so a full chunk can be finished
 * as soon as it is there. The room for a call's whole output is checked before its first byte is written.
 * Whole chunks go straight from the caller's input to its output; only a piece of a chunk waits in
 * stream->chunk. An error wipes the stream and stays.
 */
#include "acd/goods.h"
#include <string.h>
#include "acd_internal.h"

#define CHUNK ACD_GOODS_CHUNK_SIZE
#define SEALED_CHUNK ACD_GOODS_SEALED_CHUNK_SIZE
#define HEADER ACD_GOODS_HEADER_SIZE
#define INDEX_MAX (ACD_GOODS_LENGTH_MAX / CHUNK) /* 2^34, below the format's 2^38 */

_Static_assert(sizeof(acd_goods_stream) <= 19u * 1024u, "one chunk, a tree and the keys");
_Static_assert(ACD_GOODS_SALT_SIZE == 24 && ACD_GOODS_COMMITMENT_SIZE == 32, "C2SP chunked-encryption");

/* MARK: Lengths */

uint64_t acd_goods_sealed_length(uint64_t length)
{
    if (length > ACD_GOODS_LENGTH_MAX) {
        return 0;
    }
    return HEADER + length + (length / CHUNK + 1u) * ACD_AEAD_TAG_SIZE;
}

acd_status acd_goods_length(uint64_t *out_length, uint64_t sealed_length)
{
    if (out_length == NULL) {
        return ACD_ERR_MISUSE;
    }
    if (sealed_length < HEADER) {
        return ACD_ERR_TRUNCATED;
    }
    uint64_t full = (sealed_length - HEADER) / SEALED_CHUNK;
    uint64_t last = (sealed_length - HEADER) % SEALED_CHUNK;
    if (last < ACD_AEAD_TAG_SIZE) {
        return ACD_ERR_TRUNCATED;
    }
    uint64_t length = full * CHUNK + last - ACD_AEAD_TAG_SIZE; /* less than sealed_length */
    if (length > ACD_GOODS_LENGTH_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    *out_length = length;
    return ACD_OK;
}

/* MARK: Keys and single chunks */

acd_status acd_goods_keys_init(acd_goods_keys *keys, const uint8_t k[ACD_GOODS_KEY_SIZE],
                               const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                               const uint8_t salt[ACD_GOODS_SALT_SIZE])
{
    /* The terminating zero byte is part of the format. */
    static const char label[] = "c2sp.org/chunked-encryption@v1+AEAD_XChaCha20_Poly1305";
    if (keys == NULL || k == NULL || context == NULL || salt == NULL) {
        return ACD_ERR_MISUSE;
    }
    const acd_hash_part info[] = {
        {label, sizeof label}, {salt, ACD_GOODS_SALT_SIZE}, {context, ACD_GOODS_CONTEXT_SIZE}};
    uint8_t derived[ACD_AEAD_KEY_SIZE + ACD_AEAD_NONCE_SIZE + ACD_GOODS_COMMITMENT_SIZE]; /* secret */
    ACD_TRY(acd_hkdf_expand(derived, sizeof derived, k, info, 3));
    memcpy(keys->base_nonce, derived + ACD_AEAD_KEY_SIZE, ACD_AEAD_NONCE_SIZE);
    acd_aead_subkey(keys->subkey, derived, keys->base_nonce);
    memcpy(keys->header, salt, ACD_GOODS_SALT_SIZE);
    memcpy(keys->header + ACD_GOODS_SALT_SIZE, derived + ACD_AEAD_KEY_SIZE + ACD_AEAD_NONCE_SIZE,
           ACD_GOODS_COMMITMENT_SIZE);
    acd_wipe(derived, sizeof derived);
    return ACD_OK;
}

acd_status acd_goods_keys_open(acd_goods_keys *keys, const uint8_t k[ACD_GOODS_KEY_SIZE],
                               const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                               const uint8_t header[ACD_GOODS_HEADER_SIZE])
{
    if (keys == NULL || header == NULL) {
        return ACD_ERR_MISUSE;
    }
    acd_goods_keys derived; /* secret */
    ACD_TRY(acd_goods_keys_init(&derived, k, context, header));
    int holds = acd_equal(derived.header, header, HEADER);
    if (holds) {
        *keys = derived;
    }
    acd_wipe(&derived, sizeof derived);
    return holds ? ACD_OK : ACD_ERR_AUTHENTICATION;
}

/* Base nonce XOR index, the index as a big-endian integer as wide as the nonce. Its 64 bits touch no other
 * bytes than those that the engine's nonce takes; the first 16 went into the subkey. */
static void chunk_nonce(uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE], const acd_goods_keys *keys, uint64_t index)
{
    memset(nonce, 0, 4);
    memcpy(nonce + 4, keys->base_nonce + 16, 8);
    for (size_t i = 0; i < 8u; i++) {
        nonce[ACD_AEAD_ENGINE_NONCE_SIZE - 1u - i] ^= (uint8_t)(index >> (8u * i) & 0xffu);
    }
}

acd_status acd_goods_seal_chunk(const acd_goods_keys *keys, acd_aead_engine engine, uint8_t *out,
                                const uint8_t *plain, size_t len, uint64_t index)
{
    if (keys == NULL || engine.seal == NULL || out == NULL || acd_is_lacking(plain, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len > CHUNK || index > INDEX_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE];
    chunk_nonce(nonce, keys, index);
    if (engine.seal(engine.state, out, plain, len, nonce, keys->subkey) != 0) {
        acd_wipe(out, len + ACD_AEAD_TAG_SIZE); /* nobody knows what it holds: perhaps plaintext */
        return ACD_ERR_MISUSE;
    }
    return ACD_OK;
}

acd_status acd_goods_open_chunk(const acd_goods_keys *keys, acd_aead_engine engine, uint8_t *out,
                                const uint8_t *sealed, size_t len, uint64_t index)
{
    if (keys == NULL || engine.open == NULL || acd_is_lacking(sealed, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len < ACD_AEAD_TAG_SIZE) {
        return ACD_ERR_TRUNCATED;
    }
    if (len > SEALED_CHUNK || index > INDEX_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if (acd_is_lacking(out, len - ACD_AEAD_TAG_SIZE)) {
        return ACD_ERR_MISUSE;
    }
    const size_t plain_len = len - ACD_AEAD_TAG_SIZE;
    uint8_t nonce[ACD_AEAD_ENGINE_NONCE_SIZE];
    chunk_nonce(nonce, keys, index);
    const int failed = engine.open(engine.state, out, sealed, plain_len, nonce, keys->subkey);
    if (failed != 0) {
        acd_wipe(out, plain_len); /* some engines write before they know the tag */
        return failed == 1 ? ACD_ERR_AUTHENTICATION : ACD_ERR_MISUSE;
    }
    return ACD_OK;
}

/* MARK: Streams */

/* stream->phase. A wiped or finished stream is in none of these, and every call on it is misuse. */
enum { SEAL_START = 1, SEAL_CHUNKS, OPEN_HEADER, OPEN_CHUNKS, CHECK_HEADER, CHECK_CHUNKS };

void acd_goods_stream_wipe(acd_goods_stream *stream)
{
    acd_wipe(stream, sizeof *stream);
}

/* Keeps the first error and wipes the rest. */
static acd_status fail(acd_goods_stream *stream, acd_status status)
{
    acd_goods_stream_wipe(stream);
    stream->status = status;
    return status;
}

/* The stream's own error; misuse if it is in neither of the two phases that a call is for. */
static acd_status check_phase(const acd_goods_stream *stream, uint8_t first, uint8_t second)
{
    if (stream->status != ACD_OK) {
        return stream->status;
    }
    return stream->phase == first || stream->phase == second ? ACD_OK : ACD_ERR_MISUSE;
}

static void start(acd_goods_stream *stream, acd_hash_engine hash, uint8_t phase)
{
    memset(stream, 0, sizeof *stream);
    acd_merkle_init(&stream->tree, hash);
    stream->phase = phase;
}

/* Makes `sealed` a leaf of the tree: the header, or a chunk. */
static acd_status append_leaf(acd_goods_stream *stream, const uint8_t *sealed, size_t len)
{
    ACD_TRY(acd_merkle_append(&stream->tree, sealed, len));
    stream->sealed_length += len;
    return ACD_OK;
}

/* Moves input to stream->chunk until that holds `full` bytes. */
static void fill(acd_goods_stream *stream, const uint8_t **in, size_t *len, size_t full)
{
    size_t take = full - stream->fill < *len ? full - stream->fill : *len;
    if (take > 0) {
        memcpy(stream->chunk + stream->fill, *in, take);
        *in += take;
        *len -= take;
        stream->fill += take;
    }
}

/* The next full unit of `full` bytes: in the caller's input if it stands there whole, else from stream->chunk
 * once that is full; NULL when the input is used up first. */
static const uint8_t *next_unit(acd_goods_stream *stream, const uint8_t **in, size_t *len, size_t full)
{
    if (stream->fill == 0 && *len >= full) {
        const uint8_t *unit = *in;
        *in += full;
        *len -= full;
        return unit;
    }
    fill(stream, in, len, full);
    if (stream->fill < full) {
        return NULL;
    }
    stream->fill = 0;
    return stream->chunk;
}

/* MARK: Sealing */

acd_status acd_goods_seal_init(acd_goods_stream *stream, acd_engine engine,
                               const uint8_t k[ACD_GOODS_KEY_SIZE],
                               const uint8_t context[ACD_GOODS_CONTEXT_SIZE],
                               const uint8_t salt[ACD_GOODS_SALT_SIZE])
{
    if (stream == NULL) {
        return ACD_ERR_MISUSE;
    }
    start(stream, engine.hash, SEAL_START);
    stream->aead = engine.aead;
    acd_status status = acd_goods_keys_init(&stream->keys, k, context, salt);
    return status == ACD_OK ? ACD_OK : fail(stream, status);
}

/* Writes the header before anything else. */
static acd_status seal_header(acd_goods_stream *stream, uint8_t *out, size_t *written)
{
    if (stream->phase == SEAL_START) {
        memcpy(out, stream->keys.header, HEADER);
        ACD_TRY(append_leaf(stream, out, HEADER));
        *written += HEADER;
        stream->phase = SEAL_CHUNKS;
    }
    return ACD_OK;
}

static acd_status seal_one(acd_goods_stream *stream, uint8_t *out, const uint8_t *plain, size_t len)
{
    ACD_TRY(acd_goods_seal_chunk(&stream->keys, stream->aead, out, plain, len, stream->index));
    ACD_TRY(append_leaf(stream, out, len + ACD_AEAD_TAG_SIZE));
    stream->index++;
    return ACD_OK;
}

static acd_status seal_run(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *written,
                           const uint8_t *plain, size_t len)
{
    uint64_t before = stream->index * CHUNK + stream->fill;
    if (len > ACD_GOODS_LENGTH_MAX - before) {
        return ACD_ERR_TOO_LARGE;
    }
    size_t chunks = (stream->fill + len) / CHUNK;
    size_t header = stream->phase == SEAL_START ? HEADER : 0;
    if (out_cap < header || (out_cap - header) / SEALED_CHUNK < chunks) {
        return ACD_ERR_NO_SPACE;
    }
    if (acd_is_lacking(out, header + chunks)) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(seal_header(stream, out, written));
    for (;;) {
        const uint8_t *unit = next_unit(stream, &plain, &len, CHUNK);
        if (unit == NULL) {
            return ACD_OK;
        }
        ACD_TRY(seal_one(stream, out + *written, unit, CHUNK));
        *written += SEALED_CHUNK;
    }
}

acd_status acd_goods_seal_update(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *out_len,
                                 const void *plain, size_t len)
{
    if (stream == NULL || out_len == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, SEAL_START, SEAL_CHUNKS));
    size_t written = 0;
    acd_status status =
        acd_is_lacking(plain, len) ? ACD_ERR_MISUSE : seal_run(stream, out, out_cap, &written, plain, len);
    if (status != ACD_OK) {
        return fail(stream, status);
    }
    *out_len = written;
    return ACD_OK;
}

acd_status acd_goods_seal_finish(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *out_len,
                                 uint8_t root[ACD_HASH_SIZE], uint64_t *out_sealed_length)
{
    if (stream == NULL || out_len == NULL || root == NULL || out_sealed_length == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, SEAL_START, SEAL_CHUNKS));
    size_t needed = (stream->phase == SEAL_START ? HEADER : 0) + stream->fill + ACD_AEAD_TAG_SIZE;
    size_t written = 0;
    uint8_t tree_root[ACD_HASH_SIZE];
    acd_status status = out_cap < needed ? ACD_ERR_NO_SPACE : out == NULL ? ACD_ERR_MISUSE : ACD_OK;
    if (status == ACD_OK) {
        status = seal_header(stream, out, &written);
    }
    if (status == ACD_OK) {
        status = seal_one(stream, out + written, stream->chunk, stream->fill);
    }
    if (status == ACD_OK) {
        status = acd_merkle_root(&stream->tree, tree_root);
    }
    if (status != ACD_OK) {
        return fail(stream, status);
    }
    memcpy(root, tree_root, sizeof tree_root);
    *out_sealed_length = stream->sealed_length;
    *out_len = needed;
    acd_goods_stream_wipe(stream);
    return ACD_OK;
}

/* MARK: Opening */

acd_status acd_goods_open_init(acd_goods_stream *stream, acd_engine engine,
                               const uint8_t k[ACD_GOODS_KEY_SIZE],
                               const uint8_t context[ACD_GOODS_CONTEXT_SIZE])
{
    if (stream == NULL || k == NULL || context == NULL) {
        return ACD_ERR_MISUSE;
    }
    start(stream, engine.hash, OPEN_HEADER);
    stream->aead = engine.aead;
    memcpy(stream->k, k, sizeof stream->k);
    memcpy(stream->context, context, sizeof stream->context);
    return ACD_OK;
}

/* Takes the header from the input; the phase moves on once it is whole and its commitment holds. */
static acd_status take_header(acd_goods_stream *stream, const uint8_t **in, size_t *len)
{
    const uint8_t *header = next_unit(stream, in, len, HEADER);
    if (header == NULL) {
        return ACD_OK;
    }
    if (stream->phase == OPEN_HEADER) {
        ACD_TRY(acd_goods_keys_open(&stream->keys, stream->k, stream->context, header));
        acd_wipe(stream->k, sizeof stream->k);
    }
    stream->phase++;
    return append_leaf(stream, header, HEADER);
}

static acd_status open_run(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *written,
                           const uint8_t *sealed, size_t len)
{
    if (stream->phase == OPEN_HEADER) {
        ACD_TRY(take_header(stream, &sealed, &len));
        if (stream->phase == OPEN_HEADER) {
            return ACD_OK;
        }
    }
    /* No overflow: `fill` is less than a chunk, and `len` bytes are in memory. */
    size_t chunks = (stream->fill + len) / SEALED_CHUNK;
    if (out_cap / CHUNK < chunks) {
        return ACD_ERR_NO_SPACE;
    }
    if (acd_is_lacking(out, chunks)) {
        return ACD_ERR_MISUSE;
    }
    for (;;) {
        const uint8_t *unit = next_unit(stream, &sealed, &len, SEALED_CHUNK);
        if (unit == NULL) {
            return ACD_OK;
        }
        ACD_TRY(append_leaf(stream, unit, SEALED_CHUNK));
        ACD_TRY(acd_goods_open_chunk(&stream->keys, stream->aead, out + *written, unit, SEALED_CHUNK,
                                     stream->index));
        stream->index++;
        *written += CHUNK;
    }
}

acd_status acd_goods_open_update(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *out_len,
                                 const void *sealed, size_t len)
{
    if (stream == NULL || out_len == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, OPEN_HEADER, OPEN_CHUNKS));
    size_t written = 0;
    acd_status status =
        acd_is_lacking(sealed, len) ? ACD_ERR_MISUSE : open_run(stream, out, out_cap, &written, sealed, len);
    if (status != ACD_OK) {
        return fail(stream, status);
    }
    *out_len = written;
    return ACD_OK;
}

/* The last piece becomes the last leaf; then root and length are final. */
static acd_status finish_tree(acd_goods_stream *stream, uint8_t chunks_phase, uint8_t root[ACD_HASH_SIZE])
{
    if (stream->phase != chunks_phase || stream->fill < ACD_AEAD_TAG_SIZE) {
        return ACD_ERR_TRUNCATED;
    }
    ACD_TRY(append_leaf(stream, stream->chunk, stream->fill));
    return acd_merkle_root(&stream->tree, root);
}

acd_status acd_goods_open_finish(acd_goods_stream *stream, uint8_t *out, size_t out_cap, size_t *out_len,
                                 const uint8_t root[ACD_HASH_SIZE], uint64_t sealed_length)
{
    if (stream == NULL || out_len == NULL || root == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, OPEN_HEADER, OPEN_CHUNKS));
    uint8_t tree_root[ACD_HASH_SIZE];
    size_t sealed_fill = stream->fill;
    acd_status status = finish_tree(stream, OPEN_CHUNKS, tree_root);
    size_t last = status == ACD_OK ? sealed_fill - ACD_AEAD_TAG_SIZE : 0;
    if (status == ACD_OK &&
        (stream->sealed_length != sealed_length || !acd_equal(tree_root, root, sizeof tree_root))) {
        status = ACD_ERR_AUTHENTICATION;
    }
    if (status == ACD_OK) {
        status = out_cap < last ? ACD_ERR_NO_SPACE
                                : acd_goods_open_chunk(&stream->keys, stream->aead, out, stream->chunk,
                                                       sealed_fill, stream->index);
    }
    if (status != ACD_OK) {
        return fail(stream, status);
    }
    *out_len = last;
    acd_goods_stream_wipe(stream);
    return ACD_OK;
}

/* MARK: Checking without a key */

void acd_goods_check_init(acd_goods_stream *stream, acd_hash_engine engine)
{
    start(stream, engine, CHECK_HEADER);
}

static acd_status check_run(acd_goods_stream *stream, const uint8_t *sealed, size_t len)
{
    if (stream->phase == CHECK_HEADER) {
        ACD_TRY(take_header(stream, &sealed, &len));
        if (stream->phase == CHECK_HEADER) {
            return ACD_OK;
        }
    }
    for (;;) {
        const uint8_t *unit = next_unit(stream, &sealed, &len, SEALED_CHUNK);
        if (unit == NULL) {
            return ACD_OK;
        }
        if (stream->index >= INDEX_MAX) {
            return ACD_ERR_TOO_LARGE;
        }
        ACD_TRY(append_leaf(stream, unit, SEALED_CHUNK));
        stream->index++;
    }
}

acd_status acd_goods_check_update(acd_goods_stream *stream, const void *sealed, size_t len)
{
    if (stream == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, CHECK_HEADER, CHECK_CHUNKS));
    acd_status status = acd_is_lacking(sealed, len) ? ACD_ERR_MISUSE : check_run(stream, sealed, len);
    return status == ACD_OK ? ACD_OK : fail(stream, status);
}

acd_status acd_goods_check_finish(acd_goods_stream *stream, uint8_t root[ACD_HASH_SIZE],
                                  uint64_t *out_sealed_length)
{
    if (stream == NULL || root == NULL || out_sealed_length == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_phase(stream, CHECK_HEADER, CHECK_CHUNKS));
    uint8_t tree_root[ACD_HASH_SIZE];
    acd_status status = finish_tree(stream, CHECK_CHUNKS, tree_root);
    if (status != ACD_OK) {
        return fail(stream, status);
    }
    memcpy(root, tree_root, sizeof tree_root);
    *out_sealed_length = stream->sealed_length;
    acd_goods_stream_wipe(stream);
    return ACD_OK;
}
