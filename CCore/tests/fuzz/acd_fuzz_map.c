/* acd_fuzz_map.c: the first byte chooses the type; what decodes, encodes to the same bytes and is
 * deterministic CBOR. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const acd_value *value)
{
    acd_list list;
    acd_value element;
    if (acd_list_begin(&list, value) != ACD_OK || list.remaining != value->number) {
        abort();
    }
    while (list.remaining > 0) {
        if (acd_list_next(&list, &element) != ACD_OK) {
            abort();
        }
    }
    if (list.at != list.end) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    acd_message_type type = (acd_message_type)(1 + data[0] % (ACD_TYPE_COUNT - 1));
    const acd_message_info *info = acd_message_info_of(type);
    acd_value values[ACD_FIELDS_MAX];
    memset(values, 0, sizeof values);
    if (acd_map_decode(values, ACD_FIELDS_MAX, type, data + 1, size - 1) != ACD_OK) {
        return 0;
    }
    for (size_t i = 0; i < info->field_count; i++) {
        if (values[i].present && info->fields[i].kind >= ACD_FIELD_BYTES_LIST) {
            walk(&values[i]);
        }
    }
    uint8_t *out = malloc(size);
    size_t len = 0;
    if (acd_map_encode(out, size, &len, type, values, ACD_FIELDS_MAX) != ACD_OK || len != size - 1 ||
        memcmp(out, data + 1, len) != 0 || acd_cbor_check(data + 1, size - 1) != ACD_OK) {
        abort();
    }
    free(out);
    return 0;
}
