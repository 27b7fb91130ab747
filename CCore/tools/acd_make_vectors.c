/* acd_make_vectors.c: writes Tests/Vectors/{accept,reject}. Usage: acd_make_vectors <Tests/Vectors>
 *
 * Invariants: the output depends on nothing but the sources, so a test can compare it with what is there.
 * Each reject vector breaks the one rule that it names; everything else in it is right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "acd_diagnostic.h"
#include "acd_make_vectors.h"

static const char *root;

/* MARK: Writing */

void vector_hex(FILE *file, const char *key, sample bytes)
{
    fprintf(file, "%s:", key);
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(file, i % 48u == 0 ? "\n  %02x" : "%02x", (unsigned)bytes.bytes[i]);
    }
    fputc('\n', file);
}

FILE *vector_begin(const char *name, const char *rule, acd_status expect, const char *what)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s.txt", root, expect == ACD_OK ? "accept" : "reject", name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "name: %s\nrule: %s\nexpect: %s\nwhat: %s\n", name, rule, acd_status_name(expect), what);
    return file;
}

void vector_put(const char *name, const char *rule, acd_status expect, const char *what, sample bytes)
{
    FILE *file = vector_begin(name, rule, expect, what);
    if (expect == ACD_OK && bytes.len <= 1024u) {
        fputs("diagnostic: ", file);
        diagnostic_print(file, bytes.bytes, bytes.len);
        fputc('\n', file);
    }
    vector_hex(file, "hex", bytes);
    fclose(file);
}

/* MARK: CBOR */

static void make_cbor(void)
{
    static const struct {
        const char *name, *rule, *hex;
        acd_status expect;
    } rows[] = {
        {"cbor-integers", "integers have their shortest form",
         "87 00 17 1818 1903e8 20 3818 3b7fffffffffffffff", ACD_OK},
        {"cbor-largest-integers", "integers reach 2^64 - 1 and -2^64",
         "82 1bffffffffffffffff 3bffffffffffffffff", ACD_OK},
        {"cbor-strings", "strings have their length", "84 40 4101 60 63e6b0b4", ACD_OK},
        {"cbor-map-key-order", "keys ascend by their encoding: 0..23, then -1..-24", "a3 00 01 17 02 20 03",
         ACD_OK},
        {"cbor-simple-values", "false, true and null", "83 f4 f5 f6", ACD_OK},
        {"cbor-tag-18", "the only tag is 18", "d2 80", ACD_OK},
        {"cbor-deepest", "16 containers may be open at once", "81818181818181818181818181818181 00", ACD_OK},
        {"cbor-empty-input", "there is an item", "", ACD_ERR_TRUNCATED},
        {"cbor-truncated-head", "a head is complete", "19 01", ACD_ERR_TRUNCATED},
        {"cbor-truncated-string", "a string is complete", "43 0102", ACD_ERR_TRUNCATED},
        {"cbor-truncated-array", "an array is complete", "82 00", ACD_ERR_TRUNCATED},
        {"cbor-truncated-map", "a map is complete", "a1 00", ACD_ERR_TRUNCATED},
        {"cbor-huge-length", "a length is no larger than the input", "5b ffffffffffffffff 00",
         ACD_ERR_TRUNCATED},
        {"cbor-huge-count", "a count is no larger than the input", "9b ffffffffffffffff 00",
         ACD_ERR_TRUNCATED},
        {"cbor-trailing-byte", "nothing follows the item", "00 00", ACD_ERR_TRAILING},
        {"cbor-long-integer-8", "an integer has its shortest form", "18 17", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-integer-16", "an integer has its shortest form", "19 00ff", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-integer-32", "an integer has its shortest form", "1a 0000ffff", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-integer-64", "an integer has its shortest form", "1b 00000000ffffffff",
         ACD_ERR_NOT_SHORTEST},
        {"cbor-long-negative", "a negative integer has its shortest form", "38 00", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-string-length", "a length has its shortest form", "58 01 00", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-array-count", "a count has its shortest form", "98 01 00", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-map-count", "a count has its shortest form", "b8 00", ACD_ERR_NOT_SHORTEST},
        {"cbor-long-tag", "a tag has its shortest form", "d8 12 00", ACD_ERR_NOT_SHORTEST},
        {"cbor-indefinite-bytes", "no indefinite lengths", "5f 41 00 ff", ACD_ERR_INDEFINITE},
        {"cbor-indefinite-text", "no indefinite lengths", "7f 61 61 ff", ACD_ERR_INDEFINITE},
        {"cbor-indefinite-array", "no indefinite lengths", "9f 00 ff", ACD_ERR_INDEFINITE},
        {"cbor-indefinite-map", "no indefinite lengths", "bf 00 00 ff", ACD_ERR_INDEFINITE},
        {"cbor-break", "no break outside an indefinite length", "ff", ACD_ERR_INDEFINITE},
        {"cbor-float-16", "no floating-point numbers", "f9 3c00", ACD_ERR_MALFORMED},
        {"cbor-float-32", "no floating-point numbers", "fa 3f800000", ACD_ERR_MALFORMED},
        {"cbor-float-64", "no floating-point numbers", "fb 3ff0000000000000", ACD_ERR_MALFORMED},
        {"cbor-undefined", "no simple values but false, true, null", "f7", ACD_ERR_MALFORMED},
        {"cbor-simple-0", "no simple values but false, true, null", "e0", ACD_ERR_MALFORMED},
        {"cbor-simple-long", "no simple values but false, true, null", "f8 ff", ACD_ERR_MALFORMED},
        {"cbor-reserved-28", "additional information 28 to 30 is reserved", "1c", ACD_ERR_MALFORMED},
        {"cbor-tag-0", "no tag but 18", "c0 00", ACD_ERR_MALFORMED},
        {"cbor-tag-self-described", "no tag but 18", "d9 d9f7 00", ACD_ERR_MALFORMED},
        {"cbor-key-order", "keys ascend", "a2 01 00 00 00", ACD_ERR_KEY_ORDER},
        {"cbor-key-order-negative", "negative keys come after the others", "a2 20 00 00 00",
         ACD_ERR_KEY_ORDER},
        {"cbor-duplicate-key", "keys are unique", "a2 00 00 00 00", ACD_ERR_DUPLICATE_KEY},
        {"cbor-duplicate-key-inside", "keys are unique at every depth", "81 a1 00 a2 05 00 05 00",
         ACD_ERR_DUPLICATE_KEY},
        {"cbor-text-key", "keys are integers", "a1 61 61 00", ACD_ERR_FIELD_KIND},
        {"cbor-key-24", "keys lie in -24..23", "a1 18 18 00", ACD_ERR_FIELD_KIND},
        {"cbor-key-minus-25", "keys lie in -24..23", "a1 38 18 00", ACD_ERR_FIELD_KIND},
        {"cbor-too-deep", "no more than 16 containers are open at once",
         "8181818181818181818181818181818181 00", ACD_ERR_DEPTH},
        {"cbor-utf8-stray", "text is UTF-8", "61 80", ACD_ERR_UTF8},
        {"cbor-utf8-short", "text is UTF-8", "62 e6b0", ACD_ERR_UTF8},
        {"cbor-utf8-overlong", "UTF-8 has its shortest form", "62 c080", ACD_ERR_UTF8},
        {"cbor-utf8-surrogate", "UTF-8 has no surrogates", "63 eda080", ACD_ERR_UTF8},
        {"cbor-utf8-beyond", "UTF-8 ends at U+10FFFF", "64 f4908080", ACD_ERR_UTF8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vector_put(rows[i].name, rows[i].rule, rows[i].expect, "cbor", sample_hex(rows[i].hex));
    }
}

/* MARK: Maps */

/* "acd-receipt/1" as part of a file name. */
static void file_name(char out[128], const char *start, const char *type, const char *end)
{
    snprintf(out, 128, "%s-%s%s", start, type, end);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '/' ? '-' : *c;
    }
}

/* What every type accepts, and what every type refuses. */
static void make_maps_of(acd_message_type type)
{
    const acd_message_info *info = acd_message_info_of(type);
    char name[128];
    char what[64];
    snprintf(what, sizeof what, "map %s", info->name);
    file_name(name, "map", info->name, "-small");
    vector_put(name, "required fields at their lower limits", ACD_OK, what, sample_map(type, SAMPLE_SMALL));
    file_name(name, "map", info->name, "-large");
    vector_put(name, "all fields, at or near their upper limits", ACD_OK, what,
               sample_map(type, SAMPLE_LARGE));
    file_name(name, "map", info->name, "-empty");
    vector_put(name, "required fields are there", ACD_ERR_MISSING_FIELD, what, sample_hex("a0"));
    file_name(name, "map", info->name, "-unknown-key");
    vector_put(name, "keys are those of the table", ACD_ERR_UNKNOWN_FIELD, what, sample_hex("a1 37 00"));
    sample_reset();
}

/* The small sample with one field's value replaced by other bytes: by hand, because the codec writes nothing
 * that it would refuse. */
static sample replace(acd_message_type type, int key, const char *value_hex)
{
    acd_value values[ACD_FIELDS_MAX];
    const acd_message_info *info = acd_message_info_of(type);
    sample value = sample_hex(value_hex);
    sample whole = sample_map(type, SAMPLE_SMALL);
    uint8_t *out = sample_alloc(whole.len + value.len + 32u);
    acd_cbor_writer writer;
    acd_cbor_reader reader;
    acd_cbor_item item;
    size_t len = 0;
    uint64_t pairs = 0;
    sample_values(values, type, SAMPLE_SMALL);
    for (size_t i = 0; i < info->field_count; i++) {
        pairs += values[i].present || info->fields[i].key == key;
    }
    acd_cbor_writer_init(&writer, out, whole.len + value.len + 32u);
    acd_cbor_put_map(&writer, pairs);
    acd_cbor_reader_init(&reader, whole.bytes, whole.len);
    if (acd_cbor_next(&reader, &item) != ACD_OK) {
        abort();
    }
    for (size_t i = 0; i < info->field_count; i++) {
        const uint8_t *raw = NULL;
        size_t raw_len = 0;
        if (values[i].present &&
            (acd_cbor_next(&reader, &item) != ACD_OK || acd_cbor_skip(&reader, &raw, &raw_len) != ACD_OK)) {
            abort();
        }
        if (info->fields[i].key == key) {
            raw = value.bytes;
            raw_len = value.len;
        }
        if (raw != NULL) {
            acd_cbor_put_int(&writer, info->fields[i].key);
            acd_cbor_put_raw(&writer, raw, raw_len);
        }
    }
    if (acd_cbor_writer_finish(&writer, &len) != ACD_OK) {
        abort();
    }
    return (sample){out, len};
}

/* One field of a small sample, replaced by a value that breaks one rule. */
static const struct {
    const char *name, *rule;
    acd_message_type type;
    int key;
    const char *value;
    acd_status expect;
} map_rules[] = {
    {"map-number-too-small", "a number is no smaller than its limit", ACD_P5B, ACD_KEY_REASON, "00",
     ACD_ERR_FIELD_RANGE},
    {"map-number-too-large", "a number is no larger than its limit", ACD_P5B, ACD_KEY_REASON, "190100",
     ACD_ERR_FIELD_RANGE},
    {"map-number-negative", "a number is unsigned", ACD_P5B, ACD_KEY_REASON, "20", ACD_ERR_FIELD_KIND},
    {"map-time-zero", "a time is not 0", ACD_P5A, ACD_KEY_AT, "00", ACD_ERR_FIELD_RANGE},
    {"map-time-too-late", "a time ends with the year 9999", ACD_P5A, ACD_KEY_AT, "1b 0000003afff44180",
     ACD_ERR_FIELD_RANGE},
    {"map-n-too-short", "n has 16 bytes", ACD_CANCEL, ACD_KEY_N, "4f 000102030405060708090a0b0c0d0e",
     ACD_ERR_FIELD_RANGE},
    {"map-n-too-long", "n has 16 bytes", ACD_CANCEL, ACD_KEY_N, "51 000102030405060708090a0b0c0d0e0f10",
     ACD_ERR_FIELD_RANGE},
    {"map-n-as-text", "n is a byte string", ACD_CANCEL, ACD_KEY_N, "70 61616161616161616161616161616161",
     ACD_ERR_FIELD_KIND},
    {"map-text-as-bytes", "text is a text string", ACD_CREDIT, ACD_CREDIT_ACCOUNT, "41 61",
     ACD_ERR_FIELD_KIND},
    {"map-text-empty", "a text is no shorter than its limit", ACD_CREDIT, ACD_CREDIT_ACCOUNT, "60",
     ACD_ERR_FIELD_RANGE},
    {"map-text-not-utf8", "text is UTF-8", ACD_CREDIT, ACD_CREDIT_ACCOUNT, "62 c328", ACD_ERR_UTF8},
    {"map-bool-null", "a truth is false or true", ACD_NAK, ACD_NAK_DECLINE, "f6", ACD_ERR_FIELD_KIND},
    {"map-bool-number", "a truth is false or true", ACD_NAK, ACD_NAK_DECLINE, "01", ACD_ERR_FIELD_KIND},
    {"map-money-lower-case", "a currency is three capital letters", ACD_CREDIT, ACD_KEY_VALUE,
     "82 63 636866 00", ACD_ERR_FIELD_RANGE},
    {"map-money-two-letters", "a currency is three capital letters", ACD_CREDIT, ACD_KEY_VALUE,
     "82 62 4348 00", ACD_ERR_FIELD_RANGE},
    {"map-money-bytes", "a currency is text", ACD_CREDIT, ACD_KEY_VALUE, "82 43 434846 00",
     ACD_ERR_FIELD_KIND},
    {"map-money-one-part", "money has a currency and an amount", ACD_CREDIT, ACD_KEY_VALUE, "81 63 434846",
     ACD_ERR_FIELD_KIND},
    {"map-money-three-parts", "money has a currency and an amount", ACD_CREDIT, ACD_KEY_VALUE,
     "83 63 434846 00 00", ACD_ERR_FIELD_KIND},
    {"map-money-negative", "an amount is unsigned", ACD_CREDIT, ACD_KEY_VALUE, "82 63 434846 20",
     ACD_ERR_FIELD_KIND},
    {"map-money-too-large", "an amount is at most 2^53 - 1", ACD_CREDIT, ACD_KEY_VALUE,
     "82 63 434846 1b 0020000000000000", ACD_ERR_FIELD_RANGE},
    {"map-list-too-short", "a list is no shorter than its limit", ACD_X2, ACD_X2_SIGNATURES, "80",
     ACD_ERR_FIELD_RANGE},
    {"map-list-too-long", "a list is no longer than its limit", ACD_CONTRACT, ACD_CONTRACT_DIGESTS,
     "91 40 40 40 40 40 40 40 40 40 40 40 40 40 40 40 40 40", ACD_ERR_FIELD_RANGE},
    {"map-list-element-size", "each element has its size", ACD_CONTRACT, ACD_CONTRACT_DIGESTS, "81 41 00",
     ACD_ERR_FIELD_RANGE},
    {"map-list-element-kind", "each element is of its kind", ACD_CONTRACT, ACD_CONTRACT_DIGESTS, "81 00",
     ACD_ERR_FIELD_KIND},
    {"map-list-as-map", "a list is an array", ACD_CONTRACT, ACD_CONTRACT_DIGESTS, "a0", ACD_ERR_FIELD_KIND},
    {"map-inner-missing-field", "inner maps have their required fields", ACD_P1, ACD_P1_CONTRACT, "a0",
     ACD_ERR_MISSING_FIELD},
    {"map-inner-unknown-key", "inner maps have no unknown keys", ACD_P1, ACD_P1_CONTRACT, "a1 00 00",
     ACD_ERR_UNKNOWN_FIELD},
    {"map-inner-array", "an inner map is a map", ACD_P1, ACD_P1_CONTRACT, "80", ACD_ERR_FIELD_KIND},
    {"map-inner-list-missing-field", "maps in lists have their required fields", ACD_P2, ACD_P2_TOKENS,
     "81 a1 21 01", ACD_ERR_MISSING_FIELD},
    {"map-inner-twice-missing-field", "maps in maps in lists have their required fields", ACD_P2,
     ACD_P2_TOKENS, "81 a2 20 a0 21 01", ACD_ERR_MISSING_FIELD},
    {"map-format-version", "a container has the version that is known", ACD_RECEIPT, ACD_KEY_FORMAT,
     "6d 6163642d726563656970742f32", ACD_ERR_VERSION},
    {"map-format-other", "a container says its own name", ACD_RECEIPT, ACD_KEY_FORMAT,
     "6c 6163642d62756e646c652f31", ACD_ERR_UNEXPECTED_TYPE},
    {"map-message-too-short", "a nested message has its size", ACD_P5A, ACD_P5A_P4, "41 00",
     ACD_ERR_FIELD_RANGE},
};

static void make_map_rules(void)
{
    for (size_t i = 0; i < sizeof map_rules / sizeof map_rules[0]; i++) {
        char what[64];
        snprintf(what, sizeof what, "map %s", acd_message_info_of(map_rules[i].type)->name);
        vector_put(map_rules[i].name, map_rules[i].rule, map_rules[i].expect, what,
                   replace(map_rules[i].type, map_rules[i].key, map_rules[i].value));
        sample_reset();
    }
    sample map = sample_map(ACD_P4, SAMPLE_SMALL);
    vector_put("map-trailing", "nothing follows the map", ACD_ERR_TRAILING, "map acd-p4",
               sample_copy(map.bytes, map.len + 1u));
    vector_put("map-null", "an absent field is left out, not null", ACD_ERR_FIELD_KIND, "map acd-status",
               sample_hex("a1 06 f6"));
    vector_put("map-not-a-map", "a message is a map", ACD_ERR_MALFORMED, "map acd-p4", sample_hex("80"));
    vector_put("map-key-order", "keys ascend", ACD_ERR_KEY_ORDER, "map acd-status",
               sample_hex("a2 15 00 0d 01"));
    vector_put("map-duplicate-key", "keys are unique", ACD_ERR_DUPLICATE_KEY, "map acd-status",
               sample_hex("a2 0d 01 0d 01"));
    vector_put("map-text-key", "keys are integers", ACD_ERR_FIELD_KIND, "map acd-status",
               sample_hex("a1 61 61 00"));
}

int main(int argc, char **argv)
{
    if (argc != 2 || acd_crypto_init() != ACD_OK) {
        fprintf(stderr, "usage: acd_make_vectors <Tests/Vectors>\n");
        return 2;
    }
    root = argv[1];
    make_cbor();
    make_map_rules();
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        make_maps_of((acd_message_type)type);
    }
    make_signed_vectors();
    return 0;
}
