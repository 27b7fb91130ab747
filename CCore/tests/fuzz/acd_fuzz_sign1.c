/* acd_fuzz_sign1.c: what parses is deterministic CBOR and, signed again with another key, has the same shape.
 */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_sign1 parsed;
    acd_sign1 again;
    size_t offset = 0;
    size_t len = 0;
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    static const uint8_t seed[ACD_SEED_SIZE] = {1};
    if (acd_crypto_init() != ACD_OK || acd_sign1_parse(&parsed, data, size) != ACD_OK) {
        return 0;
    }
    uint8_t *buffer = malloc(parsed.payload_len + ACD_SIGN1_OVERHEAD + size);
    (void)!acd_sign1_verify(&parsed, buffer, size + ACD_SIGN1_PREFIX);
    if (memcmp(buffer + ACD_SIGN1_PREFIX, data, size) != 0 || acd_cbor_check(data, size) != ACD_OK) {
        abort();
    }
    acd_key_from_seed(public_key, secret_key, seed);
    memcpy(buffer + ACD_SIGN1_HEADROOM, parsed.payload, parsed.payload_len);
    if (acd_sign1_sign_in_place(buffer, parsed.payload_len + ACD_SIGN1_OVERHEAD, &offset, &len,
                                parsed.payload_len, parsed.type, secret_key) != ACD_OK ||
        len != size || acd_sign1_parse(&again, buffer + offset, len) != ACD_OK || again.type != parsed.type ||
        acd_sign1_verify_in_place(&again, buffer + offset) != ACD_OK) {
        abort();
    }
    free(buffer);
    return 0;
}
