/* acd_sample.h: sample messages for tests, vectors and fuzz seeds: maps filled from the table, signed
 * messages, and a whole sale whose every rule can be broken on its own. All keys come from one-byte seeds:
 * never for real use.
 *
 * Memory comes from one static arena, enough for a test program; a failure to build a sample ends the
 * program. */
#ifndef ACD_SAMPLE_H
#define ACD_SAMPLE_H

#include "acd.h"

typedef struct sample {
    uint8_t *bytes;
    size_t len;
} sample;

/* Zeroed memory; `len` may be 0. */
uint8_t *sample_alloc(size_t len);
/* Gives back all that was allocated. */
void sample_reset(void);
/* A copy of bytes in the arena. */
sample sample_copy(const void *bytes, size_t len);
/* The bytes of a hexadecimal text; spaces and line ends are passed over. */
sample sample_hex(const char *hex);

typedef enum sample_size {
    SAMPLE_SMALL, /* required fields only, each at its lower limit */
    SAMPLE_LARGE  /* all fields, at their upper limits or a few hundred bytes and four elements */
} sample_size;

/* Fills values[0 .. field_count) for a type. */
void sample_values(acd_value values[ACD_FIELDS_MAX], acd_message_type type, sample_size size);
/* The index of a field that must exist. */
size_t sample_index(acd_message_type type, int key);
sample sample_encode(acd_message_type type, const acd_value values[ACD_FIELDS_MAX]);
sample sample_map(acd_message_type type, sample_size size);
/* A byte-string list value of `count` elements. */
acd_value sample_bytes_list(const sample *elements, size_t count);
/* A list value of encoded maps. */
acd_value sample_map_list(const sample *elements, size_t count);
acd_value sample_uint(uint64_t number);
acd_value sample_bytes(const void *bytes, size_t len);
acd_value sample_text(const char *text);
acd_value sample_money(const char *currency, uint64_t amount);

void sample_key(uint8_t public_key[ACD_PUBLIC_KEY_SIZE], uint8_t secret_key[ACD_SECRET_KEY_SIZE],
                uint8_t seed);
sample sample_sign(acd_message_type type, sample payload, uint8_t seed);

/* A sale as a receipt shows it. Seeds name the keys; what differs from sample_sale_good() is broken. */
typedef struct sample_sale {
    uint8_t authority, merchant, archive;    /* signers of the trust list, P1, P5a */
    uint8_t listed_merchant, listed_archive; /* keys in the trust list */
    uint8_t merchant_role, archive_role;
    uint8_t p4_signer;
    uint8_t allowed_archive; /* in the contract */
    uint8_t p4_n;            /* first byte of n in P4 */
    uint8_t p4_h_p1;         /* XORed into hP1 in P4 */
    uint8_t p4_k;            /* first byte of k in P4 */
    uint64_t trust_at, trust_until, skew_seconds;
    uint64_t merchant_from, merchant_until, merchant_revoked_at; /* revoked_at: 0 is never */
    uint64_t archive_from, archive_until, archive_revoked_at;
    uint64_t expiration_max, expiration, committed_at, lifetime, contract_lifetime;
    const char *description;                     /* in the contract's hash */
    const char *shown_description;               /* in the receipt; NULL: none */
    const char *parcel;                          /* NULL: none */
    acd_message_type p1_type, p4_type, p5a_type; /* the types they are signed as */
    /* The log, if has_policy: three witnesses, of whom `quorum` have to cosign; the proof of P5a's leaf. */
    int has_policy, has_proof, is_packed;
    uint8_t policy_log, proof_log; /* the log's key in the policy, and the one that signed */
    unsigned quorum, cosignatures;
    uint64_t cosigned_at[3], age_seconds;
    uint8_t leaf_lock; /* first byte of L in the leaf */
} sample_sale;

#define SAMPLE_NOW UINT64_C(1760000000)

sample_sale sample_sale_good(void);
void sample_sale_build(const sample_sale *sale, sample *receipt, sample *trust);

#endif
