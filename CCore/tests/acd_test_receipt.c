/* acd_test_receipt.c: the receipt verifier; every check is broken once, alone. Source: acd/receipt.h. */
#include <sodium.h>
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

static void a_genuine_receipt_verifies_and_shows_its_facts(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_COUNT;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_OK, run_at(receipt, trust, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_NONE);
    CHECK(strcmp(facts.currency, "EUR") == 0 && facts.amount == 1299);
    CHECK(facts.n[0] == 0x10 && facts.n[15] == 0x77 && facts.lock[0] == 0x21);
    CHECK(facts.committed_at == sale.committed_at && facts.lifetime == sale.lifetime);
    CHECK(facts.contract_date == sale.committed_at - 300);
    CHECK(facts.merchant_name_len == 16 && memcmp(facts.merchant_name, "Example Merchant", 16) == 0);
    CHECK(facts.archive_name_len == 15 && memcmp(facts.archive_name, "Example Archive", 15) == 0);
    CHECK(facts.goods_name_len == 8 && memcmp(facts.goods_name, "lake.jpg", 8) == 0);
    CHECK(facts.description_len == strlen(sale.description));
    CHECK(facts.parcel_len == 13 && memcmp(facts.parcel, sale.parcel, 13) == 0);
    uint8_t key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    sample_key(key, secret_key, 2);
    CHECK_BYTES(facts.merchant, key, sizeof key);
    sample_key(key, secret_key, 3);
    CHECK_BYTES(facts.archive, key, sizeof key);
    sample_key(key, secret_key, 4);
    CHECK_BYTES(facts.pseudonym, key, sizeof key);
    acd_value values[ACD_FIELDS_MAX];
    uint8_t hash[ACD_HASH_SIZE];
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_RECEIPT, receipt.bytes, receipt.len));
    const acd_value *p1 = &values[sample_index(ACD_RECEIPT, ACD_RECEIPT_P1)];
    acd_sha256(hash, p1->bytes, p1->len);
    CHECK_BYTES(facts.h_p1, hash, sizeof hash);
    sample_reset();
}

static void what_may_be_absent_may_be_absent(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_COUNT;
    sample_sale sale = sample_sale_good();
    sale.shown_description = NULL;
    sale.parcel = NULL;
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_OK, run_at(receipt, trust, SAMPLE_NOW, &failed));
    CHECK(facts.description == NULL && facts.description_len == 0 && facts.parcel == NULL &&
          facts.parcel_len == 0);
    CHECK_STATUS(ACD_OK, acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes,
                                            trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    sale.description = sale.shown_description = "";
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
}

static void a_trust_list_of_another_authority_is_refused(void)
{
    sample_sale sale = sample_sale_good();
    sale.authority = 99;
    check_fails(&sale, ACD_CHECK_TRUST_SIGNATURE, ACD_ERR_UNTRUSTED);
}

static void the_trust_list_counts_from_its_date_to_its_end(void)
{
    sample_sale sale = sample_sale_good();
    sale.trust_at = SAMPLE_NOW;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.trust_at = SAMPLE_NOW + 1;
    check_fails(&sale, ACD_CHECK_TRUST_WINDOW, ACD_ERR_EXPIRED);
    sale = sample_sale_good();
    sale.trust_until = SAMPLE_NOW + 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.trust_until = SAMPLE_NOW;
    check_fails(&sale, ACD_CHECK_TRUST_WINDOW, ACD_ERR_EXPIRED);
}

static void each_message_has_its_own_type(void)
{
    sample_sale sale = sample_sale_good();
    sale.p1_type = ACD_SP1;
    check_fails(&sale, ACD_CHECK_P1_FORMAT, ACD_ERR_UNEXPECTED_TYPE);
    sale = sample_sale_good();
    sale.p5a_type = ACD_P5B;
    check_fails(&sale, ACD_CHECK_P5A_FORMAT, ACD_ERR_UNEXPECTED_TYPE);
    sale = sample_sale_good();
    sale.p4_type = ACD_CANCEL;
    check_fails(&sale, ACD_CHECK_P4_FORMAT, ACD_ERR_UNEXPECTED_TYPE);
}

static void the_merchant_is_a_trusted_merchant_of_that_time(void)
{
    sample_sale sale = sample_sale_good();
    sale.listed_merchant = 55;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_UNTRUSTED);
    sale = sample_sale_good();
    sale.merchant_role = ACD_ROLE_BANK;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_UNTRUSTED);
    sale = sample_sale_good();
    sale.merchant_from = sale.committed_at;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.merchant_from = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_EXPIRED);
    sale = sample_sale_good();
    sale.merchant_until = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.merchant_until = sale.committed_at;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_EXPIRED);
    sale = sample_sale_good();
    sale.merchant_revoked_at = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.merchant_revoked_at = sale.committed_at;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_REVOKED);
}

static void the_archive_is_a_trusted_archive_of_that_time(void)
{
    sample_sale sale = sample_sale_good();
    sale.listed_archive = 55;
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_UNTRUSTED);
    sale = sample_sale_good();
    sale.archive_role = ACD_ROLE_WITNESS;
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_UNTRUSTED);
    sale = sample_sale_good();
    sale.archive_from = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_EXPIRED);
    sale = sample_sale_good();
    sale.archive_until = sale.committed_at;
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_EXPIRED);
    sale = sample_sale_good();
    sale.archive_revoked_at = 1;
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_REVOKED);
}

/* The same key in both roles' entries: the archive's entry carries the merchant's key, as merchant, too. */
static void a_second_entry_may_fit_but_a_revocation_wins(void)
{
    sample_sale sale = sample_sale_good();
    sale.merchant_until = 2; /* the merchant's first window is over ... */
    sale.archive = sale.listed_archive = sale.allowed_archive = sale.merchant;
    sale.archive_role = ACD_ROLE_MERCHANT; /* ... and the second entry renews it */
    check_fails(&sale, ACD_CHECK_ARCHIVE_TRUSTED, ACD_ERR_UNTRUSTED);
    sale.archive_revoked_at = 1;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_REVOKED);
    sale.merchant_until = ACD_TIME_MAX;
    check_fails(&sale, ACD_CHECK_MERCHANT_TRUSTED, ACD_ERR_REVOKED);
}

static void the_merchant_of_both_messages_is_the_same(void)
{
    sample_sale sale = sample_sale_good();
    sale.p4_signer = 33;
    check_fails(&sale, ACD_CHECK_MERCHANT_MISMATCH, ACD_ERR_MISMATCH);
}

static void the_messages_belong_to_one_sale(void)
{
    sample_sale sale = sample_sale_good();
    sale.p4_n ^= 1;
    check_fails(&sale, ACD_CHECK_TRANSACTION, ACD_ERR_MISMATCH);
    sale = sample_sale_good();
    sale.p4_h_p1 = 1;
    check_fails(&sale, ACD_CHECK_CONTRACT_HASH, ACD_ERR_MISMATCH);
    sale = sample_sale_good();
    sale.p4_k ^= 1;
    check_fails(&sale, ACD_CHECK_KEY_COMMITMENT, ACD_ERR_MISMATCH);
    sale = sample_sale_good();
    sale.allowed_archive = 44;
    check_fails(&sale, ACD_CHECK_ARCHIVE_ALLOWED, ACD_ERR_MISMATCH);
}

static void the_commit_came_in_time(void)
{
    sample_sale sale = sample_sale_good();
    sale.expiration_max = sale.expiration;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.expiration_max = sale.expiration - 1;
    check_fails(&sale, ACD_CHECK_EXPIRATION, ACD_ERR_MISMATCH);
    sale = sample_sale_good();
    sale.expiration = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.contract_lifetime = sale.lifetime + 1;
    check_fails(&sale, ACD_CHECK_EXPIRATION, ACD_ERR_MISMATCH);
    sale.contract_lifetime = sale.lifetime;
    sale.expiration = sale.committed_at;
    check_fails(&sale, ACD_CHECK_EXPIRATION, ACD_ERR_MISMATCH);
    sale = sample_sale_good();
    sale.committed_at = SAMPLE_NOW + sale.skew_seconds;
    sale.expiration = sale.expiration_max = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_NONE, ACD_OK);
    sale.committed_at++;
    sale.expiration = sale.expiration_max = sale.committed_at + 1;
    check_fails(&sale, ACD_CHECK_DATES, ACD_ERR_MISMATCH);
}

static void the_description_shown_is_the_one_agreed(void)
{
    sample_sale sale = sample_sale_good();
    sale.shown_description = "A digital photograph of the sea, 24 megapixels.";
    check_fails(&sale, ACD_CHECK_DESCRIPTION, ACD_ERR_MISMATCH);
    sale.shown_description = "";
    check_fails(&sale, ACD_CHECK_DESCRIPTION, ACD_ERR_MISMATCH);
}

/* Where `part` begins in `whole`. */
static size_t find(sample whole, const uint8_t *part, size_t part_len)
{
    for (size_t i = 0; i + part_len <= whole.len; i++) {
        if (memcmp(whole.bytes + i, part, part_len) == 0) {
            return i;
        }
    }
    CHECK(0);
    return 0;
}

static void no_signature_can_change(void)
{
    sample receipt;
    sample trust;
    acd_value values[ACD_FIELDS_MAX];
    acd_sign1 p1;
    acd_sign1 p5a;
    acd_sign1 p4;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_RECEIPT, receipt.bytes, receipt.len));
    const acd_value *field = &values[sample_index(ACD_RECEIPT, ACD_RECEIPT_P1)];
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&p1, field->bytes, field->len));
    field = &values[sample_index(ACD_RECEIPT, ACD_RECEIPT_P5A)];
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&p5a, field->bytes, field->len));
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P5A, p5a.payload, p5a.payload_len));
    field = &values[sample_index(ACD_P5A, ACD_P5A_P4)];
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&p4, field->bytes, field->len));
    const struct {
        const uint8_t *signature;
        acd_receipt_check check;
    } cases[] = {{p1.signature, ACD_CHECK_P1_SIGNATURE},
                 {p4.signature, ACD_CHECK_P4_SIGNATURE},
                 {p5a.signature, ACD_CHECK_P5A_SIGNATURE}};
    for (size_t i = 0; i < 3; i++) {
        size_t at = find(receipt, cases[i].signature, ACD_SIGNATURE_SIZE) + 5;
        receipt.bytes[at] ^= 1;
        CHECK_STATUS(ACD_ERR_AUTHENTICATION, run_at(receipt, trust, SAMPLE_NOW, &failed));
        CHECK(failed == cases[i].check);
        CHECK(facts_are_zero());
        receipt.bytes[at] ^= 1;
    }
    trust.bytes[trust.len - 10] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, run_at(receipt, trust, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_TRUST_SIGNATURE);
    trust.bytes[trust.len - 10] ^= 1;
    CHECK_STATUS(ACD_OK, run_at(receipt, trust, SAMPLE_NOW, &failed));
    sample_reset();
}

static void no_byte_can_change(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    for (size_t i = 0; i < receipt.len + trust.len; i++) {
        uint8_t *byte = i < receipt.len ? receipt.bytes + i : trust.bytes + (i - receipt.len);
        *byte ^= 0x04;
        CHECK(run_at(receipt, trust, SAMPLE_NOW, &failed) != ACD_OK);
        CHECK(failed != ACD_CHECK_NONE);
        *byte ^= 0x04;
    }
    sample_reset();
}

static void what_cannot_be_read_is_named(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    sample long_receipt = {sample_alloc(ACD_RECEIPT_SIZE_MAX + 1u), ACD_RECEIPT_SIZE_MAX + 1u};
    sample long_trust = {sample_alloc(ACD_TRUST_SIZE_MAX + 1u), ACD_TRUST_SIZE_MAX + 1u};
    CHECK_STATUS(ACD_ERR_TOO_LARGE, run_at(long_receipt, trust, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_RECEIPT_FORMAT);
    static uint8_t larger[ACD_TRUST_SIZE_MAX + 64];
    CHECK_STATUS(ACD_ERR_TOO_LARGE,
                 acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, long_trust.bytes,
                                    long_trust.len, authority, SAMPLE_NOW, larger, sizeof larger));
    CHECK(failed == ACD_CHECK_TRUST_FORMAT);
    CHECK_STATUS(ACD_ERR_TRUNCATED,
                 run_at((sample){receipt.bytes, receipt.len - 1}, trust, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_RECEIPT_FORMAT);
    CHECK_STATUS(ACD_ERR_TRUNCATED, run_at((sample){NULL, 0}, trust, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_RECEIPT_FORMAT);
    CHECK_STATUS(ACD_ERR_MALFORMED, run_at(receipt, receipt, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_TRUST_FORMAT);
    sample p4 = sample_sign(ACD_P4, sample_map(ACD_P4, SAMPLE_SMALL), 1);
    CHECK_STATUS(ACD_ERR_UNEXPECTED_TYPE, run_at(receipt, p4, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_TRUST_FORMAT);
    sample junk = sample_sign(ACD_TRUST_LIST, sample_hex("a0"), 1);
    CHECK_STATUS(ACD_ERR_MISSING_FIELD, run_at(receipt, junk, SAMPLE_NOW, &failed));
    CHECK(failed == ACD_CHECK_TRUST_FORMAT);
    sample_reset();
}

/* A receipt whose message `key` has an empty payload. */
static void check_empty_payload(int key, acd_message_type type, acd_receipt_check check)
{
    sample receipt;
    sample trust;
    acd_value values[ACD_FIELDS_MAX];
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    memset(values, 0, sizeof values);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_RECEIPT, receipt.bytes, receipt.len));
    sample empty = sample_sign(type, sample_hex("a0"), 2);
    if (type == ACD_P4) { /* one level further in */
        acd_value p5a[ACD_FIELDS_MAX];
        sample_values(p5a, ACD_P5A, SAMPLE_SMALL);
        p5a[sample_index(ACD_P5A, ACD_P5A_P4)] = sample_bytes(empty.bytes, empty.len);
        empty = sample_sign(ACD_P5A, sample_encode(ACD_P5A, p5a), 3);
    }
    values[sample_index(ACD_RECEIPT, key)] = sample_bytes(empty.bytes, empty.len);
    CHECK_STATUS(ACD_ERR_MISSING_FIELD,
                 run_at(sample_encode(ACD_RECEIPT, values), trust, SAMPLE_NOW, &failed));
    CHECK(failed == check);
    sample_reset();
}

static void payloads_are_read_in_full(void)
{
    check_empty_payload(ACD_RECEIPT_P1, ACD_P1, ACD_CHECK_P1_FORMAT);
    check_empty_payload(ACD_RECEIPT_P5A, ACD_P5A, ACD_CHECK_P5A_FORMAT);
    check_empty_payload(ACD_RECEIPT_P5A, ACD_P4, ACD_CHECK_P4_FORMAT);
}

static void a_key_of_small_order_has_no_authority(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    size_t at = find(trust, authority, sizeof authority);
    memset(trust.bytes + at, 0, ACD_PUBLIC_KEY_SIZE);
    CHECK_STATUS(ACD_ERR_BAD_KEY, acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes,
                                                     trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    CHECK(failed == ACD_CHECK_TRUST_SIGNATURE);
    sample_reset();
}

/* Replaces a key by one of mixed order, in the receipt and in the trust list, which is signed anew. */
static void check_mixed_order(uint8_t seed, acd_receipt_check check)
{
    sample receipt;
    sample trust;
    acd_sign1 list;
    acd_receipt_check failed = ACD_CHECK_NONE;
    uint8_t key[ACD_PUBLIC_KEY_SIZE];
    uint8_t mixed[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    sample_sale sale = sample_sale_good();
    sample order_two = sample_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    sample_key(key, secret_key, seed);
    CHECK(crypto_core_ed25519_add(mixed, key, order_two.bytes) == 0);
    sample_sale_build(&sale, &receipt, &trust);
    memcpy(receipt.bytes + find(receipt, key, sizeof key), mixed, sizeof mixed);
    memcpy(trust.bytes + find(trust, key, sizeof key), mixed, sizeof mixed);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&list, trust.bytes, trust.len));
    trust = sample_sign(ACD_TRUST_LIST, sample_copy(list.payload, list.payload_len), sale.authority);
    CHECK_STATUS(ACD_ERR_BAD_KEY, run_at(receipt, trust, SAMPLE_NOW, &failed));
    CHECK(failed == check);
    sample_reset();
}

static void a_trusted_key_of_mixed_order_is_refused(void)
{
    check_mixed_order(2, ACD_CHECK_MERCHANT_TRUSTED); /* the first place in the receipt is P1's key id */
}

static void a_misused_call_has_shown_nothing(void)
{
    sample receipt;
    sample trust;
    acd_receipt_check failed = ACD_CHECK_NONE;
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_receipt_verify(NULL, &failed, receipt.bytes, receipt.len, trust.bytes,
                                                    trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_receipt_verify(&facts, NULL, receipt.bytes, receipt.len, trust.bytes,
                                                    trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_receipt_verify(&facts, &failed, NULL, 1, trust.bytes, trust.len, NULL,
                                                    SAMPLE_NOW, scratch, sizeof scratch));
    CHECK(failed != ACD_CHECK_NONE);
    failed = ACD_CHECK_NONE;
    size_t longest = receipt.len > trust.len ? receipt.len : trust.len;
    longest = longest > ACD_RECEIPT_SCRATCH_MIN ? longest : ACD_RECEIPT_SCRATCH_MIN;
    CHECK_STATUS(ACD_ERR_NO_SPACE,
                 acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes, trust.len, NULL,
                                    SAMPLE_NOW, scratch, longest + ACD_SIGN1_PREFIX - 1));
    CHECK(failed != ACD_CHECK_NONE && facts_are_zero());
    CHECK_STATUS(ACD_OK,
                 acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes, trust.len, NULL,
                                    SAMPLE_NOW, scratch, longest + ACD_SIGN1_PREFIX));
    sample_reset();
}

static void every_check_has_a_name_and_a_sentence(void)
{
    for (int i = ACD_CHECK_NONE; i < ACD_CHECK_COUNT; i++) {
        const char *name = acd_receipt_check_name((acd_receipt_check)i);
        const char *text = acd_receipt_check_text((acd_receipt_check)i);
        CHECK(strlen(name) > 3 && strcmp(name, "unknown") != 0);
        CHECK(strlen(text) > 20 && text[strlen(text) - 1] == '.');
    }
    CHECK(strcmp(acd_receipt_check_name(ACD_CHECK_COUNT), "unknown") == 0);
    CHECK(strcmp(acd_receipt_check_text((acd_receipt_check)-1), "Unknown check.") == 0);
    CHECK(strcmp(acd_receipt_check_name(ACD_CHECK_MERCHANT_TRUSTED), "merchant-trusted") == 0);
}

int main(void)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_key(authority, secret_key, 1);
    RUN(a_genuine_receipt_verifies_and_shows_its_facts);
    RUN(what_may_be_absent_may_be_absent);
    RUN(a_trust_list_of_another_authority_is_refused);
    RUN(the_trust_list_counts_from_its_date_to_its_end);
    RUN(each_message_has_its_own_type);
    RUN(the_merchant_is_a_trusted_merchant_of_that_time);
    RUN(the_archive_is_a_trusted_archive_of_that_time);
    RUN(a_second_entry_may_fit_but_a_revocation_wins);
    RUN(the_merchant_of_both_messages_is_the_same);
    RUN(the_messages_belong_to_one_sale);
    RUN(the_commit_came_in_time);
    RUN(the_description_shown_is_the_one_agreed);
    RUN(no_signature_can_change);
    RUN(no_byte_can_change);
    RUN(what_cannot_be_read_is_named);
    RUN(payloads_are_read_in_full);
    RUN(a_key_of_small_order_has_no_authority);
    RUN(a_trusted_key_of_mixed_order_is_refused);
    RUN(a_misused_call_has_shown_nothing);
    RUN(every_check_has_a_name_and_a_sentence);
    return TEST_RESULT();
}
