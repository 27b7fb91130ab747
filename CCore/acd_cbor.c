/* acd_cbor.c: strict deterministic CBOR (RFC 8949 s. 4.2.1).
 *
 * Invariants: a reader's `at` never passes `end`; every length is compared with what is left before it is
 * used; nothing recurses (acd_cbor_skip keeps its containers in a fixed array). What is accepted has one
 * encoding.
 */
#include "acd/cbor.h"

#include <string.h>

#include "acd_internal.h"

/* MARK: UTF-8 */

/* The number of continuation bytes after `lead`, or -1; *low is the least code point of that length. */
static int utf8_tail(uint8_t lead, uint32_t *value, uint32_t *low)
{
    if (lead < 0x80u) {
        *value = lead;
        *low = 0;
        return 0;
    }
    if ((lead & 0xe0u) == 0xc0u) {
        *value = lead & 0x1fu;
        *low = 0x80u;
        return 1;
    }
    if ((lead & 0xf0u) == 0xe0u) {
        *value = lead & 0x0fu;
        *low = 0x800u;
        return 2;
    }
    if ((lead & 0xf8u) == 0xf0u) {
        *value = lead & 0x07u;
        *low = 0x10000u;
        return 3;
    }
    return -1;
}

acd_status acd_utf8_check(const uint8_t *text, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint32_t value = 0;
        uint32_t low = 0;
        const int tail = utf8_tail(text[i], &value, &low);
        i++;
        if (tail < 0 || (size_t)tail > len - i) {
            return ACD_ERR_UTF8;
        }
        for (int k = 0; k < tail; k++, i++) {
            if ((text[i] & 0xc0u) != 0x80u) {
                return ACD_ERR_UTF8;
            }
            value = value << 6 | (text[i] & 0x3fu);
        }
        if (value < low || value > 0x10ffffu || (value >= 0xd800u && value <= 0xdfffu)) {
            return ACD_ERR_UTF8;
        }
    }
    return ACD_OK;
}

/* MARK: Decoder */

void acd_cbor_reader_init(acd_cbor_reader *reader, const void *bytes, size_t len)
{
    reader->at = bytes;
    reader->end = bytes != NULL ? (const uint8_t *)bytes + len : NULL;
    reader->status = acd_is_lacking(bytes, len) ? ACD_ERR_MISUSE : ACD_OK;
}

static size_t left(const acd_cbor_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static acd_status fail(acd_cbor_reader *reader, acd_status status)
{
    reader->status = status;
    return status;
}

/* Reads the argument that `info` (the initial byte's low five bits) announces, in its shortest form only. */
static acd_status read_argument(acd_cbor_reader *reader, unsigned info, uint64_t *value)
{
    if (info < 24u) {
        *value = info;
        return ACD_OK;
    }
    if (info > 27u) {
        return info == 31u ? ACD_ERR_INDEFINITE : ACD_ERR_MALFORMED;
    }
    const size_t size = (size_t)1 << (info - 24u);
    if (left(reader) < size) {
        return ACD_ERR_TRUNCATED;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | reader->at[i];
    }
    reader->at += size;
    if (acd_cbor_head_size(number) != size + 1u) {
        return ACD_ERR_NOT_SHORTEST;
    }
    *value = number;
    return ACD_OK;
}

static acd_status read_simple(unsigned info, acd_cbor_item *item)
{
    if (info == 31u) {
        return ACD_ERR_INDEFINITE; /* a break without a container */
    }
    if (info < 20u || info > 22u) {
        return ACD_ERR_MALFORMED; /* undefined, unassigned, floats: not in this dialect */
    }
    item->number = info;
    return ACD_OK;
}

static acd_status read_item(acd_cbor_reader *reader, acd_cbor_item *item)
{
    if (left(reader) == 0) {
        return ACD_ERR_TRUNCATED;
    }
    const uint8_t initial = *reader->at++;
    const unsigned info = initial & 0x1fu;
    item->kind = (acd_cbor_kind)(initial >> 5);
    item->bytes = NULL;
    if (item->kind == ACD_CBOR_SIMPLE) {
        return read_simple(info, item);
    }
    ACD_TRY(read_argument(reader, info, &item->number));
    if (item->kind == ACD_CBOR_TAG && item->number != 18u) {
        return ACD_ERR_MALFORMED;
    }
    if (item->kind == ACD_CBOR_BYTES || item->kind == ACD_CBOR_TEXT) {
        if (item->number > left(reader)) {
            return ACD_ERR_TRUNCATED;
        }
        item->bytes = reader->at;
        reader->at += (size_t)item->number;
        if (item->kind == ACD_CBOR_TEXT) {
            return acd_utf8_check(item->bytes, (size_t)item->number);
        }
    }
    return ACD_OK;
}

acd_status acd_cbor_next(acd_cbor_reader *reader, acd_cbor_item *item)
{
    if (reader->status != ACD_OK) {
        return reader->status;
    }
    const acd_status status = read_item(reader, item);
    return status == ACD_OK ? ACD_OK : fail(reader, status);
}

/* A container that acd_cbor_skip is inside of. */
typedef struct level {
    uint64_t remaining; /* items still to come: keys and values counted apart */
    int is_map;
    int last_key; /* order of the last key, -1 before the first */
} level;

/* Keys -24..23 in encoded order: 0..23, then -1..-24 as 24..47. Returns -1 for what is no key. */
static int key_order(const acd_cbor_item *item)
{
    if (item->number > 23u) {
        return -1;
    }
    if (item->kind == ACD_CBOR_UINT) {
        return (int)item->number;
    }
    return item->kind == ACD_CBOR_NEGATIVE ? 24 + (int)item->number : -1;
}

static acd_status check_key(level *map, const acd_cbor_item *item)
{
    const int order = key_order(item);
    if (order < 0) {
        return ACD_ERR_FIELD_KIND;
    }
    if (order == map->last_key) {
        return ACD_ERR_DUPLICATE_KEY;
    }
    if (order < map->last_key) {
        return ACD_ERR_KEY_ORDER;
    }
    map->last_key = order;
    return ACD_OK;
}

static acd_status enter(acd_cbor_reader *reader, level *levels, size_t *depth, const acd_cbor_item *item)
{
    if (*depth == ACD_CBOR_DEPTH_MAX) {
        return ACD_ERR_DEPTH;
    }
    /* Each item takes at least a byte, so a count beyond what is left is a lie; that bounds 2 * pairs too. */
    if (item->kind != ACD_CBOR_TAG && item->number > left(reader)) {
        return ACD_ERR_TRUNCATED;
    }
    level *const inner = &levels[(*depth)++];
    inner->is_map = item->kind == ACD_CBOR_MAP;
    inner->last_key = -1;
    inner->remaining = item->kind == ACD_CBOR_TAG ? 1u : inner->is_map ? item->number * 2u : item->number;
    return ACD_OK;
}

static acd_status skip(acd_cbor_reader *reader)
{
    level levels[ACD_CBOR_DEPTH_MAX];
    size_t depth = 0;
    do {
        acd_cbor_item item;
        ACD_TRY(read_item(reader, &item));
        if (depth > 0) {
            level *const outer = &levels[depth - 1];
            if (outer->is_map && outer->remaining % 2u == 0) {
                ACD_TRY(check_key(outer, &item));
            }
            outer->remaining--;
        }
        if (item.kind == ACD_CBOR_ARRAY || item.kind == ACD_CBOR_MAP || item.kind == ACD_CBOR_TAG) {
            ACD_TRY(enter(reader, levels, &depth, &item));
        }
        while (depth > 0 && levels[depth - 1].remaining == 0) {
            depth--;
        }
    } while (depth > 0);
    return ACD_OK;
}

acd_status acd_cbor_skip(acd_cbor_reader *reader, const uint8_t **bytes, size_t *len)
{
    if (reader->status != ACD_OK) {
        return reader->status;
    }
    const uint8_t *const start = reader->at;
    const acd_status status = skip(reader);
    if (status != ACD_OK) {
        return fail(reader, status);
    }
    *bytes = start;
    *len = (size_t)(reader->at - start);
    return ACD_OK;
}

acd_status acd_cbor_finish(const acd_cbor_reader *reader)
{
    if (reader->status != ACD_OK) {
        return reader->status;
    }
    return left(reader) == 0 ? ACD_OK : ACD_ERR_TRAILING;
}

acd_status acd_cbor_check(const void *bytes, size_t len)
{
    acd_cbor_reader reader;
    const uint8_t *item = NULL;
    size_t item_len = 0;
    acd_cbor_reader_init(&reader, bytes, len);
    ACD_TRY(acd_cbor_skip(&reader, &item, &item_len));
    return acd_cbor_finish(&reader);
}

/* MARK: Encoder */

size_t acd_cbor_head_size(uint64_t value)
{
    if (value < 24u) {
        return 1;
    }
    if (value <= 0xffu) {
        return 2;
    }
    if (value <= 0xffffu) {
        return 3;
    }
    return value <= 0xffffffffu ? 5 : 9;
}

void acd_cbor_writer_init(acd_cbor_writer *writer, void *out, size_t cap)
{
    writer->out = out;
    writer->cap = cap;
    writer->len = 0;
    writer->status = out == NULL && cap > 0 ? ACD_ERR_MISUSE : ACD_OK;
}

/* Reserves `size` bytes; NULL if the writer has failed or is full. After NO_SPACE it goes on counting. */
static uint8_t *reserve(acd_cbor_writer *writer, size_t size)
{
    const size_t at = writer->len;
    if (writer->status != ACD_OK && writer->status != ACD_ERR_NO_SPACE) {
        return NULL;
    }
    if (size > SIZE_MAX - at) {
        writer->status = ACD_ERR_TOO_LARGE;
        return NULL;
    }
    writer->len = at + size;
    if (writer->status == ACD_ERR_NO_SPACE || writer->len > writer->cap) {
        writer->status = ACD_ERR_NO_SPACE;
        return NULL;
    }
    return writer->out + at;
}

static void put_head(acd_cbor_writer *writer, acd_cbor_kind kind, uint64_t value)
{
    const size_t size = acd_cbor_head_size(value);
    uint8_t *const out = reserve(writer, size);
    if (out == NULL) {
        return;
    }
    const unsigned major = (unsigned)kind << 5;
    if (size == 1) {
        out[0] = (uint8_t)(major | (unsigned)value);
        return;
    }
    const unsigned info = size == 2 ? 24u : size == 3 ? 25u : size == 5 ? 26u : 27u;
    out[0] = (uint8_t)(major | info);
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)value;
        value >>= 8;
    }
}

static void put_copy(acd_cbor_writer *writer, const void *bytes, size_t len)
{
    if (acd_is_lacking(bytes, len)) {
        writer->status = writer->status == ACD_OK ? ACD_ERR_MISUSE : writer->status;
        return;
    }
    uint8_t *const out = reserve(writer, len);
    if (out != NULL && len > 0) {
        memcpy(out, bytes, len);
    }
}

void acd_cbor_put_uint(acd_cbor_writer *writer, uint64_t value)
{
    put_head(writer, ACD_CBOR_UINT, value);
}

void acd_cbor_put_int(acd_cbor_writer *writer, int64_t value)
{
    if (value < 0) {
        put_head(writer, ACD_CBOR_NEGATIVE, (uint64_t)(-(value + 1)));
    } else {
        put_head(writer, ACD_CBOR_UINT, (uint64_t)value);
    }
}

void acd_cbor_put_bytes(acd_cbor_writer *writer, const void *bytes, size_t len)
{
    put_head(writer, ACD_CBOR_BYTES, len);
    put_copy(writer, bytes, len);
}

void acd_cbor_put_text(acd_cbor_writer *writer, const void *utf8, size_t len)
{
    if (writer->status == ACD_OK && !acd_is_lacking(utf8, len)) {
        const acd_status status = acd_utf8_check(utf8, len);
        if (status != ACD_OK) {
            writer->status = status;
        }
    }
    put_head(writer, ACD_CBOR_TEXT, len);
    put_copy(writer, utf8, len);
}

void acd_cbor_put_bool(acd_cbor_writer *writer, int value)
{
    put_head(writer, ACD_CBOR_SIMPLE, value ? 21u : 20u);
}

void acd_cbor_put_null(acd_cbor_writer *writer)
{
    put_head(writer, ACD_CBOR_SIMPLE, 22u);
}

void acd_cbor_put_array(acd_cbor_writer *writer, uint64_t count)
{
    put_head(writer, ACD_CBOR_ARRAY, count);
}

void acd_cbor_put_map(acd_cbor_writer *writer, uint64_t pairs)
{
    put_head(writer, ACD_CBOR_MAP, pairs);
}

void acd_cbor_put_tag(acd_cbor_writer *writer, uint64_t tag)
{
    put_head(writer, ACD_CBOR_TAG, tag);
}

void acd_cbor_put_raw(acd_cbor_writer *writer, const void *encoded, size_t len)
{
    put_copy(writer, encoded, len);
}

acd_status acd_cbor_writer_finish(const acd_cbor_writer *writer, size_t *out_len)
{
    if (writer->status != ACD_OK) {
        return writer->status;
    }
    *out_len = writer->len;
    return ACD_OK;
}
