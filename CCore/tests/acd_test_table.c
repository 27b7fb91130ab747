/* acd_test_table.c: the invariants of the table of messages, which the codec and COSE rely on. */
#include "acd_test.h"

static int encoded_key(int key)
{
    return key >= 0 ? key : 0x20 + (-1 - key);
}

static void fields_stand_in_ascending_order_of_their_encoded_keys(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        CHECK(info != NULL && info->field_count > 0 && info->field_count <= ACD_FIELDS_MAX);
        for (size_t i = 0; i < info->field_count; i++) {
            const acd_field *field = &info->fields[i];
            CHECK(field->key >= -24 && field->key <= 23);
            CHECK(i == 0 || encoded_key(info->fields[i - 1].key) < encoded_key(field->key));
            CHECK(acd_map_field((acd_message_type)type, field->key) == (int)i);
            CHECK(field->range->min <= field->range->max && field->count_min <= field->count_max);
            CHECK(field->name != NULL && field->name[0] != '\0');
        }
    }
}

static void names_are_unique_and_found_again(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        CHECK(acd_message_type_named(info->name, strlen(info->name)) == (acd_message_type)type);
        CHECK(strlen(info->name) <= 23); /* one-byte head in the protected header */
        CHECK(info->label[0] != '\0' && info->title[0] != '\0');
    }
    CHECK(acd_message_type_named("acd-p", 5) == ACD_NONE);
    CHECK(acd_message_type_named("acd-p11", 7) == ACD_NONE);
    CHECK(acd_message_type_named("", 0) == ACD_NONE);
    CHECK(acd_message_type_named(NULL, 0) == ACD_NONE);
    CHECK(acd_message_info_of(ACD_NONE) == NULL);
    CHECK(acd_message_info_of(ACD_TYPE_COUNT) == NULL);
}

/* How many maps can wait in the decoder's worklist below `type`, and how deep they nest; by rounds, not by
 * recursion. */
static void inner_maps_nest_no_deeper_than_the_worklist(void)
{
    unsigned depth[ACD_TYPE_COUNT] = {0};
    unsigned waiting[ACD_TYPE_COUNT] = {0};
    for (int round = 0; round < 4; round++) {
        for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
            const acd_message_info *info = acd_message_info_of((acd_message_type)type);
            unsigned maps = 0;
            unsigned deepest = 0;
            for (size_t i = 0; i < info->field_count; i++) {
                const acd_field *field = &info->fields[i];
                if (field->kind == ACD_FIELD_MAP || field->kind == ACD_FIELD_MAP_LIST) {
                    CHECK(field->sub > ACD_TIMESTAMP && field->sub < ACD_TYPE_COUNT);
                    maps++;
                    depth[type] = depth[field->sub] + 1 > depth[type] ? depth[field->sub] + 1 : depth[type];
                    deepest = waiting[field->sub] > deepest ? waiting[field->sub] : deepest;
                }
            }
            waiting[type] = maps + deepest;
        }
    }
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        CHECK(depth[type] <= 2);
        CHECK(waiting[type] <= 8);
    }
}

static void only_containers_have_a_format_and_no_signer(void)
{
    for (int type = ACD_NONE + 1; type < ACD_TYPE_COUNT; type++) {
        const acd_message_info *info = acd_message_info_of((acd_message_type)type);
        int is_container = type == ACD_RECEIPT || type == ACD_BUNDLE || type == ACD_SEALED ||
                           type == ACD_PAYMENT || type == ACD_TIMESTAMP;
        int is_inner = type > ACD_TIMESTAMP;
        CHECK((acd_map_field((acd_message_type)type, ACD_KEY_FORMAT) >= 0) == is_container);
        CHECK((info->signers == 0) == (is_container || is_inner));
        if (is_container) {
            int format = acd_map_field((acd_message_type)type, ACD_KEY_FORMAT);
            CHECK(info->fields[format].range->min == strlen(info->name) && strchr(info->name, '/') != NULL);
        }
    }
}

static void every_status_has_its_own_name(void)
{
    static const acd_status all[] = {ACD_OK,
                                     ACD_ERR_MISUSE,
                                     ACD_ERR_NOT_INITIALISED,
                                     ACD_ERR_TRUNCATED,
                                     ACD_ERR_TRAILING,
                                     ACD_ERR_MALFORMED,
                                     ACD_ERR_DEPTH,
                                     ACD_ERR_UNKNOWN_TYPE,
                                     ACD_ERR_UNEXPECTED_TYPE,
                                     ACD_ERR_MISSING_FIELD,
                                     ACD_ERR_UNKNOWN_FIELD,
                                     ACD_ERR_FIELD_KIND,
                                     ACD_ERR_FIELD_RANGE,
                                     ACD_ERR_VERSION,
                                     ACD_ERR_UTF8,
                                     ACD_ERR_NOT_SHORTEST,
                                     ACD_ERR_KEY_ORDER,
                                     ACD_ERR_DUPLICATE_KEY,
                                     ACD_ERR_INDEFINITE,
                                     ACD_ERR_AUTHENTICATION,
                                     ACD_ERR_BAD_KEY,
                                     ACD_ERR_UNTRUSTED,
                                     ACD_ERR_EXPIRED,
                                     ACD_ERR_MISMATCH,
                                     ACD_ERR_REVOKED,
                                     ACD_ERR_NO_SPACE,
                                     ACD_ERR_TOO_LARGE};
    size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++) {
        CHECK(strcmp(acd_status_name(all[i]), "unknown") != 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(strcmp(acd_status_name(all[i]), acd_status_name(all[k])) != 0);
        }
    }
    CHECK(strcmp(acd_status_name((acd_status)999), "unknown") == 0);
    CHECK(strcmp(acd_status_name(ACD_ERR_AUTHENTICATION), "authentication") == 0);
}

int main(void)
{
    RUN(fields_stand_in_ascending_order_of_their_encoded_keys);
    RUN(names_are_unique_and_found_again);
    RUN(inner_maps_nest_no_deeper_than_the_worklist);
    RUN(only_containers_have_a_format_and_no_signer);
    RUN(every_status_has_its_own_name);
    return TEST_RESULT();
}
