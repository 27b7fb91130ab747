/* acd_test_goods.c: sealed goods. The known answers were computed by another implementation (Python's hmac
 * and PyNaCl) from C2SP chunked-encryption and RFC 6962. */
#include "acd_test.h"

#define LENGTH_COUNT 6u
static const size_t lengths[LENGTH_COUNT] = {0, 1, 16383, 16384, 16385, 100000};
static const char *const known[LENGTH_COUNT][2] =
    {/* SHA-256 of the sealed goods, root */
     {"11492759bc4c0aad1ba0a864f142af5b90f97db0b1279fa859450bdc4360ea66",
      "8a98bb4d29623c0ca52a86fe194d6cce218f2cb1d5f477ea5a205d2d8a575cbb"},
     {"ae099290e94c4e8fc626c992ba978244645ccc9dbcbee9eb40da4c3a697c7381",
      "b921ea2b2f51f649d1650e7afedb6f17f8f89ea1b1eb44ac0a95c411538a1f6c"},
     {"e07fdf663f52be0fb9de3400fad112ee186c760c6ba4a0e6e4a3b2a4464371a4",
      "b8c59a6b1423ec33441031ffaf85a03fd86912dd718d7aeaaed34e6a1e3541c7"},
     {"99fbe693951075687b8edba96aa8a8e412e39a9392a4d6bfc30214f66330947c",
      "acb665acad269811518574f8e82eb66fc897ee8d569054bb4dcff10dab841126"},
     {"4c7d4c1e78e29c230f8d98a6dfddf39c856e70356d4f8fbce7f133e13450c0ca",
      "55d03036d15b5d30527f7c7980857c6fb0872f75266fb1d3abb56e468313bed1"},
     {"e2ab2719df4f1cd8683117e845a1c6a08216067409572c971d4b570c0323f779",
      "9a5a385bc70c8f317dd9426f64d2cbc53c9bd973b17ffd2a45b1b42588a7eec4"}};

#define MAX_LENGTH 100000u
#define MAX_SEALED (MAX_LENGTH + 1024u)

static uint8_t k[ACD_GOODS_KEY_SIZE];
static uint8_t context[ACD_GOODS_CONTEXT_SIZE];
static uint8_t salt[ACD_GOODS_SALT_SIZE];
static uint8_t plain[MAX_LENGTH];
static uint8_t sealed[MAX_SEALED];
static uint8_t opened[MAX_LENGTH + 1];
static acd_goods_stream stream;

static void prepare(void)
{
    for (size_t i = 0; i < MAX_LENGTH; i++) {
        plain[i] = (uint8_t)(i * 7u + (i >> 8));
        if (i < sizeof k) {
            k[i] = (uint8_t)i;
        }
        if (i < sizeof context) {
            context[i] = (uint8_t)(0x20u + i);
        }
        if (i < sizeof salt) {
            salt[i] = (uint8_t)(0x40u + i);
        }
    }
}

/* Seals `length` bytes in steps of `step`, with exactly the room that is needed. */
static uint64_t seal(size_t length, size_t step, uint8_t root[ACD_HASH_SIZE])
{
    uint64_t total = acd_goods_sealed_length(length);
    size_t written = 0;
    size_t out_len = 0;
    uint64_t sealed_length = 0;
    CHECK(total <= MAX_SEALED);
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    for (size_t at = 0; at < length; at += step) {
        size_t take = length - at < step ? length - at : step;
        CHECK_STATUS(ACD_OK, acd_goods_seal_update(&stream, sealed + written, (size_t)total - written,
                                                   &out_len, plain + at, take));
        CHECK(out_len <= ACD_GOODS_SEAL_OUT_MAX(take));
        written += out_len;
    }
    CHECK_STATUS(ACD_OK, acd_goods_seal_finish(&stream, sealed + written, (size_t)total - written, &out_len,
                                               root, &sealed_length));
    CHECK(written + out_len == total && sealed_length == total);
    return total;
}

static acd_status open_goods(size_t total, size_t step, const uint8_t root[ACD_HASH_SIZE], size_t *length)
{
    size_t written = 0;
    size_t out_len = 0;
    acd_status status = acd_goods_open_init(&stream, acd_engine_sodium, k, context);
    for (size_t at = 0; status == ACD_OK && at < total; at += step) {
        size_t take = total - at < step ? total - at : step;
        status = acd_goods_open_update(&stream, opened + written, MAX_LENGTH - written, &out_len, sealed + at,
                                       take);
        written += status == ACD_OK ? out_len : 0;
    }
    if (status == ACD_OK) {
        status =
            acd_goods_open_finish(&stream, opened + written, MAX_LENGTH - written, &out_len, root, total);
        written += status == ACD_OK ? out_len : 0;
    }
    *length = written;
    return status;
}

static acd_status check_goods(size_t total, size_t step, uint8_t root[ACD_HASH_SIZE], uint64_t *length)
{
    acd_goods_check_init(&stream, acd_hash_sodium);
    for (size_t at = 0; at < total; at += step) {
        acd_status status =
            acd_goods_check_update(&stream, sealed + at, total - at < step ? total - at : step);
        if (status != ACD_OK) {
            return status;
        }
    }
    return acd_goods_check_finish(&stream, root, length);
}

static int is_hex(const uint8_t hash[ACD_HASH_SIZE], const char *hex)
{
    char text[2 * ACD_HASH_SIZE + 1];
    for (size_t i = 0; i < ACD_HASH_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", (unsigned)hash[i]);
    }
    return strcmp(text, hex) == 0;
}

static void goods_are_sealed_as_another_implementation_seals_them(void)
{
    for (size_t i = 0; i < LENGTH_COUNT; i++) {
        uint8_t root[ACD_HASH_SIZE];
        uint8_t hash[ACD_HASH_SIZE];
        size_t total = (size_t)seal(lengths[i], MAX_LENGTH, root);
        acd_sha256(hash, sealed, total);
        CHECK(is_hex(hash, known[i][0]));
        CHECK(is_hex(root, known[i][1]));
    }
}

static void any_steps_give_the_same_goods(void)
{
    static const size_t steps[] = {1, 55, 56, 57, 1000, 16384, 16399, 16400, 16401, 16456, 33000};
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        for (size_t i = 0; i < LENGTH_COUNT; i++) {
            uint8_t root[ACD_HASH_SIZE];
            uint8_t checked[ACD_HASH_SIZE];
            uint64_t checked_length = 0;
            size_t length = 0;
            size_t total = (size_t)seal(lengths[i], steps[s], root);
            CHECK(is_hex(root, known[i][1]));
            CHECK_STATUS(ACD_OK, open_goods(total, steps[s], root, &length));
            CHECK(length == lengths[i]);
            CHECK_BYTES(opened, plain, length);
            CHECK_STATUS(ACD_OK, check_goods(total, steps[s], checked, &checked_length));
            CHECK(checked_length == total);
            CHECK_BYTES(checked, root, sizeof checked);
        }
    }
}

static void a_changed_or_shortened_ciphertext_never_finishes(void)
{
    uint8_t root[ACD_HASH_SIZE];
    size_t length = 0;
    size_t total = (size_t)seal(40000, 40000, root);
    static const size_t places[] = {0, 23, 24, 55, 56, 16455, 16456, 32856, 40000};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sealed[places[i]] ^= 0x10;
        CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total, 5000, root, &length));
        sealed[places[i]] ^= 0x10;
    }
    CHECK_STATUS(ACD_OK, open_goods(total, 5000, root, &length));
    static const size_t cuts[] = {0, 1, 55, 56, 57, 71, 56 + 16400, 56 + 16400 + 15};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        CHECK_STATUS(ACD_ERR_TRUNCATED, open_goods(cuts[i], 5000, root, &length));
    }
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total - 1, 5000, root, &length));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total + 1, 5000, root, &length));
    root[0] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total, 5000, root, &length));
}

static void swapped_chunks_are_refused(void)
{
    static uint8_t chunk[ACD_GOODS_SEALED_CHUNK_SIZE];
    uint8_t root[ACD_HASH_SIZE];
    uint64_t total_checked = 0;
    size_t length = 0;
    size_t total = (size_t)seal(40000, 40000, root);
    memcpy(chunk, sealed + 56, sizeof chunk);
    memmove(sealed + 56, sealed + 56 + sizeof chunk, sizeof chunk);
    memcpy(sealed + 56 + sizeof chunk, chunk, sizeof chunk);
    CHECK_STATUS(ACD_OK, check_goods(total, 999, root, &total_checked)); /* even under their own root */
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total, 40000, root, &length));
}

static void the_key_and_the_transaction_are_committed_to(void)
{
    uint8_t root[ACD_HASH_SIZE];
    size_t length = 0;
    size_t total = (size_t)seal(10, 10, root);
    k[5] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total, 1000, root, &length));
    k[5] ^= 1;
    context[5] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_goods(total, 1000, root, &length));
    context[5] ^= 1;
    CHECK_STATUS(ACD_OK, open_goods(total, 1000, root, &length));
}

static void a_wrong_length_in_the_contract_is_noticed(void)
{
    uint8_t root[ACD_HASH_SIZE];
    size_t out_len = 0;
    size_t total = (size_t)seal(10, 10, root);
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_OK, acd_goods_open_update(&stream, opened, MAX_LENGTH, &out_len, sealed, total));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                 acd_goods_open_finish(&stream, opened, MAX_LENGTH, &out_len, root, total + 1));
}

static acd_status seal_chunk(const acd_goods_keys *keys, uint8_t *out, const uint8_t *in, size_t len,
                             uint64_t index)
{
    return acd_goods_seal_chunk(keys, acd_aead_sodium, out, in, len, index);
}

static acd_status open_chunk(const acd_goods_keys *keys, uint8_t *out, const uint8_t *in, size_t len,
                             uint64_t index)
{
    return acd_goods_open_chunk(keys, acd_aead_sodium, out, in, len, index);
}

static void single_chunks_open_in_any_order(void)
{
    uint8_t root[ACD_HASH_SIZE];
    acd_goods_keys keys;
    acd_goods_keys other;
    size_t total = (size_t)seal(40000, 40000, root);
    CHECK_STATUS(ACD_OK, acd_goods_keys_open(&keys, k, context, sealed));
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&other, k, context, salt));
    CHECK_BYTES(&keys, &other, sizeof keys);
    size_t last = total - 56 - 2 * ACD_GOODS_SEALED_CHUNK_SIZE;
    CHECK_STATUS(ACD_OK, open_chunk(&keys, opened, sealed + 56 + 2 * 16400, last, 2));
    CHECK_BYTES(opened, plain + 32768, last - 16);
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, open_chunk(&keys, opened, sealed + 56 + 16400, 16400, 0));
    CHECK_STATUS(ACD_OK, open_chunk(&keys, sealed + 56 + 16400, sealed + 56 + 16400, 16400, 1));
    CHECK_BYTES(sealed + 56 + 16400, plain + 16384, 16384);
    CHECK_STATUS(ACD_OK, seal_chunk(&keys, sealed + 56 + 16400, sealed + 56 + 16400, 16384, 1));
    size_t length = 0;
    CHECK_STATUS(ACD_OK, open_goods(total, 40000, root, &length));
    CHECK_STATUS(ACD_ERR_TRUNCATED, open_chunk(&keys, opened, sealed, 15, 0));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, open_chunk(&keys, opened, sealed, 16401, 0));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, open_chunk(&keys, opened, sealed, 16, (UINT64_C(1) << 34) + 1));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, seal_chunk(&keys, opened, plain, 16385, 0));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, seal_chunk(&keys, opened, plain, 1, (UINT64_C(1) << 34) + 1));
    CHECK_STATUS(ACD_ERR_MISUSE, seal_chunk(NULL, opened, plain, 1, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, open_chunk(NULL, opened, sealed, 16, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, open_chunk(&keys, NULL, sealed, 17, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_keys_init(NULL, k, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_keys_open(&keys, k, context, NULL));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_keys_open(&keys, NULL, context, sealed));
    memset(&other, 0, sizeof other);
    sealed[30] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_goods_keys_open(&other, k, context, sealed));
    CHECK(other.subkey[0] == 0 && other.subkey[1] == 0);
}

static void lengths_convert_both_ways(void)
{
    uint64_t length = 0;
    for (size_t i = 0; i < LENGTH_COUNT; i++) {
        CHECK_STATUS(ACD_OK, acd_goods_length(&length, acd_goods_sealed_length(lengths[i])));
        CHECK(length == lengths[i]);
    }
    CHECK_STATUS(ACD_OK, acd_goods_length(&length, acd_goods_sealed_length(ACD_GOODS_LENGTH_MAX)));
    CHECK(length == ACD_GOODS_LENGTH_MAX);
    CHECK(acd_goods_sealed_length(ACD_GOODS_LENGTH_MAX + 1) == 0);
    CHECK_STATUS(ACD_ERR_TOO_LARGE,
                 acd_goods_length(&length, acd_goods_sealed_length(ACD_GOODS_LENGTH_MAX) + 1));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_goods_length(&length, 0));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_goods_length(&length, 71));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_goods_length(&length, 56 + 16400));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_goods_length(&length, 56 + 16400 + 15));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_length(NULL, 72));
}

static int all_zero(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum |= p[i];
    }
    return sum == 0;
}

static void errors_stay_and_wipe_the_secrets(void)
{
    uint8_t root[ACD_HASH_SIZE];
    uint64_t sealed_length = 0;
    size_t out_len = 77;
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_OK, acd_goods_seal_update(&stream, sealed, MAX_SEALED, &out_len, plain, 100));
    CHECK(!all_zero(stream.keys.subkey, 32) && out_len == 56);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_goods_seal_update(&stream, sealed, 16399, &out_len, plain, 16300));
    CHECK(all_zero(&stream.keys, sizeof stream.keys) && all_zero(stream.chunk, sizeof stream.chunk));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_goods_seal_update(&stream, sealed, MAX_SEALED, &out_len, plain, 1));
    CHECK_STATUS(ACD_ERR_NO_SPACE,
                 acd_goods_seal_finish(&stream, sealed, MAX_SEALED, &out_len, root, &sealed_length));
    (void)seal(10, 10, root);
    CHECK(all_zero(&stream, sizeof stream)); /* finished is wiped too */
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_update(&stream, sealed, MAX_SEALED, &out_len, plain, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_update(&stream, opened, MAX_LENGTH, &out_len, sealed, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_update(&stream, sealed, 1));
}

static void the_calls_of_another_kind_of_stream_are_misuse(void)
{
    uint8_t root[ACD_HASH_SIZE] = {0};
    uint64_t sealed_length = 0;
    size_t out_len = 0;
    acd_goods_check_init(&stream, acd_hash_sodium);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_update(&stream, sealed, MAX_SEALED, &out_len, plain, 1));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_goods_seal_finish(&stream, sealed, MAX_SEALED, &out_len, root, &sealed_length));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_finish(&stream, opened, MAX_LENGTH, &out_len, root, 1));
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_finish(&stream, root, &sealed_length));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_update(&stream, NULL, MAX_SEALED, &out_len, plain, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_init(&stream, acd_engine_sodium, NULL, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_init(NULL, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_init(NULL, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_update(&stream, opened, 1, &out_len, NULL, 1));
    acd_goods_check_init(&stream, acd_hash_sodium);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_update(&stream, NULL, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_update(NULL, NULL, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_finish(NULL, root, &sealed_length));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_update(NULL, sealed, 1, &out_len, plain, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_finish(NULL, sealed, 1, &out_len, root, &sealed_length));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_update(NULL, opened, 1, &out_len, sealed, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_finish(NULL, opened, 1, &out_len, root, 1));
}

static void too_little_room_is_noticed_before_anything_is_written(void)
{
    uint8_t root[ACD_HASH_SIZE];
    uint64_t sealed_length = 0;
    size_t out_len = 0;
    size_t total = (size_t)seal(16384, 16384, root);
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    opened[0] = 0xaa;
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_goods_open_update(&stream, opened, 16383, &out_len, sealed, total));
    CHECK(opened[0] == 0xaa);
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_open_update(&stream, NULL, 16384, &out_len, sealed, total));
    total = (size_t)seal(10, 10, root);
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_OK, acd_goods_open_update(&stream, opened, 0, &out_len, sealed, total));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_goods_open_finish(&stream, opened, 9, &out_len, root, total));
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_ERR_NO_SPACE,
                 acd_goods_seal_finish(&stream, sealed, 71, &out_len, root, &sealed_length));
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_goods_seal_update(&stream, sealed, 55, &out_len, plain, 1));
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_seal_finish(&stream, NULL, 72, &out_len, root, &sealed_length));
}

static void goods_beyond_the_maximum_are_refused(void)
{
    uint8_t root[ACD_HASH_SIZE];
    uint64_t sealed_length = 0;
    size_t out_len = 0;
    size_t total = (size_t)seal(16384, 16384, root);
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    stream.index = UINT64_C(1) << 34; /* as if 2^48 bytes had gone by */
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_goods_seal_update(&stream, sealed, MAX_SEALED, &out_len, plain, 1));
    acd_goods_check_init(&stream, acd_hash_sodium);
    stream.index = UINT64_C(1) << 34;
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_goods_check_update(&stream, sealed, total));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_goods_check_finish(&stream, root, &sealed_length));
}

static int broken_digest(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts,
                         size_t part_count)
{
    (void)out;
    (void)parts;
    (void)part_count;
    int *left = state;
    return (*left)-- <= 0;
}

static void a_failing_hash_engine_fails_the_stream(void)
{
    int left = 0;
    const acd_hash_engine broken = {&left, broken_digest, NULL};
    const acd_engine engine = {broken, acd_aead_sodium};
    uint8_t root[ACD_HASH_SIZE] = {0};
    uint64_t sealed_length = 0;
    size_t out_len = 0;
    size_t total = (size_t)seal(16384, 16384, root);
    for (int calls = 0; calls < 4; calls++) { /* header, chunk with its node, last chunk, root */
        left = calls;
        CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, engine, k, context, salt));
        acd_status status = acd_goods_seal_update(&stream, opened, MAX_LENGTH, &out_len, plain, 16384);
        if (status == ACD_OK) {
            status = acd_goods_seal_finish(&stream, opened, MAX_LENGTH, &out_len, root, &sealed_length);
        }
        CHECK_STATUS(ACD_ERR_MISUSE, status);
        left = calls;
        acd_goods_check_init(&stream, broken);
        status = acd_goods_check_update(&stream, sealed, total);
        CHECK_STATUS(ACD_ERR_MISUSE,
                     status == ACD_OK ? acd_goods_check_finish(&stream, root, &sealed_length) : status);
    }
    const acd_hash_engine none = {NULL, NULL, NULL};
    acd_goods_check_init(&stream, none);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_goods_check_update(&stream, sealed, total));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    prepare();
    RUN(goods_are_sealed_as_another_implementation_seals_them);
    RUN(any_steps_give_the_same_goods);
    RUN(a_changed_or_shortened_ciphertext_never_finishes);
    RUN(swapped_chunks_are_refused);
    RUN(the_key_and_the_transaction_are_committed_to);
    RUN(a_wrong_length_in_the_contract_is_noticed);
    RUN(single_chunks_open_in_any_order);
    RUN(lengths_convert_both_ways);
    RUN(errors_stay_and_wipe_the_secrets);
    RUN(the_calls_of_another_kind_of_stream_are_misuse);
    RUN(too_little_room_is_noticed_before_anything_is_written);
    RUN(goods_beyond_the_maximum_are_refused);
    RUN(a_failing_hash_engine_fails_the_stream);
    return TEST_RESULT();
}
