/* acd_message.c: the codec engine over the table of messages. Source: docs/SPEC.md, RFC 8949 s. 4.2.1.
 *
 * Invariants: what acd_map_decode accepts, acd_map_encode writes byte for byte, and it writes nothing that
 * acd_map_decode would refuse, because it hands its own output to the same check. One map is read at a time;
 * inner maps wait in a bounded worklist, so there is no recursion, and the stack needed is fixed.
 */
#include "acd/message.h"
#include <string.h>
#include "acd/cbor.h"
#include "acd_internal.h"

#define CURRENCY_SIZE 3u

/* Maps wait while their outer map is read to its end: at most the map and map-list fields of three levels.
 * acd_test_table.c holds that the table stays below this. */
#define PENDING_MAX 8u

/* A row of encoded maps of one type, still to be checked. Their generic form is already known to be right. */
typedef struct pending {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t remaining;
    acd_message_type type;
} pending;

typedef struct worklist {
    pending items[PENDING_MAX];
    size_t count;
} worklist;

_Static_assert(sizeof(acd_value) <= 32, "the verifier's stack is counted in these");
_Static_assert(sizeof(worklist) <= 272, "the verifier's stack holds one of these");
_Static_assert(ACD_FIELDS_MAX <= 32, "one bit each in a 32-bit set");

/* MARK: The table */

acd_message_type acd_message_type_named(const void *name, size_t len)
{
    for (int type = ACD_NONE + 1; name != NULL && type < ACD_TYPE_COUNT; type++) {
        const char *candidate = acd_message_info_of((acd_message_type)type)->name;
        if (strlen(candidate) == len && memcmp(candidate, name, len) == 0) {
            return (acd_message_type)type;
        }
    }
    return ACD_NONE;
}

int acd_map_field(acd_message_type type, int key)
{
    const acd_message_info *info = acd_message_info_of(type);
    for (int i = 0; info != NULL && i < info->field_count; i++) {
        if (info->fields[i].key == key) {
            return i;
        }
    }
    return -1;
}

/* MARK: Decoding one map */

static acd_status check_range(const acd_field *field, uint64_t value)
{
    return value >= field->range->min && value <= field->range->max ? ACD_OK : ACD_ERR_FIELD_RANGE;
}

/* The format text of a container is its type's name, "acd-receipt/1": another number is another version. */
static acd_status check_format(const acd_message_info *info, const acd_cbor_item *item)
{
    size_t name_len = strlen(info->name);
    size_t family_len = strcspn(info->name, "/") + 1u;
    if (item->number == name_len && memcmp(item->bytes, info->name, name_len) == 0) {
        return ACD_OK;
    }
    if (family_len < name_len && item->number >= family_len &&
        memcmp(item->bytes, info->name, family_len) == 0) {
        return ACD_ERR_VERSION;
    }
    return ACD_ERR_UNEXPECTED_TYPE;
}

static acd_status read_money(acd_cbor_reader *reader, const acd_field *field, acd_value *value)
{
    acd_cbor_item item;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_ARRAY || item.number != 2u) {
        return ACD_ERR_FIELD_KIND;
    }
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_TEXT) {
        return ACD_ERR_FIELD_KIND;
    }
    if (item.number != CURRENCY_SIZE) {
        return ACD_ERR_FIELD_RANGE;
    }
    for (size_t i = 0; i < CURRENCY_SIZE; i++) {
        if (item.bytes[i] < 'A' || item.bytes[i] > 'Z') {
            return ACD_ERR_FIELD_RANGE;
        }
    }
    value->bytes = item.bytes;
    value->len = CURRENCY_SIZE;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_UINT) {
        return ACD_ERR_FIELD_KIND;
    }
    value->number = item.number;
    return check_range(field, item.number);
}

/* Passes over an inner map. Its generic form is checked here, its fields later. */
static acd_status read_map(acd_cbor_reader *reader, acd_value *value)
{
    if (reader->at < reader->end && *reader->at >> 5 != ACD_CBOR_MAP) {
        return ACD_ERR_FIELD_KIND;
    }
    return acd_cbor_skip(reader, &value->bytes, &value->len);
}

static acd_status read_scalar(acd_cbor_reader *reader, const acd_message_info *info, const acd_field *field,
                              acd_cbor_kind kind, acd_value *value)
{
    acd_cbor_item item;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != kind) {
        return ACD_ERR_FIELD_KIND;
    }
    if (kind == ACD_CBOR_UINT) {
        value->number = item.number;
        return check_range(field, item.number);
    }
    if (kind == ACD_CBOR_SIMPLE) {
        value->number = item.number == 21u;
        return item.number <= 21u ? ACD_OK : ACD_ERR_FIELD_KIND; /* 22 is null */
    }
    value->bytes = item.bytes;
    value->len = (size_t)item.number;
    if (kind == ACD_CBOR_TEXT && field->key == ACD_KEY_FORMAT) {
        return check_format(info, &item);
    }
    return check_range(field, item.number);
}

static acd_status push(worklist *later, acd_message_type type, const uint8_t *bytes, const uint8_t *end,
                       uint64_t count)
{
    if (later->count == PENDING_MAX) {
        return ACD_ERR_DEPTH;
    }
    later->items[later->count++] = (pending){bytes, end, count, type};
    return ACD_OK;
}

static acd_status read_list(acd_cbor_reader *reader, const acd_message_info *info, const acd_field *field,
                            acd_value *value, worklist *later)
{
    const uint8_t *start = reader->at;
    acd_cbor_item item;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_ARRAY) {
        return ACD_ERR_FIELD_KIND;
    }
    uint64_t count = item.number;
    if (count < field->count_min || count > field->count_max) {
        return ACD_ERR_FIELD_RANGE;
    }
    const uint8_t *first = reader->at;
    for (uint64_t i = 0; i < count; i++) {
        acd_value element;
        if (field->kind == ACD_FIELD_MAP_LIST) {
            ACD_TRY(read_map(reader, &element));
        } else {
            acd_cbor_kind kind = field->kind == ACD_FIELD_UINT_LIST ? ACD_CBOR_UINT : ACD_CBOR_BYTES;
            ACD_TRY(read_scalar(reader, info, field, kind, &element));
        }
    }
    value->bytes = start;
    value->len = (size_t)(reader->at - start);
    value->number = count;
    if (field->kind == ACD_FIELD_MAP_LIST) {
        return push(later, (acd_message_type)field->sub, first, reader->at, count);
    }
    return ACD_OK;
}

static acd_status read_field(acd_cbor_reader *reader, const acd_message_info *info, const acd_field *field,
                             acd_value *value, worklist *later)
{
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT: return read_scalar(reader, info, field, ACD_CBOR_UINT, value);
    case ACD_FIELD_BOOL: return read_scalar(reader, info, field, ACD_CBOR_SIMPLE, value);
    case ACD_FIELD_BYTES:
    case ACD_FIELD_MESSAGE: return read_scalar(reader, info, field, ACD_CBOR_BYTES, value);
    case ACD_FIELD_TEXT: return read_scalar(reader, info, field, ACD_CBOR_TEXT, value);
    case ACD_FIELD_MONEY: return read_money(reader, field, value);
    case ACD_FIELD_MAP:
        ACD_TRY(read_map(reader, value));
        return push(later, (acd_message_type)field->sub, value->bytes, value->bytes + value->len, 1);
    default: return read_list(reader, info, field, value, later);
    }
}

/* Reads a key; *last is the key before it in its one encoded byte, -1 at first. */
static acd_status read_key(acd_cbor_reader *reader, int *last, int *key)
{
    acd_cbor_item item;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_UINT && item.kind != ACD_CBOR_NEGATIVE) {
        return ACD_ERR_FIELD_KIND;
    }
    if (item.number > 23u) {
        return ACD_ERR_UNKNOWN_FIELD;
    }
    int number = (int)item.number;
    int encoded = item.kind == ACD_CBOR_NEGATIVE ? 0x20 + number : number;
    if (encoded <= *last) {
        return encoded == *last ? ACD_ERR_DUPLICATE_KEY : ACD_ERR_KEY_ORDER;
    }
    *last = encoded;
    *key = item.kind == ACD_CBOR_NEGATIVE ? -1 - number : number;
    return ACD_OK;
}

/* Reads one map of `type`, all but what stands in inner maps, which go to `later`. `values` may be NULL. */
static acd_status read_one(acd_cbor_reader *reader, acd_message_type type, acd_value *values, worklist *later)
{
    const acd_message_info *info = acd_message_info_of(type);
    uint32_t seen = 0;
    int last = -1;
    acd_cbor_item item;
    ACD_TRY(acd_cbor_next(reader, &item));
    if (item.kind != ACD_CBOR_MAP) {
        return ACD_ERR_MALFORMED;
    }
    for (uint64_t i = 0; i < item.number; i++) {
        int key = 0;
        ACD_TRY(read_key(reader, &last, &key));
        int index = acd_map_field(type, key);
        if (index < 0) {
            return ACD_ERR_UNKNOWN_FIELD;
        }
        acd_value value = {1, 0, NULL, 0};
        ACD_TRY(read_field(reader, info, &info->fields[index], &value, later));
        seen |= UINT32_C(1) << index;
        if (values != NULL) {
            values[index] = value;
        }
    }
    for (unsigned i = 0; i < info->field_count; i++) {
        if (info->fields[i].required && (seen >> i & 1u) == 0) {
            return ACD_ERR_MISSING_FIELD;
        }
    }
    return ACD_OK;
}

/* MARK: Maps and what is in them */

static acd_status check_map(acd_message_type type, const void *cbor, size_t len)
{
    worklist later;
    acd_cbor_reader reader;
    later.count = 0;
    acd_cbor_reader_init(&reader, cbor, len);
    ACD_TRY(read_one(&reader, type, NULL, &later));
    ACD_TRY(acd_cbor_finish(&reader));
    while (later.count > 0) {
        pending *top = &later.items[later.count - 1u];
        if (top->remaining == 0) {
            later.count--;
            continue;
        }
        top->remaining--;
        acd_message_type inner = top->type;
        acd_cbor_reader_init(&reader, top->at, (size_t)(top->end - top->at));
        size_t before = later.count;
        ACD_TRY(read_one(&reader, inner, NULL, &later));
        later.items[before - 1u].at = reader.at;
    }
    return ACD_OK;
}

acd_status acd_map_decode(acd_value *values, size_t values_cap, acd_message_type type, const void *cbor,
                          size_t len)
{
    const acd_message_info *info = acd_message_info_of(type);
    if (info == NULL || values == NULL || values_cap < info->field_count) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_map(type, cbor, len));
    /* Now that it is known to hold, read the outermost map again to keep the values. */
    worklist ignored;
    acd_cbor_reader reader;
    ignored.count = 0;
    acd_cbor_reader_init(&reader, cbor, len);
    memset(values, 0, info->field_count * sizeof values[0]);
    return read_one(&reader, type, values, &ignored);
}

static void put_field(acd_cbor_writer *writer, const acd_field *field, const acd_value *value)
{
    acd_cbor_put_int(writer, field->key);
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT: acd_cbor_put_uint(writer, value->number); return;
    case ACD_FIELD_BOOL: acd_cbor_put_bool(writer, value->number != 0); return;
    case ACD_FIELD_BYTES:
    case ACD_FIELD_MESSAGE: acd_cbor_put_bytes(writer, value->bytes, value->len); return;
    case ACD_FIELD_TEXT: acd_cbor_put_text(writer, value->bytes, value->len); return;
    case ACD_FIELD_MONEY:
        acd_cbor_put_array(writer, 2);
        acd_cbor_put_text(writer, value->bytes, CURRENCY_SIZE);
        acd_cbor_put_uint(writer, value->number);
        return;
    default: /* inner maps and lists are values in their encoding */
        acd_cbor_put_raw(writer, value->bytes, value->len);
        return;
    }
}

/* Values that no encoding can show: past the type's fields, or a truth that is neither 0 nor 1. */
static acd_status check_values(const acd_message_info *info, const acd_value *values, size_t values_count)
{
    for (size_t i = 0; i < values_count; i++) {
        if (!values[i].present) {
            continue;
        }
        if (i >= info->field_count) {
            return ACD_ERR_MISUSE;
        }
        if (info->fields[i].kind == ACD_FIELD_BOOL && values[i].number > 1u) {
            return ACD_ERR_FIELD_RANGE;
        }
    }
    return ACD_OK;
}

acd_status acd_map_encode(void *out, size_t out_cap, size_t *out_len, acd_message_type type,
                          const acd_value *values, size_t values_count)
{
    const acd_message_info *info = acd_message_info_of(type);
    if (info == NULL || out_len == NULL || values == NULL || values_count < info->field_count) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(check_values(info, values, values_count));
    uint64_t pairs = 0;
    for (size_t i = 0; i < info->field_count; i++) {
        pairs += values[i].present != 0;
    }
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out, out_cap);
    acd_cbor_put_map(&writer, pairs);
    for (size_t i = 0; i < info->field_count; i++) {
        if (values[i].present) {
            put_field(&writer, &info->fields[i], &values[i]);
        }
    }
    size_t len = 0;
    ACD_TRY(acd_cbor_writer_finish(&writer, &len));
    ACD_TRY(check_map(type, out, len));
    *out_len = len;
    return ACD_OK;
}

/* MARK: Lists */

acd_status acd_list_begin(acd_list *list, const acd_value *value)
{
    acd_cbor_reader reader;
    acd_cbor_item item;
    acd_cbor_reader_init(&reader, value->bytes, value->len);
    ACD_TRY(acd_cbor_next(&reader, &item));
    if (item.kind != ACD_CBOR_ARRAY) {
        return ACD_ERR_FIELD_KIND;
    }
    *list = (acd_list){reader.at, reader.end, item.number};
    return ACD_OK;
}

acd_status acd_list_next(acd_list *list, acd_value *element)
{
    if (list->remaining == 0) {
        return ACD_ERR_MISUSE;
    }
    acd_value read = {1, 0, NULL, 0};
    acd_cbor_reader reader;
    acd_cbor_item item;
    acd_cbor_reader_init(&reader, list->at, (size_t)(list->end - list->at));
    ACD_TRY(acd_cbor_next(&reader, &item));
    switch (item.kind) {
    case ACD_CBOR_UINT: read.number = item.number; break;
    case ACD_CBOR_BYTES:
        read.bytes = item.bytes;
        read.len = (size_t)item.number;
        break;
    case ACD_CBOR_MAP: /* once more from its head, as a whole */
        acd_cbor_reader_init(&reader, list->at, (size_t)(list->end - list->at));
        ACD_TRY(acd_cbor_skip(&reader, &read.bytes, &read.len));
        break;
    default: return ACD_ERR_FIELD_KIND;
    }
    list->at = reader.at;
    list->remaining--;
    *element = read;
    return ACD_OK;
}
