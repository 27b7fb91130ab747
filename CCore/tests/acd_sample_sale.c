/* acd_sample_sale.c: a whole sale for tests: trust list, P1, P4, P5a, receipt. Source: docs/SPEC.md,
 * "Receipt". Invariants: what sample_sale_good() says is genuine; each member breaks one rule on its own. */
#include <stdlib.h>
#include <string.h>
#include "acd_sample.h"
#include "acd_sample_log.h"

#define DAY UINT64_C(86400)

sample_sale sample_sale_good(void)
{
    sample_sale sale;
    memset(&sale, 0, sizeof sale);
    sale.authority = 1;
    sale.merchant = sale.listed_merchant = sale.p4_signer = 2;
    sale.archive = sale.listed_archive = sale.allowed_archive = 3;
    sale.merchant_role = ACD_ROLE_MERCHANT;
    sale.archive_role = ACD_ROLE_ARCHIVE;
    sale.p4_n = 0x10;
    sale.p4_k = 0x40;
    sale.trust_at = SAMPLE_NOW - 10 * DAY;
    sale.trust_until = SAMPLE_NOW + 10 * DAY;
    sale.skew_seconds = 30;
    sale.merchant_from = sale.archive_from = SAMPLE_NOW - 100 * DAY;
    sale.merchant_until = sale.archive_until = SAMPLE_NOW + 100 * DAY;
    sale.committed_at = SAMPLE_NOW - 3600;
    sale.expiration = sale.committed_at + 60;
    sale.expiration_max = sale.expiration + 60;
    sale.lifetime = sale.contract_lifetime = sale.committed_at + 30 * DAY;
    sale.description = "A digital photograph of the lake, 24 megapixels.";
    sale.shown_description = sale.description;
    sale.parcel = "3SABCD0123456";
    sale.p1_type = ACD_P1;
    sale.p4_type = ACD_P4;
    sale.p5a_type = ACD_P5A;
    sale.policy_log = sale.proof_log = 3;
    sale.quorum = 2;
    sale.cosignatures = 3;
    sale.leaf_lock = 0x21;
    for (unsigned i = 0; i < 3; i++) {
        sale.cosigned_at[i] = sale.committed_at + 2 + i;
    }
    return sale;
}

static acd_value key_value(uint8_t seed)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t *public_key = sample_alloc(ACD_PUBLIC_KEY_SIZE);
    sample_key(public_key, secret_key, seed);
    return sample_bytes(public_key, ACD_PUBLIC_KEY_SIZE);
}

static uint8_t *filled(size_t len, uint8_t first)
{
    uint8_t *bytes = sample_alloc(len);
    memset(bytes, 0x77, len);
    bytes[0] = first;
    return bytes;
}

static sample trust_entry(uint8_t role, const char *name, uint8_t key, uint64_t from, uint64_t until,
                          uint64_t revoked_at)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, ACD_TRUST_ENTRY, SAMPLE_SMALL);
    values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_ROLE)] = sample_uint(role);
    values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_NAME)] = sample_text(name);
    values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_KEY)] = key_value(key);
    values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_FROM)] = sample_uint(from);
    values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_UNTIL)] = sample_uint(until);
    if (revoked_at != 0) {
        values[sample_index(ACD_TRUST_ENTRY, ACD_TRUST_ENTRY_REVOKED_AT)] = sample_uint(revoked_at);
    }
    return sample_encode(ACD_TRUST_ENTRY, values);
}

static sample build_trust(const sample_sale *sale)
{
    acd_value values[ACD_FIELDS_MAX];
    const sample entries[] = {
        trust_entry(ACD_ROLE_BANK, "Example Bank", 9, 1, ACD_TIME_MAX, 0),
        trust_entry(sale->merchant_role, "Example Merchant", sale->listed_merchant, sale->merchant_from,
                    sale->merchant_until, sale->merchant_revoked_at),
        trust_entry(sale->archive_role, "Example Archive", sale->listed_archive, sale->archive_from,
                    sale->archive_until, sale->archive_revoked_at),
    };
    sample_values(values, ACD_TRUST_LIST, SAMPLE_SMALL);
    values[sample_index(ACD_TRUST_LIST, ACD_KEY_AT)] = sample_uint(sale->trust_at);
    values[sample_index(ACD_TRUST_LIST, ACD_KEY_UNTIL)] = sample_uint(sale->trust_until);
    values[sample_index(ACD_TRUST_LIST, ACD_TRUST_LIST_ENTRIES)] = sample_map_list(entries, 3);
    values[sample_index(ACD_TRUST_LIST, ACD_TRUST_LIST_SKEW_SECONDS)] = sample_uint(sale->skew_seconds);
    static char policy[32768];
    if (sale->has_policy) {
        sample_policy_text_of(policy, sale->policy_log, 3, sale->quorum);
        values[sample_index(ACD_TRUST_LIST, ACD_TRUST_LIST_POLICY)] = sample_text(policy);
    }
    if (sale->age_seconds != 0) {
        values[sample_index(ACD_TRUST_LIST, ACD_TRUST_LIST_CHECKPOINT_AGE)] = sample_uint(sale->age_seconds);
    }
    return sample_sign(ACD_TRUST_LIST, sample_encode(ACD_TRUST_LIST, values), sale->authority);
}

static sample build_contract(const sample_sale *sale, const uint8_t salt[ACD_HASH_SIZE])
{
    acd_value values[ACD_FIELDS_MAX];
    acd_value archive = key_value(sale->allowed_archive);
    const sample archives[] = {sample_copy(filled(32, 0xee), 32), {(uint8_t *)archive.bytes, archive.len}};
    uint8_t *hash = sample_alloc(ACD_HASH_SIZE);
    acd_description_hash(hash, salt, sale->description, strlen(sale->description));
    sample_values(values, ACD_CONTRACT, SAMPLE_SMALL);
    values[sample_index(ACD_CONTRACT, ACD_KEY_PSEUDONYM)] = key_value(4);
    values[sample_index(ACD_CONTRACT, ACD_KEY_VALUE)] = sample_money("EUR", 1299);
    values[sample_index(ACD_CONTRACT, ACD_KEY_EXPIRATION)] = sample_uint(sale->expiration_max);
    values[sample_index(ACD_CONTRACT, ACD_KEY_LIFETIME)] = sample_uint(sale->contract_lifetime);
    values[sample_index(ACD_CONTRACT, ACD_CONTRACT_DATE)] = sample_uint(sale->committed_at - 300);
    values[sample_index(ACD_CONTRACT, ACD_CONTRACT_H_DESCRIPTION)] = sample_bytes(hash, ACD_HASH_SIZE);
    values[sample_index(ACD_CONTRACT, ACD_CONTRACT_ARCHIVES)] = sample_bytes_list(archives, 2);
    values[sample_index(ACD_CONTRACT, ACD_CONTRACT_NAME)] = sample_text("lake.jpg");
    if (sale->parcel != NULL) {
        values[sample_index(ACD_CONTRACT, ACD_CONTRACT_PARCEL)] = sample_text(sale->parcel);
    }
    return sample_encode(ACD_CONTRACT, values);
}

static sample build_p1(const sample_sale *sale)
{
    acd_value values[ACD_FIELDS_MAX];
    uint8_t *salt = filled(ACD_HASH_SIZE, 0x5a);
    uint8_t *hx = sample_alloc(ACD_HASH_SIZE);
    uint8_t *n = filled(ACD_TRANSACTION_ID_SIZE, 0x10);
    sample contract = build_contract(sale, salt);
    acd_key_commitment(hx, ACD_MODE_CORE, key_value(sale->merchant).bytes, n, filled(ACD_HASH_SIZE, 0x40));
    sample_values(values, sale->p1_type, SAMPLE_SMALL);
    if (sale->p1_type == ACD_P1) {
        values[sample_index(ACD_P1, ACD_KEY_N)] = sample_bytes(n, ACD_TRANSACTION_ID_SIZE);
        values[sample_index(ACD_P1, ACD_KEY_HX)] = sample_bytes(hx, ACD_HASH_SIZE);
        values[sample_index(ACD_P1, ACD_KEY_SALT)] = sample_bytes(salt, ACD_HASH_SIZE);
        values[sample_index(ACD_P1, ACD_P1_CONTRACT)] = sample_bytes(contract.bytes, contract.len);
    }
    return sample_sign(sale->p1_type, sample_encode(sale->p1_type, values), sale->merchant);
}

static sample build_p4(const sample_sale *sale, sample p1)
{
    acd_value values[ACD_FIELDS_MAX];
    uint8_t *h_p1 = sample_alloc(ACD_HASH_SIZE);
    acd_sha256(h_p1, p1.bytes, p1.len);
    h_p1[0] ^= sale->p4_h_p1;
    sample_values(values, sale->p4_type, SAMPLE_SMALL);
    if (sale->p4_type == ACD_P4) {
        values[sample_index(ACD_P4, ACD_KEY_N)] =
            sample_bytes(filled(ACD_TRANSACTION_ID_SIZE, sale->p4_n), ACD_TRANSACTION_ID_SIZE);
        values[sample_index(ACD_P4, ACD_KEY_EXPIRATION)] = sample_uint(sale->expiration);
        values[sample_index(ACD_P4, ACD_KEY_H_P1)] = sample_bytes(h_p1, ACD_HASH_SIZE);
        values[sample_index(ACD_P4, ACD_KEY_LOCK)] = sample_bytes(filled(ACD_HASH_SIZE, 0x21), ACD_HASH_SIZE);
        values[sample_index(ACD_P4, ACD_KEY_X)] =
            sample_bytes(filled(ACD_HASH_SIZE, sale->p4_k), ACD_HASH_SIZE);
    }
    return sample_sign(sale->p4_type, sample_encode(sale->p4_type, values), sale->p4_signer);
}

static sample build_p5a(const sample_sale *sale, sample p4)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, sale->p5a_type, SAMPLE_SMALL);
    if (sale->p5a_type == ACD_P5A) {
        values[sample_index(ACD_P5A, ACD_KEY_AT)] = sample_uint(sale->committed_at);
        values[sample_index(ACD_P5A, ACD_KEY_LIFETIME)] = sample_uint(sale->lifetime);
        values[sample_index(ACD_P5A, ACD_P5A_P4)] = sample_bytes(p4.bytes, p4.len);
    }
    return sample_sign(sale->p5a_type, sample_encode(sale->p5a_type, values), sale->archive);
}

/* The proof that P5a's leaf is the last but four of 2^20. */
static sample build_proof(const sample_sale *sale, sample p5a)
{
    static char text[32768];
    static uint8_t packed[ACD_PROOF_SIZE_MAX];
    uint8_t hash[ACD_HASH_SIZE];
    size_t len = 0;
    acd_leaf leaf = {.kind = ACD_LEAF_COMMIT, .at = sale->committed_at};
    acd_leaf_transaction(leaf.subject, key_value(sale->merchant).bytes,
                         filled(ACD_TRANSACTION_ID_SIZE, 0x10));
    memcpy(leaf.lock, filled(ACD_HASH_SIZE, sale->leaf_lock), sizeof leaf.lock);
    acd_sha256(leaf.body, p5a.bytes, p5a.len);
    const sample_proof proof = {.index = (UINT64_C(1) << 20) - 5,
                                .size = UINT64_C(1) << 20,
                                .times = sale->cosigned_at,
                                .cosignatures = sale->cosignatures,
                                .log_seed = sale->proof_log,
                                .origin = SAMPLE_ORIGIN};
    if (acd_leaf_hash(hash, &leaf) != ACD_OK) {
        abort();
    }
    sample_proof_text(text, &proof, hash);
    if (!sale->is_packed) {
        return sample_copy(text, strlen(text));
    }
    if (acd_proof_pack(packed, sizeof packed, &len, text, strlen(text)) != ACD_OK) {
        abort();
    }
    return sample_copy(packed, len);
}

void sample_sale_build(const sample_sale *sale, sample *receipt, sample *trust)
{
    acd_value values[ACD_FIELDS_MAX];
    sample p1 = build_p1(sale);
    sample p5a = build_p5a(sale, build_p4(sale, p1));
    sample_values(values, ACD_RECEIPT, SAMPLE_SMALL);
    values[sample_index(ACD_RECEIPT, ACD_RECEIPT_P1)] = sample_bytes(p1.bytes, p1.len);
    values[sample_index(ACD_RECEIPT, ACD_RECEIPT_P5A)] = sample_bytes(p5a.bytes, p5a.len);
    if (sale->shown_description != NULL) {
        values[sample_index(ACD_RECEIPT, ACD_RECEIPT_DESCRIPTION)] = sample_text(sale->shown_description);
    }
    if (sale->has_proof) {
        sample proof = build_proof(sale, p5a);
        values[sample_index(ACD_RECEIPT, ACD_RECEIPT_PROOF)] = sample_bytes(proof.bytes, proof.len);
    }
    *receipt = sample_encode(ACD_RECEIPT, values);
    *trust = build_trust(sale);
}
