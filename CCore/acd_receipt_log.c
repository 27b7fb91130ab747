/* acd_receipt_log.c: the archive's log in a receipt: the policy of the trust list, and the proof. A file of
 * its own, so that a device without it carries none of the log's code. Source: docs/SPEC.md, "Receipt",
 * "Log".
 */
#include <string.h>
#include "acd/receipt.h"
#include "acd/tlog.h"
#include "acd_internal.h"
#include "acd_receipt_internal.h"

/* All signatures are checked by now, so that scratch is free: the policy's 2.4 KiB stand there. */
static acd_policy *policy_place(const acd_receipt_log *view)
{
    uintptr_t over = (uintptr_t)view->scratch % _Alignof(acd_policy);
    return (acd_policy *)(void *)((uint8_t *)view->scratch + (over == 0 ? 0 : _Alignof(acd_policy) - over));
}

_Static_assert(sizeof(acd_policy) + _Alignof(acd_policy) <= ACD_RECEIPT_SCRATCH_MIN,
               "scratch holds a policy");

static acd_status check_log_proof(acd_receipt_facts *facts, acd_receipt_log *view)
{
    if (view->policy.bytes == NULL) {
        return ACD_OK;
    }
    acd_policy *policy = policy_place(view);
    ACD_TRY(acd_policy_read(policy, (const char *)view->policy.bytes, view->policy.len));
    if (!acd_policy_covers(policy, facts->archive)) {
        return ACD_OK; /* the list has no policy for this archive */
    }
    if (view->proof.bytes == NULL) {
        return ACD_ERR_UNTRUSTED;
    }
    acd_leaf leaf = {.kind = ACD_LEAF_COMMIT, .at = facts->committed_at};
    acd_proof_facts found;
    acd_leaf_transaction(leaf.subject, facts->merchant, facts->n);
    memcpy(leaf.lock, facts->lock, sizeof leaf.lock);
    acd_sha256(leaf.body, view->p5a.bytes, view->p5a.len);
    ACD_TRY(acd_outcome_verify(&found, view->proof.bytes, view->proof.len, &leaf, facts->lifetime,
                               facts->archive, policy, view->skew_seconds));
    facts->is_logged = 1;
    facts->fresh = found.cosigned.fresh;
    view->has_times = !policy->is_none;
    return ACD_OK;
}

acd_status acd_receipt_verify(acd_receipt_facts *facts, acd_receipt_check *failed, const void *receipt,
                              size_t receipt_len, const void *trust, size_t trust_len,
                              const uint8_t *authority, uint64_t now, void *scratch, size_t scratch_cap)
{
    const acd_receipt_input input = {{receipt, receipt_len}, {trust, trust_len}, authority, now,
                                     scratch, scratch_cap};
    return acd_receipt_run(facts, failed, &input, check_log_proof);
}
