/* acd/receipt.h: verify a paid receipt, offline, in one call: bytes + trust list + time.
 *
 * A receipt (docs/SPEC.md, "Receipt") holds P1 and P5a, P5a holding P4. It proves that merchant M sold
 * what the contract says, at that price, in transaction (M, n), and that archive A committed the sale at
 * a time: the customer has paid, and M's claim to the money is the same record. The checks, in order, are
 * the acd_receipt_check values below; the first that fails is reported.
 *
 * Stack: less than 4 KiB beyond libsodium's, with a log's proof; without, about 1 KiB. No heap. */
#ifndef ACD_RECEIPT_H
#define ACD_RECEIPT_H

#include <stddef.h>
#include <stdint.h>
#include "acd/cose.h"
#include "acd/crypto.h"
#include "acd/message.h"
#include "acd/status.h"
#include "acd/tlog.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_RECEIPT_SIZE_MAX 8192u
#define ACD_TRUST_SIZE_MAX 65536u
#define ACD_RECEIPT_SCRATCH_MIN 2560u

typedef enum acd_receipt_check {
    ACD_CHECK_NONE = 0,          /* all hold */
    ACD_CHECK_TRUST_FORMAT,      /* the trust list is one deterministic acd-trust message */
    ACD_CHECK_TRUST_SIGNATURE,   /* signed by its authority (and by the pinned one, if pinned) */
    ACD_CHECK_TRUST_WINDOW,      /* not before its date, not after its expiry */
    ACD_CHECK_RECEIPT_FORMAT,    /* the receipt is one deterministic acd-receipt container */
    ACD_CHECK_P1_FORMAT,
    ACD_CHECK_P5A_FORMAT,
    ACD_CHECK_P4_FORMAT,
    ACD_CHECK_MERCHANT_TRUSTED,  /* P1's signer: a merchant of the list, in its window, not revoked then */
    ACD_CHECK_ARCHIVE_TRUSTED,   /* P5a's signer is an archive of the list, likewise */
    ACD_CHECK_P1_SIGNATURE,
    ACD_CHECK_P4_SIGNATURE,
    ACD_CHECK_P5A_SIGNATURE,
    ACD_CHECK_MERCHANT_MISMATCH, /* P1 and P4 are signed by the same merchant */
    ACD_CHECK_TRANSACTION,       /* P1.n = P4.n */
    ACD_CHECK_CONTRACT_HASH,     /* P4.hP1 = H(P1) */
    ACD_CHECK_KEY_COMMITMENT,    /* P1.hx = H(type, M, n, k) of P4.k */
    ACD_CHECK_ARCHIVE_ALLOWED,   /* the contract allows this archive */
    ACD_CHECK_EXPIRATION,        /* P4.expiration <= the contract's, P5a.at < P4.expiration, one lifetime */
    ACD_CHECK_DATES,             /* P5a.at is not after the time of verification plus the list's skew */
    ACD_CHECK_DESCRIPTION,       /* the description, if shown, has the contract's hash */
    ACD_CHECK_LOG_PROOF,         /* if the list has a policy for A: P5a is in its log, as a quorum saw it */
    ACD_CHECK_LOG_AGE,           /* and seen again no longer ago than the list allows */
    ACD_CHECK_COUNT
} acd_receipt_check;

/* acd_receipt_check_name is a short stable name such as "merchant-trusted"; never NULL. */
const char *acd_receipt_check_name(acd_receipt_check check);
/* acd_receipt_check_text is a sentence for a person: what failed. Never NULL. */
const char *acd_receipt_check_text(acd_receipt_check check);

typedef struct acd_receipt_facts {
    uint8_t n[ACD_TRANSACTION_ID_SIZE];
    uint8_t merchant[ACD_PUBLIC_KEY_SIZE];
    uint8_t archive[ACD_PUBLIC_KEY_SIZE];
    uint8_t pseudonym[ACD_PUBLIC_KEY_SIZE]; /* P: who may collect or complain */
    uint8_t lock[ACD_HASH_SIZE];            /* L */
    uint8_t h_p1[ACD_HASH_SIZE];
    char currency[4];                       /* 3 letters and NUL */
    uint64_t amount;                        /* minor units: with the currency's ISO 4217 decimals */
    uint64_t contract_date;
    uint64_t committed_at;
    uint64_t lifetime;
    int is_logged;   /* the trust list has a policy for A, and the proof holds under it */
    uint64_t fresh;  /* the last time from which on a quorum has cosigned; 0 without */
    /* Borrowed from the inputs, not terminated; NULL and 0 when absent. UTF-8 as its author wrote it,
     * control characters included: replace those before it is shown. Names of parties are the trust
     * list's; the goods' name and the description are the merchant's words. */
    const char *merchant_name;  size_t merchant_name_len;
    const char *archive_name;   size_t archive_name_len;
    const char *goods_name;     size_t goods_name_len;
    const char *description;    size_t description_len;
    const char *parcel;         size_t parcel_len;
} acd_receipt_facts;

/* acd_receipt_verify checks everything. `authority` pins the trust list's signer; NULL trusts the list
 * that was handed in as it is. `scratch` must hold max(trust_len, receipt_len, ACD_RECEIPT_SCRATCH_MIN) +
 * ACD_SIGN1_PREFIX bytes, of any alignment, else ACD_ERR_NO_SPACE; ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX do
 * for all that can be valid. A policy is read into it, too.
 * Whoever reads a file into a buffer makes it a byte longer than the maximum: what was cut off must not pass
 * as whole.
 * On success *facts is filled and *failed is ACD_CHECK_NONE; otherwise *facts is zero and *failed names
 * the check. */
ACD_MUST_CHECK acd_status acd_receipt_verify(acd_receipt_facts *facts, acd_receipt_check *failed,
                                             const void *receipt, size_t receipt_len, const void *trust,
                                             size_t trust_len, const uint8_t *authority, uint64_t now,
                                             void *scratch, size_t scratch_cap);

/* acd_receipt_verify_unlogged is the same for devices that have no room for the log's code (a third of all):
 * a trust list with a policy lets no receipt pass (ACD_CHECK_LOG_PROOF, ACD_ERR_UNTRUSTED). */
ACD_MUST_CHECK acd_status acd_receipt_verify_unlogged(acd_receipt_facts *facts, acd_receipt_check *failed,
                                                      const void *receipt, size_t receipt_len,
                                                      const void *trust, size_t trust_len,
                                                      const uint8_t *authority, uint64_t now, void *scratch,
                                                      size_t scratch_cap);

/* acd_key_commitment writes hx = H("acd-hx" || mode || M || n || x): mode is one byte. */
void acd_key_commitment(uint8_t hx[ACD_HASH_SIZE], acd_mode mode, const uint8_t merchant[ACD_PUBLIC_KEY_SIZE],
                        const uint8_t n[ACD_TRANSACTION_ID_SIZE], const uint8_t x[ACD_HASH_SIZE]);

/* acd_description_hash writes hDescription = H("acd-description" || salt || UTF-8 text); salt is P1's. */
void acd_description_hash(uint8_t out[ACD_HASH_SIZE], const uint8_t salt[ACD_HASH_SIZE], const char *text,
                          size_t len);

/* acd_token_message writes what the bank signs blindly: h(Q, serial) = H("acd-token" || Q || serial). */
void acd_token_message(uint8_t out[ACD_HASH_SIZE], const uint8_t token_key[ACD_PUBLIC_KEY_SIZE],
                       const uint8_t serial[ACD_HASH_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
