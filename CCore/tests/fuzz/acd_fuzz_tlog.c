/* acd_fuzz_tlog.c: the input as a policy, a checkpoint, a leaf, and a proof under a fixed policy. What was
 * accepted has to be written again as it was read. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* C2SP's example key as a log, no witness: proofs reach the signature. */
static const char policy_text[] =
    "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\nquorum none\n";

static void fuzz_checkpoint(const char *text, size_t size)
{
    acd_checkpoint read;
    char written[ACD_CHECKPOINT_TEXT_MAX];
    size_t len = 0;
    if (acd_checkpoint_read(&read, text, size) == ACD_OK &&
        acd_checkpoint_write(written, sizeof written, &len, &read) == ACD_OK &&
        (len > size || memcmp(written, text, len) != 0)) {
        abort();
    }
}

static void fuzz_proof(const uint8_t *data, size_t size)
{
    static const uint8_t leaf_hash[ACD_HASH_SIZE];
    static uint8_t packed[ACD_PROOF_SIZE_MAX];
    acd_policy policy;
    acd_proof_facts facts;
    acd_proof_facts again;
    size_t len = 0;
    if (acd_policy_read(&policy, policy_text, sizeof policy_text - 1) != ACD_OK) {
        abort();
    }
    acd_status status = acd_proof_verify(&facts, data, size, leaf_hash, &policy);
    if (acd_proof_pack(packed, sizeof packed, &len, (const char *)data, size) == ACD_OK &&
        status == ACD_OK &&
        (acd_proof_verify(&again, packed, len, leaf_hash, &policy) != ACD_OK || again.size != facts.size)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_policy policy;
    acd_leaf leaf;
    uint8_t written[ACD_LEAF_SIZE];
    if (acd_crypto_init() != ACD_OK) {
        return 0;
    }
    if (acd_policy_read(&policy, (const char *)data, size) == ACD_OK &&
        (policy.name_count > ACD_POLICY_NAMES_MAX || policy.log_count > ACD_POLICY_LOGS_MAX ||
         (!policy.is_none && acd_policy_holds(&policy, 0)) || !acd_policy_holds(&policy, UINT64_MAX))) {
        abort();
    }
    if (acd_leaf_read(&leaf, data, size) == ACD_OK) {
        acd_leaf_write(written, &leaf);
        if (memcmp(written, data, size) != 0) {
            abort();
        }
    }
    fuzz_checkpoint((const char *)data, size);
    fuzz_proof(data, size);
    return 0;
}
