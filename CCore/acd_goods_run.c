/* acd_goods_run.c: runs of chunks, sealed or opened with the hashes of their leaves.
 * Source: as acd_goods.c.
 *
 * Invariants: the bytes and hashes are those of single chunks, whatever the engine; in the room only sealed
 * chunks are written, and the bytes ahead of them.
 */
#include "acd/goods.h"
#include "acd_internal.h"

#define CHUNK ACD_GOODS_CHUNK_SIZE
#define SEALED_CHUNK ACD_GOODS_SEALED_CHUNK_SIZE

_Static_assert(ACD_GOODS_RUN_AHEAD % 64u == 0 && ACD_GOODS_RUN_STRIDE % 64u == 0, "whole lines of the cache");
_Static_assert(ACD_GOODS_RUN_STRIDE > SEALED_CHUNK, "room for the leaf's prefix");

/* Whether `chunks` chunks of `full` bytes, the last one of `least` to `full`, can have `len` bytes in all. */
static int is_run(size_t len, size_t chunks, size_t full, size_t least)
{
    return chunks > 0 && chunks <= ACD_GOODS_RUN_MAX && len >= (chunks - 1u) * full + least &&
           len <= chunks * full;
}

static acd_status hash_run(acd_hash_engine engine, uint8_t *leaves, uint8_t *room, size_t len, size_t chunks)
{
    acd_merkle_leaf run[ACD_GOODS_RUN_MAX];
    for (size_t i = 0; i < chunks; i++) {
        run[i].data = room + ACD_GOODS_RUN_CHUNK(i);
        run[i].len = i + 1u < chunks ? SEALED_CHUNK : len - i * SEALED_CHUNK;
    }
    return acd_merkle_leaf_hashes(leaves, engine, run, chunks);
}

acd_status acd_goods_seal_run(const acd_goods_keys *keys, acd_engine engine, uint8_t *room,
                              const uint8_t *plain, size_t len, size_t chunks, uint64_t first,
                              uint8_t *leaves)
{
    if (room == NULL || leaves == NULL || acd_is_lacking(plain, len) || !is_run(len, chunks, CHUNK, 0)) {
        return ACD_ERR_MISUSE;
    }
    for (size_t i = 0; i < chunks; i++) {
        const size_t part = i + 1u < chunks ? CHUNK : len - i * CHUNK;
        ACD_TRY(acd_goods_seal_chunk(keys, engine.aead, room + ACD_GOODS_RUN_CHUNK(i),
                                     part > 0 ? plain + i * CHUNK : NULL, part, first + i));
    }
    return hash_run(engine.hash, leaves, room, len + chunks * ACD_AEAD_TAG_SIZE, chunks);
}

acd_status acd_goods_open_run(const acd_goods_keys *keys, acd_engine engine, uint8_t *plain, uint8_t *room,
                              size_t len, size_t chunks, uint64_t first, uint8_t *leaves)
{
    if (room == NULL || leaves == NULL || chunks == 0 || chunks > ACD_GOODS_RUN_MAX) {
        return ACD_ERR_MISUSE;
    }
    if (!is_run(len, chunks, SEALED_CHUNK, ACD_AEAD_TAG_SIZE)) {
        return ACD_ERR_TRUNCATED;
    }
    if (acd_is_lacking(plain, len - chunks * ACD_AEAD_TAG_SIZE)) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(hash_run(engine.hash, leaves, room, len, chunks));
    for (size_t i = 0; i < chunks; i++) {
        const size_t part = i + 1u < chunks ? SEALED_CHUNK : len - i * SEALED_CHUNK;
        ACD_TRY(acd_goods_open_chunk(keys, engine.aead, part > ACD_AEAD_TAG_SIZE ? plain + i * CHUNK : NULL,
                                     room + ACD_GOODS_RUN_CHUNK(i), part, first + i));
    }
    return ACD_OK;
}
