/* acd_receipt_internal.h: what the checks of a receipt's messages hand to those of the archive's log. */
#ifndef ACD_RECEIPT_INTERNAL_H
#define ACD_RECEIPT_INTERNAL_H

#include "acd/receipt.h"

typedef struct acd_span {
    const uint8_t *bytes; /* NULL when absent */
    size_t len;
} acd_span;

/* What the call was given. */
typedef struct acd_receipt_input {
    acd_span receipt, trust;
    const uint8_t *authority;
    uint64_t now;
    void *scratch;
    size_t scratch_cap;
} acd_receipt_input;

/* What is left of the messages when the log is checked. */
typedef struct acd_receipt_log {
    acd_span policy, proof, p5a;
    uint64_t skew_seconds, age_seconds, now;
    void *scratch;
    int has_times; /* the policy wants witnesses, who say times */
} acd_receipt_log;

typedef acd_status (*acd_proof_check)(acd_receipt_facts *facts, acd_receipt_log *log);

/* All checks, with one for the log's proof. */
ACD_MUST_CHECK acd_status acd_receipt_run(acd_receipt_facts *facts, acd_receipt_check *failed,
                                          const acd_receipt_input *input, acd_proof_check check_proof);

#endif
