/* acd_size_verifier.c: a program that does nothing but verify a receipt, without the log: what a reader at a
 * counter has to carry at least. It is linked and measured, and not run. */
#include "acd.h"

/* A receipt, a trust list, and the scratch for the longer of them. */
static uint8_t room[ACD_RECEIPT_SIZE_MAX + ACD_TRUST_SIZE_MAX + ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX];

int main(void)
{
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    uint8_t *const trust = room + ACD_RECEIPT_SIZE_MAX;
    uint8_t *const scratch = trust + ACD_TRUST_SIZE_MAX;
    if (acd_crypto_init() != ACD_OK) {
        return 2;
    }
    if (acd_receipt_verify_unlogged(&facts, &failed, room, ACD_RECEIPT_SIZE_MAX, trust, ACD_TRUST_SIZE_MAX,
                                    NULL, trust[0], scratch,
                                    ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX) != ACD_OK) {
        return acd_receipt_check_text(failed)[0] != '\0';
    }
    return 0;
}
