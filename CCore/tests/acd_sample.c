/* acd_sample.c: maps filled from the table, and signed messages. The sale is in acd_sample_sale.c.
 * Invariants: deterministic, so that vectors made from samples are the same on every machine. */
#include "acd_sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE (4u << 20)
#define LARGE_BYTES 300u /* most bytes of one large string, unless its lower limit is higher */
#define LARGE_COUNT 4u

static uint8_t arena[ARENA_SIZE];
static size_t arena_used;

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "acd_sample: %s\n", what);
        abort();
    }
}

uint8_t *sample_alloc(size_t len)
{
    require(len <= ARENA_SIZE - arena_used, "arena used up");
    uint8_t *bytes = arena + arena_used;
    arena_used += len;
    memset(bytes, 0, len);
    return bytes;
}

void sample_reset(void)
{
    arena_used = 0;
}

sample sample_copy(const void *bytes, size_t len)
{
    sample out = {sample_alloc(len), len};
    if (len > 0) {
        memcpy(out.bytes, bytes, len);
    }
    return out;
}

sample sample_hex(const char *hex)
{
    sample out = {sample_alloc(strlen(hex) / 2u + 1u), 0};
    int high = -1;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ' || *hex == '\n' || *hex == '\r') {
            continue;
        }
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *found = strchr(digits, *hex);
        require(found != NULL, "not hexadecimal");
        int value = (int)(found - digits) % 16;
        if (high < 0) {
            high = value;
        } else {
            out.bytes[out.len++] = (uint8_t)(high << 4 | value);
            high = -1;
        }
    }
    require(high < 0, "half a byte");
    return out;
}

size_t sample_index(acd_message_type type, int key)
{
    int index = acd_map_field(type, key);
    require(index >= 0, "no such field");
    return (size_t)index;
}

/* MARK: Values */

acd_value sample_uint(uint64_t number)
{
    return (acd_value){1, number, NULL, 0};
}

acd_value sample_bytes(const void *bytes, size_t len)
{
    return (acd_value){1, 0, bytes, len};
}

acd_value sample_text(const char *text)
{
    return sample_bytes(text, strlen(text));
}

acd_value sample_money(const char *currency, uint64_t amount)
{
    return (acd_value){1, amount, (const uint8_t *)currency, 3};
}

static acd_value list_of(const sample *elements, size_t count, int raw)
{
    size_t cap = 9u;
    for (size_t i = 0; i < count; i++) {
        cap += elements[i].len + 9u;
    }
    acd_cbor_writer writer;
    uint8_t *out = sample_alloc(cap);
    acd_cbor_writer_init(&writer, out, cap);
    acd_cbor_put_array(&writer, count);
    for (size_t i = 0; i < count; i++) {
        if (raw) {
            acd_cbor_put_raw(&writer, elements[i].bytes, elements[i].len);
        } else {
            acd_cbor_put_bytes(&writer, elements[i].bytes, elements[i].len);
        }
    }
    size_t len = 0;
    require(acd_cbor_writer_finish(&writer, &len) == ACD_OK, "list");
    return (acd_value){1, count, out, len};
}

acd_value sample_bytes_list(const sample *elements, size_t count)
{
    return list_of(elements, count, 0);
}

acd_value sample_map_list(const sample *elements, size_t count)
{
    return list_of(elements, count, 1);
}

static sample pattern(size_t len, int key, int is_text)
{
    sample out = {sample_alloc(len + 1u), len};
    for (size_t i = 0; i < len; i++) {
        out.bytes[i] =
            is_text ? (uint8_t)('a' + (size_t)(key + 24) % 26u) : (uint8_t)((size_t)(key + 64) + i);
    }
    return out;
}

static size_t size_for(const acd_field *field, sample_size size)
{
    if (size == SAMPLE_SMALL) {
        return (size_t)field->range->min;
    }
    size_t top = field->range->min > LARGE_BYTES ? (size_t)field->range->min : LARGE_BYTES;
    return field->range->max < top ? (size_t)field->range->max : top;
}

static acd_value fill_list(const acd_field *field, sample_size size)
{
    size_t count = field->count_min;
    if (size == SAMPLE_LARGE) {
        size_t top = field->count_min > LARGE_COUNT ? field->count_min : LARGE_COUNT;
        count = field->count_max < top ? field->count_max : top;
    }
    sample elements[LARGE_COUNT];
    require(count <= LARGE_COUNT, "list too long for a sample");
    for (size_t i = 0; i < count; i++) {
        if (field->kind == ACD_FIELD_MAP_LIST) {
            elements[i] = sample_map((acd_message_type)field->sub, i % 2u == 0 ? size : SAMPLE_SMALL);
        } else if (field->kind == ACD_FIELD_UINT_LIST) {
            acd_cbor_writer writer;
            elements[i] = (sample){sample_alloc(9), 0};
            acd_cbor_writer_init(&writer, elements[i].bytes, 9);
            acd_cbor_put_uint(&writer, size == SAMPLE_SMALL ? field->range->min : field->range->max - i);
            require(acd_cbor_writer_finish(&writer, &elements[i].len) == ACD_OK, "number");
        } else {
            elements[i] = pattern(size_for(field, size), field->key + (int)i, 0);
        }
    }
    int raw = field->kind == ACD_FIELD_MAP_LIST || field->kind == ACD_FIELD_UINT_LIST;
    return raw ? sample_map_list(elements, count) : sample_bytes_list(elements, count);
}

static acd_value fill_field(const acd_message_info *info, const acd_field *field, sample_size size)
{
    sample bytes;
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT: return sample_uint(size == SAMPLE_SMALL ? field->range->min : field->range->max);
    case ACD_FIELD_BOOL: return sample_uint(size == SAMPLE_SMALL ? 0 : 1);
    case ACD_FIELD_MONEY:
        return sample_money("CHF", size == SAMPLE_SMALL ? field->range->min : field->range->max);
    case ACD_FIELD_TEXT:
        if (field->key == ACD_KEY_FORMAT) {
            return sample_text(info->name);
        }
        bytes = pattern(size_for(field, size), field->key, 1);
        return sample_bytes(bytes.bytes, bytes.len);
    case ACD_FIELD_BYTES:
    case ACD_FIELD_MESSAGE:
        bytes = pattern(size_for(field, size), field->key, 0);
        return sample_bytes(bytes.bytes, bytes.len);
    case ACD_FIELD_MAP:
        bytes = sample_map((acd_message_type)field->sub, size);
        return sample_bytes(bytes.bytes, bytes.len);
    default: return fill_list(field, size);
    }
}

void sample_values(acd_value values[ACD_FIELDS_MAX], acd_message_type type, sample_size size)
{
    const acd_message_info *info = acd_message_info_of(type);
    require(info != NULL, "no such type");
    memset(values, 0, ACD_FIELDS_MAX * sizeof values[0]);
    for (size_t i = 0; i < info->field_count; i++) {
        if (info->fields[i].required || size == SAMPLE_LARGE) {
            values[i] = fill_field(info, &info->fields[i], size);
        }
    }
}

sample sample_encode(acd_message_type type, const acd_value values[ACD_FIELDS_MAX])
{
    size_t cap = 64;
    for (size_t i = 0; i < ACD_FIELDS_MAX; i++) {
        cap += values[i].len + 24u;
    }
    sample out = {sample_alloc(cap), 0};
    acd_status status = acd_map_encode(out.bytes, cap, &out.len, type, values, ACD_FIELDS_MAX);
    require(status == ACD_OK, acd_status_name(status));
    return out;
}

sample sample_map(acd_message_type type, sample_size size)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, type, size);
    return sample_encode(type, values);
}

/* MARK: Signing */

void sample_key(uint8_t public_key[ACD_PUBLIC_KEY_SIZE], uint8_t secret_key[ACD_SECRET_KEY_SIZE],
                uint8_t seed)
{
    uint8_t bytes[ACD_SEED_SIZE];
    memset(bytes, seed, sizeof bytes);
    acd_key_from_seed(public_key, secret_key, bytes);
}

sample sample_sign(acd_message_type type, sample payload, uint8_t seed)
{
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    size_t cap = payload.len + ACD_SIGN1_OVERHEAD;
    uint8_t *buffer = sample_alloc(cap);
    size_t offset = 0;
    sample out = {NULL, 0};
    sample_key(public_key, secret_key, seed);
    memcpy(buffer + ACD_SIGN1_HEADROOM, payload.bytes, payload.len);
    acd_status status =
        acd_sign1_sign_in_place(buffer, cap, &offset, &out.len, payload.len, type, secret_key);
    require(status == ACD_OK, acd_status_name(status));
    out.bytes = buffer + offset;
    return out;
}
