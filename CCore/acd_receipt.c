/* acd_receipt.c: the verification of a paid receipt: bytes + trust list + time. Source: docs/SPEC.md,
 * "Receipt"; US 6,076,078, FIG. 4.
 *
 * Invariants: the checks run in the order of acd_receipt_check, and the first that fails is the one reported.
 * What is read before its signature was checked only serves to find the keys. Stack: one view of the four
 * messages, and one array of values at a time; acd_test_stack.c measures it.
 */
#include "acd/receipt.h"
#include <string.h>
#include "acd/cose.h"
#include "acd_internal.h"
#include "acd_receipt_internal.h"

/* MARK: The view: what the checks need of the messages, borrowed from the inputs */

typedef acd_span span;

typedef struct receipt_view {
    span receipt_in, trust_in;
    const uint8_t *authority;
    uint64_t now;
    void *scratch;
    size_t scratch_cap;

    acd_sign1 trust, p1, p5a, p4;
    uint64_t trust_at, trust_until, skew_seconds, age_seconds;
    acd_value entries;
    span policy;
    span description, proof;

    const uint8_t *n, *hx, *salt;                        /* P1 */
    const uint8_t *pseudonym, *h_description, *currency; /* its contract */
    uint64_t amount, contract_date, expiration_max, contract_lifetime, mode;
    acd_value archives;
    span goods_name, parcel;
    uint64_t committed_at, lifetime; /* P5a */
    span p4_in;
    uint64_t expiration; /* P4 */
    const uint8_t *p4_n, *p4_h_p1, *lock, *k;

    span merchant_name, archive_name; /* the trust list */
    uint8_t h_p1[ACD_HASH_SIZE];
} receipt_view;

/* The value of `key`: the table has it, whoever asks knows the type. */
static const acd_value *field(const acd_value *values, acd_message_type type, int key)
{
    return &values[acd_map_field(type, key)];
}

static span span_of(const acd_value *value)
{
    const span absent = {NULL, 0};
    const span present = {value->bytes, value->len};
    return value->present ? present : absent;
}

/* A signed message of the one type that is expected here. */
static acd_status parse_as(acd_sign1 *out, acd_message_type type, span in)
{
    ACD_TRY(acd_sign1_parse(out, in.bytes, in.len));
    return out->type == type ? ACD_OK : ACD_ERR_UNEXPECTED_TYPE;
}

/* MARK: Formats */

static acd_status check_trust_format(receipt_view *view)
{
    acd_value values[13];
    if (view->trust_in.len > ACD_TRUST_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    ACD_TRY(parse_as(&view->trust, ACD_TRUST_LIST, view->trust_in));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_TRUST_LIST, view->trust.payload,
                           view->trust.payload_len));
    view->trust_at = field(values, ACD_TRUST_LIST, ACD_KEY_AT)->number;
    view->trust_until = field(values, ACD_TRUST_LIST, ACD_KEY_UNTIL)->number;
    view->skew_seconds = field(values, ACD_TRUST_LIST, ACD_TRUST_LIST_SKEW_SECONDS)->number;
    view->entries = *field(values, ACD_TRUST_LIST, ACD_TRUST_LIST_ENTRIES);
    view->policy = span_of(field(values, ACD_TRUST_LIST, ACD_TRUST_LIST_POLICY));
    view->age_seconds = field(values, ACD_TRUST_LIST, ACD_TRUST_LIST_CHECKPOINT_AGE)->number;
    return ACD_OK;
}

static acd_status check_receipt_format(receipt_view *view)
{
    acd_value values[5];
    if (view->receipt_in.len > ACD_RECEIPT_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_RECEIPT, view->receipt_in.bytes,
                           view->receipt_in.len));
    /* The messages are parsed by the next checks, so that each has its own name. */
    const acd_value *p1 = field(values, ACD_RECEIPT, ACD_RECEIPT_P1);
    const acd_value *p5a = field(values, ACD_RECEIPT, ACD_RECEIPT_P5A);
    view->p1.bytes = p1->bytes;
    view->p1.len = p1->len;
    view->p5a.bytes = p5a->bytes;
    view->p5a.len = p5a->len;
    view->description = span_of(field(values, ACD_RECEIPT, ACD_RECEIPT_DESCRIPTION));
    view->proof = span_of(field(values, ACD_RECEIPT, ACD_RECEIPT_PROOF));
    return ACD_OK;
}

static acd_status read_contract(receipt_view *view, const acd_value *contract)
{
    acd_value values[16];
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_CONTRACT, contract->bytes,
                           contract->len));
    const acd_value *price = field(values, ACD_CONTRACT, ACD_KEY_VALUE);
    view->currency = price->bytes;
    view->amount = price->number;
    view->pseudonym = field(values, ACD_CONTRACT, ACD_KEY_PSEUDONYM)->bytes;
    view->expiration_max = field(values, ACD_CONTRACT, ACD_KEY_EXPIRATION)->number;
    view->contract_lifetime = field(values, ACD_CONTRACT, ACD_KEY_LIFETIME)->number;
    view->contract_date = field(values, ACD_CONTRACT, ACD_CONTRACT_DATE)->number;
    view->h_description = field(values, ACD_CONTRACT, ACD_CONTRACT_H_DESCRIPTION)->bytes;
    view->archives = *field(values, ACD_CONTRACT, ACD_CONTRACT_ARCHIVES);
    view->mode = field(values, ACD_CONTRACT, ACD_CONTRACT_MODE)->number;
    view->goods_name = span_of(field(values, ACD_CONTRACT, ACD_CONTRACT_NAME));
    view->parcel = span_of(field(values, ACD_CONTRACT, ACD_CONTRACT_PARCEL));
    return ACD_OK;
}

static acd_status check_p1_format(receipt_view *view)
{
    acd_value contract;
    {
        acd_value values[6]; /* out of scope before the contract's values come */
        const span in = {view->p1.bytes, view->p1.len};
        ACD_TRY(parse_as(&view->p1, ACD_P1, in));
        ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P1, view->p1.payload,
                               view->p1.payload_len));
        view->n = field(values, ACD_P1, ACD_KEY_N)->bytes;
        view->hx = field(values, ACD_P1, ACD_KEY_HX)->bytes;
        view->salt = field(values, ACD_P1, ACD_KEY_SALT)->bytes;
        contract = *field(values, ACD_P1, ACD_P1_CONTRACT);
    }
    return read_contract(view, &contract);
}

static acd_status check_p5a_format(receipt_view *view)
{
    acd_value values[3];
    const span in = {view->p5a.bytes, view->p5a.len};
    ACD_TRY(parse_as(&view->p5a, ACD_P5A, in));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P5A, view->p5a.payload,
                           view->p5a.payload_len));
    view->committed_at = field(values, ACD_P5A, ACD_KEY_AT)->number;
    view->lifetime = field(values, ACD_P5A, ACD_KEY_LIFETIME)->number;
    view->p4_in = span_of(field(values, ACD_P5A, ACD_P5A_P4));
    return ACD_OK;
}

static acd_status check_p4_format(receipt_view *view)
{
    acd_value values[5];
    ACD_TRY(parse_as(&view->p4, ACD_P4, view->p4_in));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P4, view->p4.payload,
                           view->p4.payload_len));
    view->p4_n = field(values, ACD_P4, ACD_KEY_N)->bytes;
    view->expiration = field(values, ACD_P4, ACD_KEY_EXPIRATION)->number;
    view->p4_h_p1 = field(values, ACD_P4, ACD_KEY_H_P1)->bytes;
    view->lock = field(values, ACD_P4, ACD_KEY_LOCK)->bytes;
    view->k = field(values, ACD_P4, ACD_KEY_X)->bytes;
    return ACD_OK;
}

/* MARK: Trust */

static acd_status check_trust_signature(receipt_view *view)
{
    if (view->authority != NULL && !acd_equal(view->authority, view->trust.key_id, ACD_PUBLIC_KEY_SIZE)) {
        return ACD_ERR_UNTRUSTED;
    }
    ACD_TRY(acd_public_key_check(view->trust.key_id));
    return acd_sign1_verify(&view->trust, view->scratch, view->scratch_cap);
}

static acd_status check_trust_window(receipt_view *view)
{
    return view->trust_at <= view->now && view->now < view->trust_until ? ACD_OK : ACD_ERR_EXPIRED;
}

/* What one entry says of a key that signed at `at`. */
static acd_status judge_entry(const acd_value *values, uint64_t at)
{
    const acd_value *revoked_at = field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_REVOKED_AT);
    if (revoked_at->present && revoked_at->number <= at) {
        return ACD_ERR_REVOKED;
    }
    uint64_t from = field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_FROM)->number;
    uint64_t until = field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_UNTIL)->number;
    return from <= at && at < until ? ACD_OK : ACD_ERR_EXPIRED;
}

/* Looks the key up in its role. Of several entries for it one window has to fit, and none may revoke it. */
static acd_status find_trusted(span *name, const receipt_view *view, acd_role role, const uint8_t *key)
{
    acd_value values[11];
    acd_list list;
    acd_status found = ACD_ERR_UNTRUSTED;
    ACD_TRY(acd_list_begin(&list, &view->entries));
    while (list.remaining > 0) {
        acd_value entry;
        ACD_TRY(acd_list_next(&list, &entry));
        ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_TRUST_ENTRY, entry.bytes,
                               entry.len));
        if (field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_ROLE)->number != (uint64_t)role ||
            !acd_equal(field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_KEY)->bytes, key,
                       ACD_PUBLIC_KEY_SIZE)) {
            continue;
        }
        acd_status judged = judge_entry(values, view->committed_at);
        if (judged == ACD_ERR_REVOKED) {
            return judged;
        }
        if (found != ACD_OK) {
            found = judged;
            *name = span_of(field(values, ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_NAME));
        }
    }
    return found == ACD_OK ? acd_public_key_check(key) : found;
}

static acd_status check_merchant_trusted(receipt_view *view)
{
    return find_trusted(&view->merchant_name, view, ACD_ROLE_MERCHANT, view->p1.key_id);
}

static acd_status check_archive_trusted(receipt_view *view)
{
    return find_trusted(&view->archive_name, view, ACD_ROLE_ARCHIVE, view->p5a.key_id);
}

/* MARK: Signatures */

static acd_status check_p1_signature(receipt_view *view)
{
    return acd_sign1_verify(&view->p1, view->scratch, view->scratch_cap);
}

static acd_status check_p4_signature(receipt_view *view)
{
    return acd_sign1_verify(&view->p4, view->scratch, view->scratch_cap);
}

static acd_status check_p5a_signature(receipt_view *view)
{
    return acd_sign1_verify(&view->p5a, view->scratch, view->scratch_cap);
}

/* MARK: Agreement */

static acd_status agree(const uint8_t *a, const uint8_t *b, size_t len)
{
    return acd_equal(a, b, len) ? ACD_OK : ACD_ERR_MISMATCH;
}

static acd_status check_merchant_mismatch(receipt_view *view)
{
    return agree(view->p1.key_id, view->p4.key_id, ACD_PUBLIC_KEY_SIZE);
}

static acd_status check_transaction(receipt_view *view)
{
    return agree(view->n, view->p4_n, ACD_TRANSACTION_ID_SIZE);
}

static acd_status check_contract_hash(receipt_view *view)
{
    acd_sha256(view->h_p1, view->p1.bytes, view->p1.len);
    return agree(view->h_p1, view->p4_h_p1, ACD_HASH_SIZE);
}

static acd_status check_key_commitment(receipt_view *view)
{
    uint8_t hx[ACD_HASH_SIZE];
    acd_key_commitment(hx, (acd_mode)view->mode, view->p1.key_id, view->n, view->k);
    return agree(hx, view->hx, ACD_HASH_SIZE);
}

static acd_status check_archive_allowed(receipt_view *view)
{
    acd_list list;
    ACD_TRY(acd_list_begin(&list, &view->archives));
    while (list.remaining > 0) {
        acd_value archive;
        ACD_TRY(acd_list_next(&list, &archive));
        if (acd_equal(archive.bytes, view->p5a.key_id, ACD_PUBLIC_KEY_SIZE)) {
            return ACD_OK;
        }
    }
    return ACD_ERR_MISMATCH;
}

static acd_status check_expiration(receipt_view *view)
{
    int holds = view->expiration <= view->expiration_max && view->committed_at < view->expiration &&
                view->lifetime == view->contract_lifetime;
    return holds ? ACD_OK : ACD_ERR_MISMATCH;
}

static acd_status check_dates(receipt_view *view)
{
    /* Subtracted, because now + skew could overflow. */
    int ahead = view->committed_at > view->now && view->committed_at - view->now > view->skew_seconds;
    return ahead ? ACD_ERR_MISMATCH : ACD_OK;
}

static acd_status check_description(receipt_view *view)
{
    if (view->description.bytes == NULL) {
        return ACD_OK;
    }
    uint8_t hash[ACD_HASH_SIZE];
    acd_description_hash(hash, view->salt, (const char *)view->description.bytes, view->description.len);
    return agree(hash, view->h_description, ACD_HASH_SIZE);
}

static acd_status check_log_age(acd_receipt_facts *facts, acd_receipt_log *view)
{
    int is_old = view->has_times && view->age_seconds != 0 && view->now > facts->fresh &&
                 view->now - facts->fresh > view->age_seconds;
    return is_old ? ACD_ERR_EXPIRED : ACD_OK;
}

/* MARK: The checks in their order */

typedef struct check_row {
    acd_status (*run)(receipt_view *view);
    const char *name;
    const char *text;
} check_row;

static const check_row checks[ACD_CHECK_COUNT] = {
    [ACD_CHECK_NONE] = {NULL, "none", "Everything holds: this receipt is genuine and paid."},
    [ACD_CHECK_TRUST_FORMAT] = {check_trust_format, "trust-format", "The trust list cannot be read."},
    [ACD_CHECK_TRUST_SIGNATURE] = {check_trust_signature, "trust-signature",
                                   "The trust list is not signed by its authority."},
    [ACD_CHECK_TRUST_WINDOW] = {check_trust_window, "trust-window",
                                "The trust list is not valid now: it is too old, or the clock is wrong."},
    [ACD_CHECK_RECEIPT_FORMAT] = {check_receipt_format, "receipt-format", "This is not a readable receipt."},
    [ACD_CHECK_P1_FORMAT] = {check_p1_format, "p1-format", "The contract in the receipt cannot be read."},
    [ACD_CHECK_P5A_FORMAT] = {check_p5a_format, "p5a-format",
                              "The archive's record in the receipt cannot be read."},
    [ACD_CHECK_P4_FORMAT] = {check_p4_format, "p4-format", "The merchant's authorization cannot be read."},
    [ACD_CHECK_MERCHANT_TRUSTED] = {check_merchant_trusted, "merchant-trusted",
                                    "The merchant was not a trusted merchant when the sale was recorded."},
    [ACD_CHECK_ARCHIVE_TRUSTED] = {check_archive_trusted, "archive-trusted",
                                   "The archive was not a trusted archive when the sale was recorded."},
    [ACD_CHECK_P1_SIGNATURE] = {check_p1_signature, "p1-signature",
                                "The merchant did not sign this contract."},
    [ACD_CHECK_P4_SIGNATURE] = {check_p4_signature, "p4-signature",
                                "The merchant did not sign this authorization."},
    [ACD_CHECK_P5A_SIGNATURE] = {check_p5a_signature, "p5a-signature",
                                 "The archive did not sign this record."},
    [ACD_CHECK_MERCHANT_MISMATCH] = {check_merchant_mismatch, "merchant-mismatch",
                                     "Contract and authorization come from different merchants."},
    [ACD_CHECK_TRANSACTION] = {check_transaction, "transaction",
                               "Contract and authorization belong to different sales."},
    [ACD_CHECK_CONTRACT_HASH] = {check_contract_hash, "contract-hash",
                                 "The recorded sale is of another contract."},
    [ACD_CHECK_KEY_COMMITMENT] = {check_key_commitment, "key-commitment",
                                  "The published key is not the one that the contract promised."},
    [ACD_CHECK_ARCHIVE_ALLOWED] = {check_archive_allowed, "archive-allowed",
                                   "The contract does not name this archive."},
    [ACD_CHECK_EXPIRATION] = {check_expiration, "expiration",
                              "The sale was not recorded within the time that the contract set."},
    [ACD_CHECK_DATES] = {check_dates, "dates", "The sale was recorded in the future: a clock is wrong."},
    [ACD_CHECK_DESCRIPTION] = {check_description, "description",
                               "The description shown is not the one in the contract."},
    [ACD_CHECK_LOG_PROOF] = {NULL, "log-proof",
                             "It is not shown that the archive's log has this record, "
                             "as its witnesses saw it."},
    [ACD_CHECK_LOG_AGE] = {NULL, "log-age",
                           "The proof from the archive's log is too old: the receipt has to be made anew."},
};

static const check_row *row_of(acd_receipt_check check)
{
    return (unsigned)check < (unsigned)ACD_CHECK_COUNT ? &checks[check] : NULL;
}

const char *acd_receipt_check_name(acd_receipt_check check)
{
    const check_row *row = row_of(check);
    return row == NULL ? "unknown" : row->name;
}

const char *acd_receipt_check_text(acd_receipt_check check)
{
    const check_row *row = row_of(check);
    return row == NULL ? "Unknown check." : row->text;
}

static void fill_facts(acd_receipt_facts *facts, const receipt_view *view)
{
    memcpy(facts->n, view->n, sizeof facts->n);
    memcpy(facts->merchant, view->p1.key_id, sizeof facts->merchant);
    memcpy(facts->archive, view->p5a.key_id, sizeof facts->archive);
    memcpy(facts->pseudonym, view->pseudonym, sizeof facts->pseudonym);
    memcpy(facts->lock, view->lock, sizeof facts->lock);
    memcpy(facts->h_p1, view->h_p1, sizeof facts->h_p1);
    memcpy(facts->currency, view->currency, 3); /* the terminator is there: *facts was zero */
    facts->amount = view->amount;
    facts->contract_date = view->contract_date;
    facts->committed_at = view->committed_at;
    facts->lifetime = view->lifetime;
    facts->merchant_name = (const char *)view->merchant_name.bytes;
    facts->merchant_name_len = view->merchant_name.len;
    facts->archive_name = (const char *)view->archive_name.bytes;
    facts->archive_name_len = view->archive_name.len;
    facts->goods_name = (const char *)view->goods_name.bytes;
    facts->goods_name_len = view->goods_name.len;
    facts->description = (const char *)view->description.bytes;
    facts->description_len = view->description.len;
    facts->parcel = (const char *)view->parcel.bytes;
    facts->parcel_len = view->parcel.len;
}

/* All checks but the log's. Never inlined: its view has to be gone before the log's proof is verified. */
static __attribute__((noinline)) acd_status check_messages(acd_receipt_facts *facts,
                                                           acd_receipt_log *log,
                                                           acd_receipt_check *failed,
                                                           const acd_receipt_input *input)
{
    receipt_view view;
    memset(&view, 0, sizeof view);
    view.receipt_in = input->receipt;
    view.trust_in = input->trust;
    view.authority = input->authority;
    view.now = input->now;
    view.scratch = input->scratch;
    view.scratch_cap = input->scratch_cap;
    for (int check = ACD_CHECK_NONE + 1; check < ACD_CHECK_LOG_PROOF; check++) {
        *failed = (acd_receipt_check)check;
        ACD_TRY(checks[check].run(&view));
    }
    fill_facts(facts, &view);
    log->policy = view.policy;
    log->proof = view.proof;
    log->p5a = (span){view.p5a.bytes, view.p5a.len};
    log->skew_seconds = view.skew_seconds, log->age_seconds = view.age_seconds;
    return ACD_OK;
}

static acd_status check_all(acd_receipt_facts *facts, acd_receipt_check *failed,
                            const acd_receipt_input *input, acd_proof_check check_proof)
{
    acd_receipt_log log = {.now = input->now, .scratch = input->scratch};
    ACD_TRY(check_messages(facts, &log, failed, input));
    *failed = ACD_CHECK_LOG_PROOF;
    ACD_TRY(check_proof(facts, &log));
    *failed = ACD_CHECK_LOG_AGE;
    ACD_TRY(check_log_age(facts, &log));
    *failed = ACD_CHECK_NONE;
    return ACD_OK;
}

acd_status acd_receipt_run(acd_receipt_facts *facts, acd_receipt_check *failed,
                           const acd_receipt_input *input, acd_proof_check check_proof)
{
    if (facts == NULL || failed == NULL) {
        return ACD_ERR_MISUSE;
    }
    memset(facts, 0, sizeof *facts);
    *failed = ACD_CHECK_TRUST_FORMAT; /* a misused call has shown nothing: not even the first check */
    if (acd_is_lacking(input->receipt.bytes, input->receipt.len) ||
        acd_is_lacking(input->trust.bytes, input->trust.len) || input->scratch == NULL) {
        return ACD_ERR_MISUSE;
    }
    size_t longest = input->receipt.len > input->trust.len ? input->receipt.len : input->trust.len;
    longest = longest > ACD_RECEIPT_SCRATCH_MIN ? longest : ACD_RECEIPT_SCRATCH_MIN;
    if (input->scratch_cap < ACD_SIGN1_PREFIX || input->scratch_cap - ACD_SIGN1_PREFIX < longest) {
        return ACD_ERR_NO_SPACE;
    }
    acd_status status = check_all(facts, failed, input, check_proof);
    if (status != ACD_OK) {
        memset(facts, 0, sizeof *facts);
    }
    return status;
}

/* Without the log's code: nothing is valid under a list that may demand a proof. */
static acd_status refuse_policy(acd_receipt_facts *facts, acd_receipt_log *log)
{
    (void)facts;
    return log->policy.bytes == NULL ? ACD_OK : ACD_ERR_UNTRUSTED;
}

acd_status acd_receipt_verify_unlogged(acd_receipt_facts *facts, acd_receipt_check *failed,
                                       const void *receipt, size_t receipt_len, const void *trust,
                                       size_t trust_len, const uint8_t *authority, uint64_t now,
                                       void *scratch, size_t scratch_cap)
{
    const acd_receipt_input input = {
        {receipt, receipt_len}, {trust, trust_len}, authority, now, scratch, scratch_cap};
    return acd_receipt_run(facts, failed, &input, refuse_policy);
}
