/* acd_fuzz_cbor.c: what acd_cbor_check accepts, the writer writes again to the same bytes. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_item(acd_cbor_writer *writer, const acd_cbor_item *item, const uint8_t *raw, size_t raw_len)
{
    switch (item->kind) {
    case ACD_CBOR_UINT: acd_cbor_put_uint(writer, item->number); return;
    case ACD_CBOR_BYTES: acd_cbor_put_bytes(writer, item->bytes, (size_t)item->number); return;
    case ACD_CBOR_TEXT: acd_cbor_put_text(writer, item->bytes, (size_t)item->number); return;
    case ACD_CBOR_ARRAY: acd_cbor_put_array(writer, item->number); return;
    case ACD_CBOR_MAP: acd_cbor_put_map(writer, item->number); return;
    case ACD_CBOR_TAG: acd_cbor_put_tag(writer, item->number); return;
    default: acd_cbor_put_raw(writer, raw, raw_len); return; /* negatives beyond int64_t; simple values */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (acd_cbor_check(data, size) != ACD_OK) {
        return 0;
    }
    uint8_t *out = malloc(size);
    acd_cbor_writer writer;
    acd_cbor_reader reader;
    size_t len = 0;
    acd_cbor_writer_init(&writer, out, size);
    acd_cbor_reader_init(&reader, data, size);
    while (reader.at < reader.end) {
        acd_cbor_item item;
        const uint8_t *start = reader.at;
        if (acd_cbor_next(&reader, &item) != ACD_OK) {
            abort();
        }
        put_item(&writer, &item, start, (size_t)(reader.at - start));
    }
    if (acd_cbor_writer_finish(&writer, &len) != ACD_OK || len != size || memcmp(out, data, size) != 0) {
        abort();
    }
    free(out);
    return 0;
}
