/* acd_test_receipt_log.c: receipts under a trust list that demands the archive's log. Source:
 * acd/receipt.h. */
#include "acd_sample.h"
#include "acd_test.h"

static uint8_t scratch[ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX];
static acd_receipt_facts facts;
static uint8_t authority[ACD_PUBLIC_KEY_SIZE];

static acd_status run_at(sample receipt, sample trust, uint64_t now, acd_receipt_check *failed)
{
    memset(&facts, 0xff, sizeof facts);
    return acd_receipt_verify(&facts, failed, receipt.bytes, receipt.len, trust.bytes, trust.len, authority,
                              now, scratch, sizeof scratch);
}

static int facts_are_zero(void)
{
    static const acd_receipt_facts zero;
    return memcmp(&facts, &zero, sizeof zero) == 0;
}

/* The sale must fail with exactly this check and status. */
static void check_fails(const sample_sale *sale, acd_receipt_check check, acd_status expected)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_COUNT;
    sample_sale_build(sale, &receipt, &trust);
    CHECK_STATUS(expected, run_at(receipt, trust, SAMPLE_NOW, &failed));
    if (failed != check) {
        fprintf(stderr, "expected %s, got %s\n", acd_receipt_check_name(check),
                acd_receipt_check_name(failed));
    }
    CHECK(failed == check);
    CHECK((expected != ACD_OK) == facts_are_zero());
    sample_reset();
}

static sample_sale sale_in_a_log(void)
{
    sample_sale sale = sample_sale_good();
    sale.has_policy = sale.has_proof = 1;
    return sale;
}

static void a_policy_for_the_archive_demands_a_proof(void)
{
    sample_sale sale = sale_in_a_log();
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.is_packed = 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.has_proof = 0;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_UNTRUSTED);
    sale.policy_log = 40; /* a policy, and none for this archive */
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale = sale_in_a_log();
    sale.has_policy = 0; /* no policy: the proof is not looked at */
    sale.cosignatures = 0;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
}

static void a_verifier_without_the_log_lets_no_list_with_a_policy_pass(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sale_in_a_log();
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_ERR_UNTRUSTED,
                 acd_receipt_verify_unlogged(&facts, &failed, receipt.bytes, receipt.len, trust.bytes,
                                             trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    CHECK(failed == ACD_CHECK_LOG_PROOF && facts_are_zero());
    sale.has_policy = 0;
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_OK,
                 acd_receipt_verify_unlogged(&facts, &failed, receipt.bytes, receipt.len, trust.bytes,
                                             trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    sample_reset();
}

static void a_proof_holds_for_its_leaf_log_and_quorum_only(void)
{
    sample_sale sale = sale_in_a_log();
    sale.leaf_lock = 0x22;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_AUTHENTICATION);
    sale.is_packed = 1;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_AUTHENTICATION);
    sale = sale_in_a_log();
    sale.cosignatures = 2;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.cosignatures = 1;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_AUTHENTICATION);
    sale.quorum = 0;
    sale.cosignatures = 0;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale = sale_in_a_log();
    sale.proof_log = 41;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_UNTRUSTED);
    sale.is_packed = 1;
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_UNTRUSTED);
}

static void witnesses_saw_it_between_record_and_lifetime(void)
{
    sample_sale sale = sale_in_a_log();
    for (unsigned i = 0; i < 3; i++) {
        sale.cosigned_at[i] = sale.committed_at - 31; /* seen before it was made: back-dated */
    }
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_MISMATCH);
    sale.cosigned_at[0] = sale.committed_at - 30; /* one of two is not enough */
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_MISMATCH);
    sale.cosigned_at[1] = sale.committed_at - 30;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale = sale_in_a_log();
    sale.cosigned_at[0] = sale.cosigned_at[1] = sale.lifetime; /* a quorum saw it too late */
    check_fails(&sale, ACD_CHECK_LOG_PROOF, ACD_ERR_MISMATCH);
    sale.cosigned_at[0] = sale.lifetime - 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
}

static void a_checkpoint_may_not_be_older_than_the_list_allows(void)
{
    sample_sale sale = sale_in_a_log();
    sale.quorum = 3;
    sale.age_seconds = SAMPLE_NOW - sale.cosigned_at[0];
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.age_seconds -= 1;
    check_fails(&sale, ACD_CHECK_LOG_AGE, ACD_ERR_EXPIRED);
    sale.quorum = 0; /* nobody says a time */
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
}

int main(void)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_key(authority, secret_key, 1);
    RUN(a_policy_for_the_archive_demands_a_proof);
    RUN(a_verifier_without_the_log_lets_no_list_with_a_policy_pass);
    RUN(a_proof_holds_for_its_leaf_log_and_quorum_only);
    RUN(witnesses_saw_it_between_record_and_lifetime);
    RUN(a_checkpoint_may_not_be_older_than_the_list_allows);
    return TEST_RESULT();
}
