/* acd_test_message.c: the codec over the table of messages, for every type and every field.
 * Source: acd/message.h, docs/SPEC.md. */
#include <stdlib.h>
#include "acd_sample.h"
#include "acd_test.h"

static acd_status decode(acd_message_type type, sample map)
{
    acd_value values[ACD_FIELDS_MAX];
    return acd_map_decode(values, ACD_FIELDS_MAX, type, map.bytes, map.len);
}

static acd_status encode(acd_message_type type, const acd_value *values)
{
    static uint8_t out[1 << 20];
    size_t len = 0;
    return acd_map_encode(out, sizeof out, &len, type, values, ACD_FIELDS_MAX);
}

static void check_round_trip(acd_message_type type, sample_size size)
{
    sample map = sample_map(type, size);
    acd_value values[ACD_FIELDS_MAX];
    memset(values, 0, sizeof values);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, type, map.bytes, map.len));
    sample again = sample_encode(type, values);
    CHECK(again.len == map.len);
    CHECK_BYTES(again.bytes, map.bytes, map.len);
    CHECK_STATUS(ACD_OK, acd_cbor_check(map.bytes, map.len));
}

static void every_message_encodes_back_to_the_same_bytes(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        check_round_trip((acd_message_type)type, SAMPLE_SMALL);
        check_round_trip((acd_message_type)type, SAMPLE_LARGE);
        sample_reset();
    }
}

static void every_missing_required_field_is_noticed(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        for (size_t i = 0; i < info->field_count; i++) {
            acd_value values[ACD_FIELDS_MAX];
            sample_values(values, (acd_message_type)type, SAMPLE_LARGE);
            values[i].present = 0;
            acd_status expected = info->fields[i].required ? ACD_ERR_MISSING_FIELD : ACD_OK;
            CHECK_STATUS(expected, encode((acd_message_type)type, values));
            sample_reset();
        }
    }
}

static void every_field_of_another_kind_is_refused(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        for (size_t i = 0; i < info->field_count; i++) {
            acd_value values[ACD_FIELDS_MAX];
            sample_values(values, (acd_message_type)type, SAMPLE_SMALL);
            values[i].present = 0;
            /* The map up to field i, then field i with null, which no field may be. */
            uint8_t *out = sample_alloc(1 << 18);
            size_t before = 0;
            acd_cbor_writer writer;
            acd_cbor_writer_init(&writer, out, 1 << 18);
            acd_cbor_put_map(&writer, 1);
            acd_cbor_put_int(&writer, info->fields[i].key);
            acd_cbor_put_null(&writer);
            CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &before));
            CHECK_STATUS(ACD_ERR_FIELD_KIND, decode((acd_message_type)type, (sample){out, before}));
            sample_reset();
        }
    }
}

/* Replaces field i by one that is one below or above a limit; 0 if its kind has no such value to try. */
static int break_limit(acd_value *value, const acd_field *field, int high)
{
    uint64_t number = high ? field->range->max + 1u : field->range->min - 1u;
    if ((high && field->range->max == UINT64_MAX) || (!high && field->range->min == 0) ||
        field->key == ACD_KEY_FORMAT) {
        return 0;
    }
    switch ((acd_field_kind)field->kind) {
    case ACD_FIELD_UINT:
    case ACD_FIELD_MONEY: value->number = number; return 1;
    case ACD_FIELD_BYTES:
    case ACD_FIELD_MESSAGE:
    case ACD_FIELD_TEXT:
        value->bytes = sample_alloc((size_t)number);
        memset((uint8_t *)value->bytes, 'x', (size_t)number);
        value->len = (size_t)number;
        return 1;
    case ACD_FIELD_BYTES_LIST:
    case ACD_FIELD_MESSAGE_LIST: {
        const sample element = {sample_alloc((size_t)number), (size_t)number};
        sample elements[4] = {element, element, element, element};
        *value = sample_bytes_list(elements, field->count_max < 4 ? field->count_max : 4);
        return 1;
    }
    default: return 0;
    }
}

static void every_limit_holds_on_both_sides(void)
{
    int tried = 0;
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        for (size_t i = 0; i < 2u * info->field_count; i++) {
            acd_value values[ACD_FIELDS_MAX];
            sample_values(values, (acd_message_type)type, SAMPLE_LARGE);
            if (break_limit(&values[i / 2], &info->fields[i / 2], i % 2 == 1)) {
                CHECK_STATUS(ACD_ERR_FIELD_RANGE, encode((acd_message_type)type, values));
                tried++;
            }
            sample_reset();
        }
    }
    CHECK(tried > 200);
}

static void every_list_count_holds_on_both_sides(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        for (size_t i = 0; i < info->field_count; i++) {
            const acd_field *field = &info->fields[i];
            if (field->kind != ACD_FIELD_BYTES_LIST && field->kind != ACD_FIELD_MAP_LIST &&
                field->kind != ACD_FIELD_MESSAGE_LIST && field->kind != ACD_FIELD_UINT_LIST) {
                continue;
            }
            acd_value values[ACD_FIELDS_MAX];
            sample_values(values, (acd_message_type)type, SAMPLE_SMALL);
            size_t too_many = field->count_max + 1u;
            sample *elements = calloc(too_many, sizeof *elements);
            uint8_t zero[64] = {0};
            sample one = {zero, field->range->min < sizeof zero ? (size_t)field->range->min : sizeof zero};
            if (field->kind == ACD_FIELD_MAP_LIST) {
                one = sample_map((acd_message_type)field->sub, SAMPLE_SMALL);
            } else if (field->kind == ACD_FIELD_UINT_LIST) {
                one.len = 1;
            }
            for (size_t k = 0; k < too_many; k++) {
                elements[k] = one;
            }
            int raw = field->kind == ACD_FIELD_MAP_LIST || field->kind == ACD_FIELD_UINT_LIST;
            values[i] = raw ? sample_map_list(elements, too_many) : sample_bytes_list(elements, too_many);
            CHECK_STATUS(ACD_ERR_FIELD_RANGE, encode((acd_message_type)type, values));
            if (field->count_min > 0) {
                size_t too_few = field->count_min - 1u;
                values[i] = raw ? sample_map_list(elements, too_few) : sample_bytes_list(elements, too_few);
                CHECK_STATUS(ACD_ERR_FIELD_RANGE, encode((acd_message_type)type, values));
            }
            free(elements);
            sample_reset();
        }
    }
}

static void every_cut_short_message_is_refused(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        sample map = sample_map((acd_message_type)type, SAMPLE_SMALL);
        for (size_t len = 0; len < map.len; len++) {
            CHECK(decode((acd_message_type)type, (sample){map.bytes, len}) != ACD_OK);
        }
        sample longer = sample_copy(map.bytes, map.len + 1u);
        CHECK_STATUS(ACD_ERR_TRAILING, decode((acd_message_type)type, longer));
        sample_reset();
    }
}

static void unknown_keys_are_refused(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        CHECK(acd_map_field((acd_message_type)type, -24) < 0);
        CHECK_STATUS(ACD_ERR_UNKNOWN_FIELD, decode((acd_message_type)type, sample_hex("a13700")));
        CHECK_STATUS(ACD_ERR_UNKNOWN_FIELD, decode((acd_message_type)type, sample_hex("a1181800")));
        sample_reset();
    }
    CHECK_STATUS(ACD_ERR_UNKNOWN_FIELD, decode(ACD_P4, sample_hex("a10100")));
}

static void keys_are_in_order_and_unique(void)
{
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, decode(ACD_STATUS, sample_hex("a2 0d 01 0d 01")));
    CHECK_STATUS(ACD_ERR_KEY_ORDER, decode(ACD_STATUS, sample_hex("a2 15 01 0d 01")));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, decode(ACD_STATUS, sample_hex("a1 6161 01")));
    CHECK_STATUS(ACD_ERR_MALFORMED, decode(ACD_STATUS, sample_hex("80")));
    CHECK_STATUS(ACD_ERR_TRUNCATED, decode(ACD_STATUS, sample_hex("")));
    sample_reset();
}

static void money_has_a_currency_of_three_capitals(void)
{
    static const struct {
        const char *hex;
        acd_status expected;
    } cases[] = {{"a1 06 82 63 434846 00", ACD_ERR_MISSING_FIELD},
                 {"a1 06 82 63 636846 00", ACD_ERR_FIELD_RANGE},
                 {"a1 06 82 63 43485b 00", ACD_ERR_FIELD_RANGE},
                 {"a1 06 82 63 404846 00", ACD_ERR_FIELD_RANGE},
                 {"a1 06 82 62 4348 00", ACD_ERR_FIELD_RANGE},
                 {"a1 06 82 64 43484646 00", ACD_ERR_FIELD_RANGE},
                 {"a1 06 82 43 434846 00", ACD_ERR_FIELD_KIND},
                 {"a1 06 82 63 434846 20", ACD_ERR_FIELD_KIND},
                 {"a1 06 81 63 434846", ACD_ERR_FIELD_KIND},
                 {"a1 06 83 63 434846 00 00", ACD_ERR_FIELD_KIND},
                 {"a1 06 82 63 434846", ACD_ERR_TRUNCATED},
                 {"a1 06 82", ACD_ERR_TRUNCATED},
                 {"a1 06", ACD_ERR_TRUNCATED},
                 {"a1 06 82 63 434846 1b 0020000000000000", ACD_ERR_FIELD_RANGE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_STATUS(cases[i].expected, decode(ACD_STATUS, sample_hex(cases[i].hex)));
        sample_reset();
    }
}

static void what_stands_in_inner_maps_is_checked_too(void)
{
    acd_value values[ACD_FIELDS_MAX];
    sample input = sample_map(ACD_TOKEN_INPUT, SAMPLE_SMALL);
    sample good = sample_map(ACD_X1, SAMPLE_LARGE);
    CHECK_STATUS(ACD_OK, decode(ACD_X1, good));
    sample_values(values, ACD_P2, SAMPLE_SMALL);
    sample pair[2] = {input, input};
    pair[1] = sample_hex("a1 21 01");
    values[sample_index(ACD_P2, ACD_P2_TOKENS)] = sample_map_list(pair, 2);
    CHECK_STATUS(ACD_ERR_MISSING_FIELD, encode(ACD_P2, values));
    pair[1] = sample_hex("a2 20 a0 21 01");
    values[sample_index(ACD_P2, ACD_P2_TOKENS)] = sample_map_list(pair, 2);
    CHECK_STATUS(ACD_ERR_MISSING_FIELD, encode(ACD_P2, values));
    pair[1] = sample_hex("a2 20 a1 00 00 21 01");
    values[sample_index(ACD_P2, ACD_P2_TOKENS)] = sample_map_list(pair, 2);
    CHECK_STATUS(ACD_ERR_UNKNOWN_FIELD, encode(ACD_P2, values));
    pair[1] = sample_hex("80");
    values[sample_index(ACD_P2, ACD_P2_TOKENS)] = sample_map_list(pair, 2);
    CHECK_STATUS(ACD_ERR_FIELD_KIND, encode(ACD_P2, values));
    pair[1] = input;
    values[sample_index(ACD_P2, ACD_P2_TOKENS)] = sample_map_list(pair, 2);
    CHECK_STATUS(ACD_OK, encode(ACD_P2, values));
    sample_reset();
}

static void a_container_says_its_name_and_version(void)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, ACD_RECEIPT, SAMPLE_SMALL);
    size_t format = sample_index(ACD_RECEIPT, ACD_KEY_FORMAT);
    CHECK_STATUS(ACD_OK, encode(ACD_RECEIPT, values));
    values[format] = sample_text("acd-receipt/2");
    CHECK_STATUS(ACD_ERR_VERSION, encode(ACD_RECEIPT, values));
    values[format] = sample_text("acd-receipt/10");
    CHECK_STATUS(ACD_ERR_VERSION, encode(ACD_RECEIPT, values));
    values[format] = sample_text("acd-bundle/1");
    CHECK_STATUS(ACD_ERR_UNEXPECTED_TYPE, encode(ACD_RECEIPT, values));
    values[format] = sample_text("");
    CHECK_STATUS(ACD_ERR_UNEXPECTED_TYPE, encode(ACD_RECEIPT, values));
    sample_reset();
}

static void truths_are_only_false_and_true(void)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, ACD_NAK, SAMPLE_SMALL);
    size_t decline = sample_index(ACD_NAK, ACD_NAK_DECLINE);
    values[decline].number = 2;
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, encode(ACD_NAK, values));
    values[decline].number = 1;
    sample map = sample_encode(ACD_NAK, values);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_NAK, map.bytes, map.len));
    CHECK(values[decline].present && values[decline].number == 1);
    map.bytes[map.len - 1] = 0xf4;
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_NAK, map.bytes, map.len));
    CHECK(values[decline].present && values[decline].number == 0);
    map.bytes[map.len - 1] = 0xf6;
    CHECK_STATUS(ACD_ERR_FIELD_KIND, decode(ACD_NAK, map));
    sample_reset();
}

static void values_are_untouched_when_decoding_fails(void)
{
    acd_value values[ACD_FIELDS_MAX];
    acd_value before[ACD_FIELDS_MAX];
    memset(values, 0x5a, sizeof values);
    memcpy(before, values, sizeof before);
    sample map = sample_map(ACD_P1, SAMPLE_LARGE);
    CHECK(acd_map_decode(values, ACD_FIELDS_MAX, ACD_P1, map.bytes, map.len - 1u) != ACD_OK);
    CHECK_BYTES(values, before, sizeof before);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P1, map.bytes, map.len));
    CHECK(memcmp(values, before, sizeof before) != 0);
    sample_reset();
}

static void lists_are_walked_element_by_element(void)
{
    acd_value values[ACD_FIELDS_MAX];
    acd_value element;
    acd_list list;
    sample map = sample_map(ACD_NAK, SAMPLE_LARGE);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_NAK, map.bytes, map.len));
    acd_value ranges = values[sample_index(ACD_NAK, ACD_NAK_BAD_RANGES)];
    CHECK(ranges.number == 4);
    CHECK_STATUS(ACD_OK, acd_list_begin(&list, &ranges));
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_STATUS(ACD_OK, acd_list_next(&list, &element));
        CHECK(element.number == (UINT64_C(1) << 49) - i);
    }
    CHECK(list.remaining == 0);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_list_next(&list, &element));

    map = sample_map(ACD_P2, SAMPLE_LARGE);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P2, map.bytes, map.len));
    CHECK_STATUS(ACD_OK, acd_list_begin(&list, &values[sample_index(ACD_P2, ACD_P2_TOKENS)]));
    while (list.remaining > 0) {
        CHECK_STATUS(ACD_OK, acd_list_next(&list, &element));
        CHECK_STATUS(ACD_OK, decode(ACD_TOKEN_INPUT, (sample){(uint8_t *)element.bytes, element.len}));
    }
    map = sample_map(ACD_CONTRACT, SAMPLE_LARGE);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_CONTRACT, map.bytes, map.len));
    CHECK_STATUS(ACD_OK, acd_list_begin(&list, &values[sample_index(ACD_CONTRACT, ACD_CONTRACT_BANKS)]));
    CHECK_STATUS(ACD_OK, acd_list_next(&list, &element));
    CHECK(element.len == 32 && element.bytes[0] == (uint8_t)(ACD_CONTRACT_BANKS + 64));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, acd_list_begin(&list, &(acd_value){1, 0, (const uint8_t *)"\xa0", 1}));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_list_begin(&list, &(acd_value){0}));
    CHECK_STATUS(ACD_OK, acd_list_begin(&list, &(acd_value){1, 0, (const uint8_t *)"\x81\xf6", 2}));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, acd_list_next(&list, &element));
    CHECK_STATUS(ACD_OK, acd_list_begin(&list, &(acd_value){1, 0, (const uint8_t *)"\x81", 1}));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_list_next(&list, &element));
    sample_reset();
}

static void misuse_is_told_apart(void)
{
    acd_value values[ACD_FIELDS_MAX + 1];
    uint8_t out[64];
    size_t len = 0;
    memset(values, 0, sizeof values);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(values, 1, ACD_P4, "\xa0", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(values, 24, ACD_NONE, "\xa0", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(values, 24, ACD_TYPE_COUNT, "\xa0", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(values, 24, (acd_message_type)-1, "\xa0", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(NULL, 24, ACD_P4, "\xa0", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_decode(values, 24, ACD_P4, NULL, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_encode(out, sizeof out, &len, ACD_P4, values, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_encode(out, sizeof out, &len, ACD_NONE, values, 24));
    sample_values(values, ACD_COSIGN, SAMPLE_SMALL);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_map_encode(out, sizeof out, &len, ACD_COSIGN, values, 24));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_map_encode(NULL, 0, &len, ACD_COSIGN, values, 24));
    values[5].present = 1;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_encode(out, sizeof out, &len, ACD_COSIGN, values, 24));
    values[5].present = 0;
    values[0].bytes = NULL;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_map_encode(out, sizeof out, &len, ACD_COSIGN, values, 24));
    CHECK(len == 0);
    CHECK(acd_map_field(ACD_NONE, 0) == -1);
}

int main(void)
{
    RUN(every_message_encodes_back_to_the_same_bytes);
    RUN(every_missing_required_field_is_noticed);
    RUN(every_field_of_another_kind_is_refused);
    RUN(every_limit_holds_on_both_sides);
    RUN(every_list_count_holds_on_both_sides);
    RUN(every_cut_short_message_is_refused);
    RUN(unknown_keys_are_refused);
    RUN(keys_are_in_order_and_unique);
    RUN(money_has_a_currency_of_three_capitals);
    RUN(what_stands_in_inner_maps_is_checked_too);
    RUN(a_container_says_its_name_and_version);
    RUN(truths_are_only_false_and_true);
    RUN(values_are_untouched_when_decoding_fails);
    RUN(lists_are_walked_element_by_element);
    RUN(misuse_is_told_apart);
    return TEST_RESULT();
}
