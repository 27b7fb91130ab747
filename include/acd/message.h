/* acd/message.h: the table of all messages. One constant table describes every message's name, signer,
 * fields, kinds and limits (CCore/acd_message_table.c); the encoder, the decoder, docs/acd.cddl and the
 * tables in docs/SPEC.md follow it.
 *
 * Keys 0..23 mean the same in every message (acd_key); keys -1..-24 are local to a message (ACD_<TYPE>_...).
 */
#ifndef ACD_MESSAGE_H
#define ACD_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_MESSAGE_SIZE_MAX 65536u    /* bytes of one signed message */
#define ACD_FIELDS_MAX 24u             /* fields in any one map */
#define ACD_TRANSACTION_ID_SIZE 16u    /* n: at least 128 random bits */
#define ACD_AMOUNT_MAX UINT64_C(9007199254740991) /* 2^53 - 1 minor units: exact in JSON */
#define ACD_TIME_MAX UINT64_C(253402300799)       /* 9999-12-31T23:59:59Z */
#define ACD_TOKENS_MAX 32u             /* tokens in one authorization or exchange, and wraps of CoSign */
#define ACD_OUTPUTS_MAX 64u            /* blinded tokens in one withdrawal or exchange */

/* Common keys. */
typedef enum acd_key {
    ACD_KEY_N = 0,           /* transaction id, chosen by M */
    ACD_KEY_MERCHANT = 1,    /* M */
    ACD_KEY_ARCHIVE = 2,     /* A */
    ACD_KEY_BANK = 3,        /* B */
    ACD_KEY_PSEUDONYM = 4,   /* P */
    ACD_KEY_TOKEN_KEY = 5,   /* Q */
    ACD_KEY_VALUE = 6,       /* money */
    ACD_KEY_EXPIRATION = 7,  /* commit iff the archive's time < expiration, abort iff >= */
    ACD_KEY_LIFETIME = 8,    /* the end of the transaction's lifetime */
    ACD_KEY_H_P1 = 9,        /* H(P1) or its kin */
    ACD_KEY_HX = 10,         /* H(type, M, n, x): the commitment to the published key */
    ACD_KEY_LOCK = 11,       /* L = H(P3) or its kin */
    ACD_KEY_X = 12,          /* the published key: k */
    ACD_KEY_AT = 13,         /* the signer's time */
    ACD_KEY_REASON = 14,     /* acd_reason */
    ACD_KEY_ROOT = 15,       /* Merkle root of the sealed goods */
    ACD_KEY_LENGTH = 16,     /* sealed length of the goods */
    ACD_KEY_SALT = 17,
    ACD_KEY_H_REQUEST = 18,  /* H of the message that this one answers */
    ACD_KEY_NONCE = 19,
    ACD_KEY_PROOF = 20,      /* messages that show why */
    ACD_KEY_STATE = 21,      /* acd_state */
    ACD_KEY_UNTIL = 22,
    ACD_KEY_FORMAT = 23      /* containers: name and version */
} acd_key;

/* Message types: the value is this build's own; on the wire the name (typ) counts. */
typedef enum acd_message_type {
    ACD_NONE = 0,
    ACD_P1, ACD_P2, ACD_COSIGN, ACD_P3, ACD_SP1, ACD_P4, ACD_CANCEL, ACD_P5A, ACD_P5B,
    ACD_N1, ACD_NAK, ACD_OFFERS,
    ACD_CREDIT, ACD_REFUSAL, ACD_STATUS_QUERY, ACD_STATUS,
    ACD_W1, ACD_W2, ACD_ACCOUNT_QUERY, ACD_ACCOUNT, ACD_X1, ACD_X2,
    ACD_KEY_LIST, ACD_TRUST_LIST,
    /* Early commitment (FIG. 5). */
    ACD_E1, ACD_E2, ACD_E3, ACD_E4, ACD_E5, ACD_E6, ACD_HELD, ACD_E7A, ACD_E7B,
    /* Joint bank-archive (FIG. 6) and its compact form (FIG. 7); JA1 and JB1 are P1. */
    ACD_JA2, ACD_JA3, ACD_JA4, ACD_JA5A, ACD_JA5B,
    ACD_JB2, ACD_JB2ACK, ACD_JB3, ACD_JB4A, ACD_JB4B,
    /* Repeated transactions (FIG. 8). */
    ACD_R1, ACD_R2, ACD_R3, ACD_R4, ACD_R5, ACD_R6, ACD_R7, ACD_R8, ACD_R9, ACD_R10A, ACD_R10B,
    /* Invoice purchase (FIGS. 1 and 2). */
    ACD_REGISTRATION, ACD_REGISTERED, ACD_INV, ACD_ENDORSEMENT, ACD_DEPOSIT, ACD_APPROVAL, ACD_PASSIVE_RECORD,
    ACD_COMPLAINT,
    /* Announced purchase (FIG. 3). */
    ACD_PO, ACD_ANNOUNCEMENT, ACD_ANNOUNCED, ACD_CONSENT, ACD_A7, ACD_A8, ACD_A9A, ACD_A9B,
    /* Negotiation, a second bank, refunds, certified non-response. */
    ACD_N2, ACD_BT1, ACD_BT2, ACD_BT3, ACD_BT4, ACD_RF1, ACD_RF2, ACD_RF3, ACD_NR, ACD_P5C,
    /* Delivery at a counter. */
    ACD_D0, ACD_D1, ACD_D2, ACD_D3, ACD_DELEGATION,
    /* Containers: not signed. */
    ACD_RECEIPT, ACD_BUNDLE, ACD_SEALED, ACD_PAYMENT, ACD_TIMESTAMP,
    /* Maps inside messages. */
    ACD_CONTRACT, ACD_TOKEN, ACD_TOKEN_INPUT, ACD_BLINDED, ACD_DENOMINATION, ACD_TRUST_ENTRY, ACD_OFFER,
    ACD_TYPE_COUNT
} acd_message_type;

/* Local keys. */
enum {
    ACD_P1_CONTRACT = -1,
    ACD_CONTRACT_DATE = -1, ACD_CONTRACT_H_DESCRIPTION = -2, ACD_CONTRACT_DIGESTS = -3,
    ACD_CONTRACT_ARCHIVES = -4, ACD_CONTRACT_BANKS = -5, ACD_CONTRACT_MODE = -6,
    ACD_CONTRACT_TWO_SIDED = -7, ACD_CONTRACT_NAME = -8, ACD_CONTRACT_PARCEL = -9,
    ACD_CONTRACT_OFFICES = -10, ACD_CONTRACT_COLLECT_KEYS = -11,
    ACD_P2_TOKENS = -1,
    ACD_COSIGN_MESSAGE = -1,
    ACD_P5A_P4 = -1,
    ACD_P5B_CANCEL = -1,
    ACD_N1_OFFER = -1, ACD_N1_TWO_SIDED = -2, ACD_N1_MODE = -3, ACD_N1_OFFICE = -4,
    ACD_N1_COLLECT_KEYS = -5,
    ACD_NAK_DECLINE = -1, ACD_NAK_BAD_RANGES = -2,
    ACD_OFFERS_LIST = -1,
    ACD_CREDIT_ACCOUNT = -1,
    ACD_REFUSAL_DETAIL = -1,
    ACD_STATUS_QUERY_SERIAL = -1, ACD_STATUS_QUERY_ISSUER = -2, ACD_STATUS_QUERY_AFTER = -3,
    ACD_STATUS_NEXT = -1,
    ACD_W1_OUTPUTS = -1, ACD_W1_RECOVERY = -2,
    ACD_W2_SIGNATURES = -1,
    ACD_ACCOUNT_QUERY_FROM = -1,
    ACD_ACCOUNT_HISTORY = -1, ACD_ACCOUNT_NEXT = -2,
    ACD_X1_INPUTS = -1, ACD_X1_OUTPUTS = -2, ACD_X1_FEE = -3, ACD_X1_RECOVERY = -4,
    ACD_X2_SIGNATURES = -1,
    ACD_KEY_LIST_SEQUENCE = -1, ACD_KEY_LIST_PREVIOUS = -2, ACD_KEY_LIST_KEYS = -3, ACD_KEY_LIST_FEE = -4,
    ACD_TRUST_LIST_VERSION = -1, ACD_TRUST_LIST_SEQUENCE = -2, ACD_TRUST_LIST_PREVIOUS = -3,
    ACD_TRUST_LIST_ENTRIES = -4, ACD_TRUST_LIST_ANSWER_SECONDS = -5, ACD_TRUST_LIST_SKEW_SECONDS = -6,
    ACD_TRUST_LIST_LIFETIME_SECONDS = -7, ACD_TRUST_LIST_GOODS_MAX = -8, ACD_TRUST_LIST_QUORUM = -9,
    ACD_TRUST_LIST_POLICY = -10, ACD_TRUST_LIST_CHECKPOINT_AGE = -11,
    ACD_E1_CONTRACT = -1, ACD_E1_MASK = -2,
    ACD_E5_H_E4 = -1,
    ACD_E6_H_E4 = -1, ACD_E6_KIND = -2,
    ACD_HELD_H_GOODS = -1,
    ACD_COMMIT_SUBMISSION = -1, ACD_COMMIT_ACKNOWLEDGEMENT = -2, ACD_COMMIT_HELD = -3, ACD_COMMIT_ITEM = -4,
    ACD_COMMIT_REQUEST = -5,
    ACD_R1_CONTRACT = -1, ACD_R1_MASK = -2,
    ACD_TERMS_BASE = -2,
    ACD_R_INDEX = -1,
    ACD_R5_REQUEST = -2, ACD_R5_H_PREVIOUS = -3,
    ACD_R6_CONTRACT = -2, ACD_R6_H_PREVIOUS = -3,
    ACD_R7_H_R6 = -2,
    ACD_R9_H_ITEM = -2, ACD_R9_KIND = -3, ACD_R9_X_PREVIOUS = -4,
    ACD_REGISTRATION_INNER = -1, ACD_REGISTERED_ADDRESS = -1,
    ACD_INV_DATE = -1, ACD_INV_H_DESCRIPTION = -2, ACD_INV_DIGESTS = -3, ACD_INV_NAME = -4,
    ACD_INV_ADDRESS = -5,
    ACD_ENDORSEMENT_H_INV = -1, ACD_ENDORSEMENT_ADDRESS = -2,
    ACD_DEPOSIT_TOKEN = -1, ACD_DEPOSIT_INV = -2, ACD_DEPOSIT_ENDORSEMENT = -3,
    ACD_APPROVAL_ADDRESS = -1, ACD_APPROVAL_H_ENDORSEMENT = -2, ACD_APPROVAL_TOKEN = -3,
    ACD_PASSIVE_RECORD_ADDRESS = -1,
    ACD_COMPLAINT_KIND = -1, ACD_COMPLAINT_ADDRESS = -2, ACD_COMPLAINT_H_INV = -3,
    ACD_ANNOUNCEMENT_H_PO = -1, ACD_ANNOUNCEMENT_TOKEN = -2,
    ACD_ANNOUNCED_MESSAGE = -1,
    ACD_CONSENT_H_PO = -1,
    ACD_A7_H_ANNOUNCED = -1,
    ACD_A8_CONSENT = -1,
    ACD_BT1_ACCOUNT = -1,
    ACD_BT3_REQUEST = -1, ACD_BT3_DUE = -2, ACD_BT3_ISSUER = -3,
    ACD_RF1_OUTPUTS = -1, ACD_RF1_RECOVERY = -2, ACD_RF2_RF1 = -1, ACD_RF3_SIGNATURES = -1,
    ACD_NR_TARGET = -1, ACD_NR_SENT_AT = -2, ACD_NR_WAITED_UNTIL = -3, ACD_NR_ANSWER = -4,
    ACD_NR_CHECKPOINT = -5,
    ACD_P5C_CHECKPOINT = -1, ACD_P5C_NON_RESPONSES = -2,
    ACD_D0_PARCEL = -1,
    ACD_D1_OFFICE = -1, ACD_D1_PARCEL = -2, ACD_D1_H_P5A = -3, ACD_D1_INTENT = -4, ACD_D1_INVENTORY = -5,
    ACD_D2_INTENT = -1,
    ACD_D3_STAGE = -1, ACD_D3_OUTCOME = -2, ACD_D3_INDEX = -3, ACD_D3_PREVIOUS = -4, ACD_D3_PARCEL = -5,
    ACD_DELEGATION_KEY = -1, ACD_DELEGATION_PARCEL = -2,
    ACD_PAYMENT_TOKENS = -1, ACD_PAYMENT_ENDORSEMENT = -2,
    ACD_RECEIPT_P1 = -1, ACD_RECEIPT_P5A = -2, ACD_RECEIPT_DESCRIPTION = -3, ACD_RECEIPT_PROOF = -4,
    ACD_BUNDLE_MESSAGES = -1,
    ACD_SEALED_RECIPIENT = -1, ACD_SEALED_BOX = -2,
    ACD_TIMESTAMP_TOKEN = -1, ACD_TIMESTAMP_HASHES = -2, ACD_TIMESTAMP_CHECKPOINT = -3,
    ACD_TOKEN_SERIAL = -1, ACD_TOKEN_KEY_ID = -2, ACD_TOKEN_SIGNATURE = -3, ACD_TOKEN_ISSUER = -4,
    ACD_TOKEN_INPUT_TOKEN = -1, ACD_TOKEN_INPUT_AMOUNT = -2,
    ACD_BLINDED_KEY_ID = -1, ACD_BLINDED_MESSAGE = -2,
    ACD_DENOMINATION_ID = -1, ACD_DENOMINATION_MODULUS = -2, ACD_DENOMINATION_EXPONENT = -3,
    ACD_DENOMINATION_ISSUE_FROM = -4, ACD_DENOMINATION_ISSUE_UNTIL = -5, ACD_DENOMINATION_SPEND_UNTIL = -6,
    ACD_TRUST_ENTRY_ROLE = -1, ACD_TRUST_ENTRY_NAME = -2, ACD_TRUST_ENTRY_KEY = -3, ACD_TRUST_ENTRY_FROM = -4,
    ACD_TRUST_ENTRY_UNTIL = -5, ACD_TRUST_ENTRY_REVOKED_AT = -6, ACD_TRUST_ENTRY_SEALING_KEY = -7,
    ACD_TRUST_ENTRY_URL = -8, ACD_TRUST_ENTRY_CERTIFICATE = -9, ACD_TRUST_ENTRY_TSA_POLICY = -10,
    ACD_OFFER_ID = -1, ACD_OFFER_DESCRIPTION = -2, ACD_OFFER_NAME = -3, ACD_OFFER_LENGTH = -4,
    ACD_OFFER_TWO_SIDED = -5, ACD_OFFER_MODES = -6, ACD_OFFER_OFFICES = -7
};

/* Who may sign a message, as a bit set; also the roles in a trust list (the bit's number). */
typedef enum acd_role {
    ACD_ROLE_BANK = 1, ACD_ROLE_ARCHIVE = 2, ACD_ROLE_MERCHANT = 3, ACD_ROLE_KIOSK = 4, ACD_ROLE_WITNESS = 5,
    ACD_ROLE_TIMESTAMP = 6, ACD_ROLE_AUTHORITY = 7,
    ACD_ROLE_TOKEN = 8,      /* a token key q */
    ACD_ROLE_PSEUDONYM = 9,  /* a pseudonym key p */
    ACD_ROLE_ACCOUNT = 10    /* a bank account's key */
} acd_role;

/* How a sale runs. It stands in the contract and in hx, so that a key or an outcome of one never serves
 * another. */
typedef enum acd_mode {
    ACD_MODE_CORE = 1, ACD_MODE_EARLY = 2, ACD_MODE_JOINT = 3, ACD_MODE_COMPACT = 4, ACD_MODE_REPEATED = 5,
    ACD_MODE_INVOICE = 6, ACD_MODE_ANNOUNCED = 7, ACD_MODE_INVOICE_DIRECT = 8, ACD_MODE_INVOICE_PASSIVE = 9
} acd_mode;

/* How E6 and R9 reach their payment: by the customer's acknowledgement, or by the archive's holding of the
 * ciphertext (forced commit). */
typedef enum acd_delivery { ACD_DELIVERY_ACKNOWLEDGED = 1, ACD_DELIVERY_FORCED = 2 } acd_delivery;

/* What a customer wants at a counter: in D1, and the same in D2. */
typedef enum acd_intent {
    ACD_INTENT_COLLECT = 1,
    ACD_INTENT_REFUSE = 2,         /* does not want it */
    ACD_INTENT_REFUSE_DAMAGED = 3, /* with an inventory of the damage in D1 */
    ACD_INTENT_REFUSE_WRONG = 4    /* not what the contract says */
} acd_intent;

/* D3: that the right was verified, and what became of the parcel, are records of their own. */
typedef enum acd_stage { ACD_STAGE_VERIFIED = 1, ACD_STAGE_FINAL = 2 } acd_stage;

typedef enum acd_outcome {
    ACD_OUTCOME_HANDED_OVER = 1, ACD_OUTCOME_REFUSED = 2, ACD_OUTCOME_REFUSED_DAMAGED = 3,
    ACD_OUTCOME_FAILED = 4,        /* jammed, lost or the wrong item: for good */
    ACD_OUTCOME_EXPIRED = 5, ACD_OUTCOME_RETURNED = 6
} acd_outcome;

typedef enum acd_state {
    ACD_STATE_UNKNOWN = 0,   /* nothing known of this transaction or token */
    ACD_STATE_OFFERED = 1,   /* M: P1 sent */
    ACD_STATE_LOCKED = 2,    /* B: the tokens are locked; M: P3 received */
    ACD_STATE_SUBMITTED = 3, /* M: P4 sent */
    ACD_STATE_COMMITTED = 4,
    ACD_STATE_ABORTED = 5,
    ACD_STATE_AVAILABLE = 6, /* a token: unspent, wholly or in part */
    ACD_STATE_SPENT = 7,     /* a token: nothing left */
    ACD_STATE_OPEN = 8       /* A: no record yet */
} acd_state;

/* Why something was refused or aborted. The meaning, the safety of the money and the next step of each are in
 * docs/SPEC.md, "Reasons". */
typedef enum acd_reason {
    ACD_REASON_MALFORMED = 1, ACD_REASON_UNTRUSTED = 2, ACD_REASON_EXPIRED = 3, ACD_REASON_MISMATCH = 4,
    ACD_REASON_SPENT = 5, ACD_REASON_LOCKED = 6, ACD_REASON_WRONG_VALUE = 7, ACD_REASON_BAD_TOKEN = 8,
    ACD_REASON_LIFETIME = 9, ACD_REASON_N_REUSED = 10, ACD_REASON_TOO_EARLY = 11, ACD_REASON_TOO_LATE = 12,
    ACD_REASON_WRONG_KEY = 13, ACD_REASON_CANCELLED = 14, ACD_REASON_NO_SUCH_OFFER = 15,
    ACD_REASON_FUNDS = 16, ACD_REASON_NO_SUCH_ACCOUNT = 17, ACD_REASON_UNKNOWN_TRANSACTION = 18,
    ACD_REASON_COMMITTED = 19, ACD_REASON_ABORTED = 20, ACD_REASON_LIMIT = 21,
    ACD_REASON_UNACKNOWLEDGED = 22, ACD_REASON_UNSUPPORTED = 23, ACD_REASON_EXPIRATION_CAP = 24,
    ACD_REASON_DENOMINATION = 25, ACD_REASON_SEALED = 26, ACD_REASON_INTERNAL = 27
} acd_reason;

/* MARK: The table */

typedef enum acd_field_kind {
    ACD_FIELD_UINT = 1,    /* min..max: value */
    ACD_FIELD_BOOL,
    ACD_FIELD_BYTES,       /* min..max: size */
    ACD_FIELD_TEXT,        /* min..max: size in bytes of UTF-8 */
    ACD_FIELD_MONEY,       /* [currency: 3 capital letters, amount: 0..ACD_AMOUNT_MAX] */
    ACD_FIELD_MAP,         /* of type `sub` */
    ACD_FIELD_MESSAGE,     /* byte string: a signed message of type `sub`, any if ACD_NONE; min..max: size */
    ACD_FIELD_BYTES_LIST,  /* count_min..count_max elements of size min..max */
    ACD_FIELD_UINT_LIST,
    ACD_FIELD_MAP_LIST,    /* elements of type `sub` */
    ACD_FIELD_MESSAGE_LIST
} acd_field_kind;

typedef struct acd_range {
    uint64_t min, max;
} acd_range;

typedef struct acd_field {
    int8_t key;
    uint8_t kind;              /* acd_field_kind */
    uint8_t required;
    uint8_t sub;               /* acd_message_type */
    uint16_t count_min, count_max;
    const acd_range *range;    /* never NULL; most fields share a few */
    const char *name;          /* as docs/SPEC.md has it */
} acd_field;

typedef struct acd_message_info {
    const char *name;          /* "acd-p1" (typ), "acd-receipt/1" (format), or "contract" (inner map) */
    const char *label;         /* "P1" */
    const char *title;         /* "Merchandise" */
    uint16_t signers;          /* bits 1 << acd_role; 0: not signed */
    uint8_t field_count;
    const acd_field *fields;   /* in ascending order of their encoded keys: 0..23, then -1..-24 */
} acd_message_info;

/* acd_message_info_of returns the table's row, NULL for a value that is none. */
const acd_message_info *acd_message_info_of(acd_message_type type);

/* acd_message_type_named finds a type by its wire name; ACD_NONE if there is none. */
acd_message_type acd_message_type_named(const void *name, size_t len);

/* MARK: Decoding and encoding maps */

/* One field's value. Which members count depends on the field's kind:
 *   UINT, BOOL: number.  BYTES, TEXT, MESSAGE: bytes, len.  MONEY: bytes = 3 letters, number = amount.
 * MAP: bytes, len = the inner map's encoding.  lists: bytes, len = the array's encoding, number = its
 * count. */
typedef struct acd_value {
    uint8_t present;
    uint64_t number;
    const uint8_t *bytes;
    size_t len;
} acd_value;

/* acd_map_decode checks that `cbor` is exactly one map of `type`, inner maps and lists included, and fills
 * values[i] for the table's field i. values_cap >= the type's field_count. Nested messages are not looked
 * into. */
ACD_MUST_CHECK acd_status acd_map_decode(acd_value *values, size_t values_cap, acd_message_type type,
                                         const void *cbor, size_t len);

/* acd_map_encode writes the one encoding of these values; it refuses what acd_map_decode would refuse. `out`
 * may be where acd_sign1_sign_in_place wants the payload. */
ACD_MUST_CHECK acd_status acd_map_encode(void *out, size_t out_cap, size_t *out_len, acd_message_type type,
                                         const acd_value *values, size_t values_count);

/* acd_map_field is the index of `key` in the type's fields, or -1. */
int acd_map_field(acd_message_type type, int key);

/* acd_list_next walks a list value: start with *at = value.bytes after acd_list_begin. For BYTES_LIST and
 * MESSAGE_LIST bytes, len are the element's content; for UINT_LIST number; for MAP_LIST the element's
 * encoding. */
typedef struct acd_list {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t remaining;
} acd_list;

ACD_MUST_CHECK acd_status acd_list_begin(acd_list *list, const acd_value *value);
ACD_MUST_CHECK acd_status acd_list_next(acd_list *list, acd_value *element);

#ifdef __cplusplus
}
#endif
#endif
