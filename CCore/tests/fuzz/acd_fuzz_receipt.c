/* acd_fuzz_receipt.c: two bytes give the trust list's length; then the list, then the receipt. No input may
 * be found genuine but the seed itself, whose signatures the fuzzer cannot make; facts are zero on every
 * failure. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX];
    static const acd_receipt_facts zero;
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    if (acd_crypto_init() != ACD_OK || size < 2) {
        return 0;
    }
    size_t trust_len = (size_t)data[0] << 8 | data[1];
    if (trust_len > size - 2 || size > sizeof scratch) {
        return 0;
    }
    acd_status status =
        acd_receipt_verify(&facts, &failed, data + 2 + trust_len, size - 2 - trust_len, data + 2, trust_len,
                           NULL, UINT64_C(1760000000), scratch, sizeof scratch);
    if ((status == ACD_OK) != (failed == ACD_CHECK_NONE) ||
        (status != ACD_OK && memcmp(&facts, &zero, sizeof zero) != 0)) {
        abort();
    }
    return 0;
}
