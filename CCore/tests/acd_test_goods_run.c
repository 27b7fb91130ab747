/* acd_test_goods_run.c: runs of chunks are the stream's goods, whether the engine hashes message by message
 * or several at once; what is not this sale's is refused; an engine that fails ends the call. */
#include "acd_test.h"

#define CHUNK ACD_GOODS_CHUNK_SIZE
#define SEALED_CHUNK ACD_GOODS_SEALED_CHUNK_SIZE
#define LENGTH_MAX (ACD_GOODS_RUN_MAX * CHUNK + 1u)
#define SEALED_MAX (LENGTH_MAX + 1024u)

static const uint8_t k[ACD_GOODS_KEY_SIZE] = {1, 2, 3};
static const uint8_t context[ACD_GOODS_CONTEXT_SIZE] = {4, 5, 6};
static const uint8_t salt[ACD_GOODS_SALT_SIZE] = {7, 8, 9};
static uint8_t plain[LENGTH_MAX];
static uint8_t opened[LENGTH_MAX];
static uint8_t whole[SEALED_MAX]; /* as the stream seals it */
static uint8_t sealed[SEALED_MAX];
static uint8_t room[ACD_GOODS_RUN_ROOM(ACD_GOODS_RUN_MAX)];
static uint8_t leaves[ACD_GOODS_RUN_MAX * ACD_HASH_SIZE];

/* MARK: An engine that takes several messages at once */

static size_t most_at_once;
static int failures; /* calls that still succeed, if not negative */

static int digest_many(void *state, uint8_t *out, const acd_hash_part *messages, size_t count)
{
    (void)state;
    if (failures >= 0 && failures-- == 0) {
        return 1;
    }
    most_at_once = count > most_at_once ? count : most_at_once;
    for (size_t i = 0; i < count; i++) {
        acd_sha256(out + i * ACD_HASH_SIZE, messages[i].bytes, messages[i].len);
    }
    return 0;
}

static int digest(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts, size_t part_count)
{
    (void)state;
    acd_sha256_parts(out, parts, part_count);
    return 0;
}

static acd_engine many(void)
{
    const acd_engine engine = {{NULL, digest, digest_many}, acd_aead_sodium};
    failures = -1;
    return engine;
}

/* MARK: The same goods */

static size_t seal_stream(size_t len, uint8_t root[ACD_HASH_SIZE])
{
    static acd_goods_stream stream;
    size_t first = 0;
    size_t rest = 0;
    uint64_t total = 0;
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_OK, acd_goods_seal_update(&stream, whole, SEALED_MAX, &first, plain, len));
    CHECK_STATUS(ACD_OK, acd_goods_seal_finish(&stream, whole + first, SEALED_MAX - first, &rest, root,
                                               &total));
    return (size_t)total;
}

/* How many sealed bytes chunk i of a run has, `len` bytes and `chunks` chunks long. */
static size_t sealed_part(size_t len, size_t chunks, size_t i)
{
    return (i + 1 < chunks ? CHUNK : len - i * CHUNK) + ACD_AEAD_TAG_SIZE;
}

/* Seals runs of `run` chunks, opens each, and lays the sealed chunks one behind the other. */
static void seal_in_runs(const acd_goods_keys *keys, acd_engine engine, size_t len, size_t run,
                         acd_merkle *tree)
{
    uint8_t *at = sealed + ACD_GOODS_HEADER_SIZE;
    const size_t count = len / CHUNK + 1;
    for (size_t first = 0; first < count; first += run) {
        const size_t chunks = count - first < run ? count - first : run;
        const size_t rest = len - first * CHUNK;
        const size_t part = rest < chunks * CHUNK ? rest : chunks * CHUNK;
        memset(room, 0xee, sizeof room);
        CHECK_STATUS(ACD_OK, acd_goods_seal_run(keys, engine, room, plain + first * CHUNK, part, chunks,
                                                first, leaves));
        for (size_t i = 0; i < chunks; i++) {
            const size_t bytes = sealed_part(part, chunks, i);
            memcpy(at, room + ACD_GOODS_RUN_CHUNK(i), bytes);
            at += bytes;
            CHECK_STATUS(ACD_OK, acd_merkle_append_hash(tree, leaves + i * ACD_HASH_SIZE));
        }
        uint8_t again[sizeof leaves];
        memset(opened, 0xee, sizeof opened);
        CHECK_STATUS(ACD_OK, acd_goods_open_run(keys, engine, opened, room, part + chunks * ACD_AEAD_TAG_SIZE,
                                                chunks, first, again));
        CHECK_BYTES(opened, plain + first * CHUNK, part);
        CHECK(part == sizeof opened || opened[part] == 0xee);
        CHECK_BYTES(again, leaves, chunks * ACD_HASH_SIZE);
    }
}

static void runs_are_the_goods_of_the_stream(void)
{
    static const size_t lengths[] = {0,         1,         CHUNK - 1,  CHUNK,          CHUNK + 1,
                                     4 * CHUNK, 5 * CHUNK + 1, 16 * CHUNK - 1, LENGTH_MAX - 1, LENGTH_MAX};
    static const size_t runs[] = {1, 3, 4, ACD_GOODS_RUN_MAX};
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t root[ACD_HASH_SIZE];
        const size_t total = seal_stream(lengths[i], root);
        for (size_t j = 0; j < 2 * sizeof runs / sizeof runs[0]; j++) {
            const acd_engine engine = j % 2 == 0 ? acd_engine_sodium : many();
            uint8_t other[ACD_HASH_SIZE];
            acd_merkle tree;
            most_at_once = 0;
            memcpy(sealed, keys.header, ACD_GOODS_HEADER_SIZE);
            acd_merkle_init(&tree, engine.hash);
            CHECK_STATUS(ACD_OK, acd_merkle_append(&tree, sealed, ACD_GOODS_HEADER_SIZE));
            seal_in_runs(&keys, engine, lengths[i], runs[j / 2], &tree);
            CHECK_STATUS(ACD_OK, acd_merkle_root(&tree, other));
            CHECK_BYTES(sealed, whole, total);
            CHECK_BYTES(other, root, sizeof root);
            const size_t count = lengths[i] / CHUNK + 1;
            CHECK(most_at_once == (j % 2 == 0 ? 0 : count < runs[j / 2] ? count : runs[j / 2]));
        }
    }
}

static void leaf_hashes_at_once_are_those_of_single_leaves(void)
{
    static uint8_t data[40][41];
    acd_merkle_leaf list[40];
    uint8_t out[40 * ACD_HASH_SIZE];
    uint8_t expected[ACD_HASH_SIZE];
    for (size_t i = 0; i < 40; i++) {
        memset(data[i], (int)i + 1, sizeof data[i]);
        list[i] = (acd_merkle_leaf){data[i] + 1, i};
    }
    for (size_t count = 0; count <= 40; count++) {
        memset(out, 0xee, sizeof out);
        CHECK_STATUS(ACD_OK, acd_merkle_leaf_hashes(out, many().hash, list, count));
        CHECK(count == 40 || out[count * ACD_HASH_SIZE] == 0xee);
        for (size_t i = 0; i < count; i++) {
            CHECK_STATUS(ACD_OK, acd_merkle_leaf_hash(expected, acd_hash_sodium, data[i] + 1, i));
            CHECK_BYTES(out + i * ACD_HASH_SIZE, expected, sizeof expected);
        }
    }
}

/* MARK: Failures */

static void what_is_not_this_sales_is_refused(void)
{
    static const size_t len = 3 * CHUNK + 100;
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    CHECK_STATUS(ACD_OK, acd_goods_seal_run(&keys, many(), room, plain, len, 4, 7, leaves));
    const size_t total = len + 4 * ACD_AEAD_TAG_SIZE;
    for (size_t i = 0; i < 4; i++) {
        uint8_t *byte = room + ACD_GOODS_RUN_CHUNK(i) + sealed_part(len, 4, i) - 1;
        *byte ^= 1;
        memset(opened, 0xee, sizeof opened);
        CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                     acd_goods_open_run(&keys, many(), opened, room, total, 4, 7, leaves));
        CHECK_BYTES(opened, plain, i * CHUNK);
        for (size_t at = i * CHUNK; at < (i < 3 ? (i + 1) * CHUNK : len); at++) {
            CHECK(opened[at] == 0);
        }
        *byte ^= 1;
    }
    CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                 acd_goods_open_run(&keys, many(), opened, room, total, 4, 6, leaves));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                 acd_goods_open_run(&keys, many(), opened, room, total - 1, 4, 7, leaves));
    CHECK_STATUS(ACD_OK, acd_goods_open_run(&keys, many(), opened, room, total, 4, 7, leaves));
    CHECK_BYTES(opened, plain, len);
}

static void lengths_that_no_run_has_are_refused(void)
{
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    const acd_engine engine = acd_engine_sodium;
    const size_t most = ACD_GOODS_RUN_MAX;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, plain, 0, 0, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, plain, CHUNK + 1, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, plain, CHUNK - 1, 2, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_goods_seal_run(&keys, engine, room, plain, most * CHUNK, most + 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, NULL, plain, 1, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, NULL, 1, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, plain, 1, 1, 0, NULL));
    CHECK_STATUS(ACD_ERR_TOO_LARGE,
                 acd_goods_seal_run(&keys, engine, room, plain, 1, 1, (UINT64_C(1) << 34) + 1, leaves));
    CHECK_STATUS(ACD_OK, acd_goods_seal_run(&keys, engine, room, NULL, 0, 1, 0, leaves));
    CHECK_STATUS(ACD_OK, acd_goods_open_run(&keys, engine, NULL, room, 16, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_goods_open_run(&keys, engine, opened, room, 15, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_TRUNCATED,
                 acd_goods_open_run(&keys, engine, opened, room, SEALED_CHUNK + 15, 2, 0, leaves));
    CHECK_STATUS(ACD_ERR_TRUNCATED,
                 acd_goods_open_run(&keys, engine, opened, room, SEALED_CHUNK + 1, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_run(&keys, engine, NULL, room, 17, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_run(&keys, engine, opened, NULL, 17, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_run(&keys, engine, opened, room, 17, 0, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_goods_open_run(&keys, engine, opened, room, 17, most + 1, 0, leaves));
}

static void a_failing_engine_fails_the_run(void)
{
    const acd_engine engine = many();
    const acd_engine none = {{NULL, NULL, NULL}, acd_aead_sodium};
    const acd_engine no_aead = {engine.hash, {NULL, NULL, NULL}};
    const acd_merkle_leaf absent = {NULL, 0};
    acd_goods_keys keys;
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    failures = 0;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, engine, room, plain, 100, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, none, room, plain, 100, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_run(&keys, no_aead, room, plain, 100, 1, 0, leaves));
    CHECK_STATUS(ACD_OK, acd_goods_seal_run(&keys, engine, room, plain, 100, 1, 0, leaves));
    failures = 0;
    memset(opened, 0xee, 100);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_run(&keys, engine, opened, room, 116, 1, 0, leaves));
    CHECK(opened[0] == 0xee); /* hashed first */
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_run(&keys, no_aead, opened, room, 116, 1, 0, leaves));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_leaf_hashes(leaves, engine.hash, &absent, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_leaf_hashes(NULL, engine.hash, &absent, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_leaf_hashes(leaves, engine.hash, NULL, 1));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 13u + (i >> 7) + 1u);
    }
    RUN(runs_are_the_goods_of_the_stream);
    RUN(leaf_hashes_at_once_are_those_of_single_leaves);
    RUN(what_is_not_this_sales_is_refused);
    RUN(lengths_that_no_run_has_are_refused);
    RUN(a_failing_engine_fails_the_run);
    return TEST_RESULT();
}
