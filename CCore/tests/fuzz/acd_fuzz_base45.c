/* acd_fuzz_base45.c: what decodes, encodes to the same text; every input as bytes comes back from its text.
 */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(ACD_BASE45_ENCODED_SIZE(size) + 1);
    uint8_t *bytes = malloc(size + 1);
    size_t text_len = 0;
    size_t bytes_len = 0;
    if (acd_base45_decode(bytes, size, &bytes_len, (const char *)data, size) == ACD_OK) {
        if (acd_base45_encode(text, size, &text_len, bytes, bytes_len) != ACD_OK || text_len != size ||
            memcmp(text, data, size) != 0) {
            abort();
        }
    }
    if (acd_base45_encode(text, ACD_BASE45_ENCODED_SIZE(size), &text_len, data, size) != ACD_OK ||
        acd_base45_decode(bytes, size, &bytes_len, text, text_len) != ACD_OK || bytes_len != size ||
        memcmp(bytes, data, size) != 0) {
        abort();
    }
    free(text);
    free(bytes);
    return 0;
}
