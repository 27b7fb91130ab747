/* acd_fuzz_goods.c: the input is a step and sealed goods: opened and checked in steps. Whatever opens under
 * the root that acd_goods_check found, seals again to the same bytes. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static acd_goods_stream stream;
static const uint8_t k[ACD_GOODS_KEY_SIZE];
static const uint8_t context[ACD_GOODS_CONTEXT_SIZE];

/* The root of the input, read in steps; 0 when these are no goods. */
static int check(const uint8_t *data, size_t size, size_t step, uint8_t root[ACD_HASH_SIZE])
{
    uint64_t sealed_length = 0;
    acd_goods_check_init(&stream, acd_hash_sodium);
    for (size_t at = 0; at < size; at += step) {
        if (acd_goods_check_update(&stream, data + at, size - at < step ? size - at : step) != ACD_OK) {
            return 0;
        }
    }
    return acd_goods_check_finish(&stream, root, &sealed_length) == ACD_OK && sealed_length == size;
}

static int open_all(const uint8_t *data, size_t size, size_t step, uint8_t *out, size_t *length,
                    const uint8_t root[ACD_HASH_SIZE])
{
    size_t written = 0;
    size_t len = 0;
    if (acd_goods_open_init(&stream, acd_engine_sodium, k, context) != ACD_OK) {
        abort();
    }
    for (size_t at = 0; at < size; at += step) {
        if (acd_goods_open_update(&stream, out + written, size - written, &len, data + at,
                                  size - at < step ? size - at : step) != ACD_OK) {
            return 0;
        }
        written += len;
    }
    if (acd_goods_open_finish(&stream, out + written, size - written, &len, root, size) != ACD_OK) {
        return 0;
    }
    *length = written + len;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t root[ACD_HASH_SIZE];
    uint64_t sealed_length = 0;
    size_t length = 0;
    size_t len = 0;
    size_t rest = 0;
    if (acd_crypto_init() != ACD_OK || size < 1) {
        return 0;
    }
    size_t step = 1u + data[0] * 97u;
    data++;
    size--;
    if (!check(data, size, step, root)) {
        return 0;
    }
    uint8_t *plain = malloc(size + 1);
    uint8_t *again = malloc(size + 1);
    if (open_all(data, size, step, plain, &length, root)) {
        if (acd_goods_seal_init(&stream, acd_engine_sodium, k, context, data) != ACD_OK ||
            acd_goods_seal_update(&stream, again, size, &len, plain, length) != ACD_OK ||
            acd_goods_seal_finish(&stream, again + len, size - len, &rest, root, &sealed_length) != ACD_OK ||
            len + rest != size || memcmp(again, data, size) != 0) {
            abort();
        }
    }
    free(plain);
    free(again);
    return 0;
}
