/* acd_make_signed_vectors.c: vectors of COSE messages and of receipts. Keys come from one-byte seeds. */
#include <stdlib.h>
#include <string.h>
#include "acd_make_vectors.h"

/* MARK: COSE */

/* P4 signed by seed 5 with other bytes at `at`. */
static sample changed(sample message, size_t at, uint8_t byte)
{
    sample out = sample_copy(message.bytes, message.len);
    out.bytes[at] = byte;
    return out;
}

/* start + n times byte + end. */
static sample glue(const char *start, uint8_t byte, size_t count, const char *end)
{
    sample a = sample_hex(start);
    sample b = sample_hex(end);
    sample out = {sample_alloc(a.len + count + b.len), a.len + count + b.len};
    memcpy(out.bytes, a.bytes, a.len);
    memset(out.bytes + a.len, byte, count);
    memcpy(out.bytes + a.len + count, b.bytes, b.len);
    return out;
}

/* A message around a protected header; the signature is no signature, so it must fail before that. */
static sample around(sample header, const char *unprotected, const char *payload, size_t signature_len)
{
    size_t cap = header.len + signature_len + 64u;
    sample out = {sample_alloc(cap), 0};
    sample middle = sample_hex(unprotected);
    sample inner = sample_hex(payload);
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out.bytes, cap);
    acd_cbor_put_tag(&writer, 18);
    acd_cbor_put_array(&writer, 4);
    acd_cbor_put_bytes(&writer, header.bytes, header.len);
    acd_cbor_put_raw(&writer, middle.bytes, middle.len);
    acd_cbor_put_raw(&writer, inner.bytes, inner.len);
    acd_cbor_put_bytes(&writer, sample_alloc(signature_len), signature_len);
    if (acd_cbor_writer_finish(&writer, &out.len) != ACD_OK) {
        abort();
    }
    return out;
}

#define HEADER_START "a3 01 27 04 5820"
#define HEADER_END "10 66 6163642d7034" /* acd-p4 */

static void make_sign1_envelopes(void)
{
    static const struct {
        const char *name, *rule, *start, *end, *unprotected, *payload;
        size_t key_len, signature_len;
        acd_status expect;
    } rows[] = {
        {"sign1-algorithm", "the algorithm is EdDSA, -8", "a3 01 26 04 5820", HEADER_END, "a0", "40", 32, 64,
         ACD_ERR_FIELD_RANGE},
        {"sign1-critical", "no other headers: crit", "a3 01 27 02 80 04 5820", "", "a0", "40", 32, 64,
         ACD_ERR_UNKNOWN_FIELD},
        {"sign1-extra-header", "no other headers", "a4 01 27 04 5820", HEADER_END "11 00", "a0", "40", 32, 64,
         ACD_ERR_UNKNOWN_FIELD},
        {"sign1-no-type", "the type is there", "a2 01 27 04 5820", "", "a0", "40", 32, 64,
         ACD_ERR_MISSING_FIELD},
        {"sign1-header-order", "headers ascend", "a3 04 27 01 5820", HEADER_END, "a0", "40", 32, 64,
         ACD_ERR_KEY_ORDER},
        {"sign1-key-id-short", "the key id has 32 bytes", "a3 01 27 04 581f", HEADER_END, "a0", "40", 31, 64,
         ACD_ERR_FIELD_RANGE},
        {"sign1-type-unknown", "the type is known", HEADER_START, "10 66 6163642d7039", "a0", "40", 32, 64,
         ACD_ERR_UNKNOWN_TYPE},
        {"sign1-type-inner-map", "the type is that of a signed message", HEADER_START, "10 65 746f6b656e",
         "a0", "40", 32, 64, ACD_ERR_UNEXPECTED_TYPE},
        {"sign1-type-container", "the type is that of a signed message", HEADER_START,
         "10 6d 6163642d726563656970742f31", "a0", "40", 32, 64, ACD_ERR_UNEXPECTED_TYPE},
        {"sign1-unprotected-header", "the unprotected header is empty", HEADER_START, HEADER_END, "a1 04 00",
         "40", 32, 64, ACD_ERR_UNKNOWN_FIELD},
        {"sign1-detached-payload", "the payload is there", HEADER_START, HEADER_END, "a0", "f6", 32, 64,
         ACD_ERR_FIELD_KIND},
        {"sign1-signature-short", "a signature has 64 bytes", HEADER_START, HEADER_END, "a0", "40", 32, 63,
         ACD_ERR_FIELD_RANGE},
        {"sign1-signature-long", "a signature has 64 bytes", HEADER_START, HEADER_END, "a0", "40", 32, 65,
         ACD_ERR_FIELD_RANGE},
        {"sign1-payload-long-head", "lengths have their shortest form", HEADER_START, HEADER_END, "a0",
         "5800", 32, 64, ACD_ERR_NOT_SHORTEST},
        {"sign1-small-order-key", "a key of small order signs nothing", HEADER_START, HEADER_END, "a0",
         "41 a0", 32, 64, ACD_ERR_AUTHENTICATION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sample header = glue(rows[i].start, 0, rows[i].key_len, rows[i].end);
        vector_put(rows[i].name, rows[i].rule, rows[i].expect, "sign1",
                   around(header, rows[i].unprotected, rows[i].payload, rows[i].signature_len));
        sample_reset();
    }
}

static void make_sign1(void)
{
    for (int type = ACD_P1; type <= ACD_P5C; type++) {
        char name[128];
        sample message =
            sample_sign((acd_message_type)type, sample_map((acd_message_type)type, SAMPLE_SMALL), 5);
        snprintf(name, sizeof name, "sign1-%s", acd_message_info_of((acd_message_type)type)->name);
        vector_put(name, "a signed message", ACD_OK, "sign1", message);
        sample_reset();
    }
    sample good = sample_sign(ACD_P4, sample_map(ACD_P4, SAMPLE_SMALL), 5);
    size_t type_at = 2u + 2u + 40u + 5u; /* the 4 of "acd-p4" */
    vector_put("sign1-payload-changed", "the signature covers the payload", ACD_ERR_AUTHENTICATION, "sign1",
               changed(good, good.len - 70u, (uint8_t)(good.bytes[good.len - 70u] ^ 1u)));
    vector_put("sign1-type-changed", "the signature covers the type", ACD_ERR_AUTHENTICATION, "sign1",
               changed(good, type_at, '3'));
    vector_put("sign1-key-changed", "the signature covers the key id", ACD_ERR_AUTHENTICATION, "sign1",
               changed(good, 12, (uint8_t)(good.bytes[12] ^ 1u)));
    vector_put("sign1-signature-changed", "the signature holds", ACD_ERR_AUTHENTICATION, "sign1",
               changed(good, good.len - 1u, (uint8_t)(good.bytes[good.len - 1u] ^ 1u)));
    sample high_s = sample_copy(good.bytes, good.len); /* S + L: the same equation, another encoding */
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;
    for (size_t i = 0; i < 32u; i++) {
        carry += (unsigned)high_s.bytes[high_s.len - 32u + i] + order[i];
        high_s.bytes[high_s.len - 32u + i] = (uint8_t)(carry & 0xffu);
        carry >>= 8;
    }
    vector_put("sign1-signature-malleable", "S is less than the group order", ACD_ERR_AUTHENTICATION, "sign1",
               high_s);
    vector_put("sign1-no-tag", "the tag is there", ACD_ERR_MALFORMED, "sign1",
               (sample){good.bytes + 1, good.len - 1u});
    vector_put("sign1-wrong-tag", "the tag is 18", ACD_ERR_MALFORMED, "sign1", changed(good, 0, 0xd1));
    vector_put("sign1-three-parts", "there are four parts", ACD_ERR_MALFORMED, "sign1",
               changed(good, 1, 0x83));
    vector_put("sign1-trailing", "nothing follows the message", ACD_ERR_TRAILING, "sign1",
               sample_copy(good.bytes, good.len + 1u));
    vector_put("sign1-truncated", "the message is complete", ACD_ERR_TRUNCATED, "sign1",
               (sample){good.bytes, good.len - 1u});
    vector_put("sign1-payload-of-another-type", "the payload is a map of the type", ACD_ERR_UNKNOWN_FIELD,
               "sign1", sample_sign(ACD_CANCEL, sample_map(ACD_P4, SAMPLE_SMALL), 5));
    sample_reset();
}

/* MARK: Receipts */

static void put_receipt_bytes(const char *name, const char *rule, sample receipt, sample trust,
                              acd_status expect, acd_receipt_check check, int pinned)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    sample authority = {sample_alloc(ACD_PUBLIC_KEY_SIZE), ACD_PUBLIC_KEY_SIZE};
    FILE *file = vector_begin(name, rule, expect, "receipt");
    fprintf(file, "check: %s\nnow: %llu\n", acd_receipt_check_name(check), (unsigned long long)SAMPLE_NOW);
    if (pinned) {
        sample_key(authority.bytes, secret_key, 1);
        vector_hex(file, "authority", authority);
    }
    vector_hex(file, "trust", trust);
    vector_hex(file, "hex", receipt);
    fclose(file);
    sample_reset();
}

static void put_receipt(const char *name, const char *rule, const sample_sale *sale, acd_status expect,
                        acd_receipt_check check, int pinned)
{
    sample receipt;
    sample trust;
    sample_sale_build(sale, &receipt, &trust);
    put_receipt_bytes(name, rule, receipt, trust, expect, check, pinned);
}

#define BREAK(name, rule, expect, check, change) \
    do { \
        sample_sale sale = sample_sale_good(); \
        change; \
        put_receipt((name), (rule), &sale, (expect), (check), 1); \
    } while (0)

static void make_trust(void)
{
    BREAK("receipt-trust-signature", "the trust list is signed by the pinned authority", ACD_ERR_UNTRUSTED,
          ACD_CHECK_TRUST_SIGNATURE, sale.authority = 99);
    BREAK("receipt-trust-not-yet", "the trust list counts from its date", ACD_ERR_EXPIRED,
          ACD_CHECK_TRUST_WINDOW, sale.trust_at = SAMPLE_NOW + 1);
    BREAK("receipt-trust-expired", "the trust list counts until its end", ACD_ERR_EXPIRED,
          ACD_CHECK_TRUST_WINDOW, sale.trust_until = SAMPLE_NOW - 1);
    BREAK("receipt-merchant-unknown", "the merchant is in the trust list", ACD_ERR_UNTRUSTED,
          ACD_CHECK_MERCHANT_TRUSTED, sale.listed_merchant = 55);
    BREAK("receipt-merchant-role", "the merchant has the role of a merchant", ACD_ERR_UNTRUSTED,
          ACD_CHECK_MERCHANT_TRUSTED, sale.merchant_role = ACD_ROLE_KIOSK);
    BREAK("receipt-merchant-too-early", "the merchant's key counts from its date", ACD_ERR_EXPIRED,
          ACD_CHECK_MERCHANT_TRUSTED, sale.merchant_from = sale.committed_at + 1);
    BREAK("receipt-merchant-too-late", "the merchant's key counts until before its end", ACD_ERR_EXPIRED,
          ACD_CHECK_MERCHANT_TRUSTED, sale.merchant_until = sale.committed_at);
    BREAK("receipt-merchant-revoked", "the merchant's key was not revoked at the commit", ACD_ERR_REVOKED,
          ACD_CHECK_MERCHANT_TRUSTED, sale.merchant_revoked_at = sale.committed_at);
    BREAK("receipt-archive-unknown", "the archive is in the trust list", ACD_ERR_UNTRUSTED,
          ACD_CHECK_ARCHIVE_TRUSTED, sale.listed_archive = 55);
    BREAK("receipt-archive-role", "the archive has the role of an archive", ACD_ERR_UNTRUSTED,
          ACD_CHECK_ARCHIVE_TRUSTED, sale.archive_role = ACD_ROLE_WITNESS);
    BREAK("receipt-archive-too-late", "the archive's key counts until before its end", ACD_ERR_EXPIRED,
          ACD_CHECK_ARCHIVE_TRUSTED, sale.archive_until = sale.committed_at);
    BREAK("receipt-archive-revoked", "the archive's key was not revoked at the commit", ACD_ERR_REVOKED,
          ACD_CHECK_ARCHIVE_TRUSTED, sale.archive_revoked_at = sale.committed_at);
}

static void make_receipts(void)
{
    sample_sale good = sample_sale_good();
    put_receipt("receipt-good", "a paid receipt", &good, ACD_OK, ACD_CHECK_NONE, 1);
    put_receipt("receipt-good-unpinned", "without a pinned authority the list counts as it is", &good, ACD_OK,
                ACD_CHECK_NONE, 0);
    BREAK("receipt-good-no-description", "the description may be absent", ACD_OK, ACD_CHECK_NONE,
          sale.shown_description = NULL);
    BREAK("receipt-good-last-second", "a commit counts up to the second before the expiration", ACD_OK,
          ACD_CHECK_NONE, sale.expiration = sale.committed_at + 1);
    BREAK("receipt-good-revoked-later", "a key revoked after the commit still counts", ACD_OK, ACD_CHECK_NONE,
          sale.merchant_revoked_at = sale.committed_at + 1);
    BREAK("receipt-p1-type", "P1 is a P1", ACD_ERR_UNEXPECTED_TYPE, ACD_CHECK_P1_FORMAT,
          sale.p1_type = ACD_SP1);
    BREAK("receipt-p4-type", "P4 is a P4", ACD_ERR_UNEXPECTED_TYPE, ACD_CHECK_P4_FORMAT,
          sale.p4_type = ACD_CANCEL);
    BREAK("receipt-p5a-type", "P5a is a P5a, not an abort", ACD_ERR_UNEXPECTED_TYPE, ACD_CHECK_P5A_FORMAT,
          sale.p5a_type = ACD_P5B);
    make_trust();
    BREAK("receipt-merchant-mismatch", "P1 and P4 are signed by the same merchant", ACD_ERR_MISMATCH,
          ACD_CHECK_MERCHANT_MISMATCH, sale.p4_signer = 33);
    BREAK("receipt-transaction", "P1.n = P4.n", ACD_ERR_MISMATCH, ACD_CHECK_TRANSACTION, sale.p4_n ^= 1);
    BREAK("receipt-contract-hash", "P4.hP1 = H(P1)", ACD_ERR_MISMATCH, ACD_CHECK_CONTRACT_HASH,
          sale.p4_h_p1 = 1);
    BREAK("receipt-key-commitment", "P1.hx = H(type, M, n, k)", ACD_ERR_MISMATCH, ACD_CHECK_KEY_COMMITMENT,
          sale.p4_k ^= 1);
    BREAK("receipt-archive-allowed", "the contract allows the archive", ACD_ERR_MISMATCH,
          ACD_CHECK_ARCHIVE_ALLOWED, sale.allowed_archive = 44);
    BREAK("receipt-expiration-beyond-contract", "P4.expiration is at most the contract's", ACD_ERR_MISMATCH,
          ACD_CHECK_EXPIRATION, sale.expiration_max = sale.expiration - 1);
    BREAK("receipt-committed-at-expiration", "P5a.at < P4.expiration", ACD_ERR_MISMATCH, ACD_CHECK_EXPIRATION,
          sale.expiration = sale.committed_at);
    BREAK("receipt-from-the-future", "P5a.at is at most now and the skew", ACD_ERR_MISMATCH, ACD_CHECK_DATES,
          sale.committed_at = SAMPLE_NOW + 31;
          sale.expiration = sale.expiration_max = SAMPLE_NOW + 60);
    BREAK("receipt-description", "the description shown has the contract's hash", ACD_ERR_MISMATCH,
          ACD_CHECK_DESCRIPTION, sale.shown_description = "Something else.");
}

/* Receipts with bytes changed after signing. */
static void make_damaged_receipts(void)
{
    static const struct {
        const char *name, *rule;
        acd_receipt_check check;
        size_t from_end; /* where a byte of the signature stands, from the end of the message named by key */
        int key;
    } rows[] = {{"receipt-p1-signature", "P1 is signed", ACD_CHECK_P1_SIGNATURE, 1, ACD_RECEIPT_P1},
                {"receipt-p5a-signature", "P5a is signed", ACD_CHECK_P5A_SIGNATURE, 1, ACD_RECEIPT_P5A},
                /* P4 is the end of P5a's payload, before P5a's own signature and its head. */
                {"receipt-p4-signature", "P4 is signed", ACD_CHECK_P4_SIGNATURE, ACD_SIGN1_TAILROOM + 1u,
                 ACD_RECEIPT_P5A}};
    const sample_sale sale = sample_sale_good();
    sample receipt;
    sample trust;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        acd_value values[ACD_FIELDS_MAX];
        sample_sale_build(&sale, &receipt, &trust);
        if (acd_map_decode(values, ACD_FIELDS_MAX, ACD_RECEIPT, receipt.bytes, receipt.len) != ACD_OK) {
            abort();
        }
        const acd_value *message = &values[sample_index(ACD_RECEIPT, rows[i].key)];
        receipt.bytes[(size_t)(message->bytes - receipt.bytes) + message->len - rows[i].from_end] ^= 1u;
        put_receipt_bytes(rows[i].name, rows[i].rule, receipt, trust, ACD_ERR_AUTHENTICATION, rows[i].check,
                          1);
    }
    sample_sale_build(&sale, &receipt, &trust);
    trust.bytes[trust.len - 1u] ^= 1u;
    put_receipt_bytes("receipt-trust-damaged", "the trust list is signed", receipt, trust,
                      ACD_ERR_AUTHENTICATION, ACD_CHECK_TRUST_SIGNATURE, 1);
    sample_sale_build(&sale, &receipt, &trust);
    put_receipt_bytes("receipt-trust-format", "the trust list is a trust list", receipt,
                      sample_sign(ACD_P4, sample_map(ACD_P4, SAMPLE_SMALL), 1), ACD_ERR_UNEXPECTED_TYPE,
                      ACD_CHECK_TRUST_FORMAT, 1);
    sample_sale_build(&sale, &receipt, &trust);
    put_receipt_bytes("receipt-trailing", "nothing follows the receipt",
                      sample_copy(receipt.bytes, receipt.len + 1u), trust, ACD_ERR_TRAILING,
                      ACD_CHECK_RECEIPT_FORMAT, 1);
}

void make_signed_vectors(void)
{
    make_sign1_envelopes();
    make_sign1();
    make_receipts();
    make_damaged_receipts();
}
