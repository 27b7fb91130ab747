/* acd_fields_core.h: fields of inner maps, of the core protocol (FIG. 4), of money and service, and of
 * containers. Part of acd_message_table.c, which alone includes it and says what holds for all rows. */
#ifndef ACD_FIELDS_CORE_H
#define ACD_FIELDS_CORE_H

/* MARK: Inner maps */

static const acd_field contract_fields[] = {
    HASH(ACD_KEY_PSEUDONYM, REQUIRED, "P"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "price"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration_max"),
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_UNTIL, OPTIONAL, "hold_until"),
    TIME(ACD_CONTRACT_DATE, REQUIRED, "date"),
    HASH(ACD_CONTRACT_H_DESCRIPTION, REQUIRED, "hDescription"),
    HASHES(ACD_CONTRACT_DIGESTS, REQUIRED, 0, 16, "digests"),
    HASHES(ACD_CONTRACT_ARCHIVES, REQUIRED, 1, 8, "archives"),
    HASHES(ACD_CONTRACT_BANKS, REQUIRED, 1, 8, "banks"),
    UINT(ACD_CONTRACT_MODE, REQUIRED, ACD_MODE_CORE, ACD_MODE_REPEATED, "mode"),
    BOOL(ACD_CONTRACT_TWO_SIDED, REQUIRED, "two_sided"),
    TEXT(ACD_CONTRACT_NAME, REQUIRED, 0, 255, "name"),
    TEXT(ACD_CONTRACT_PARCEL, OPTIONAL, 1, 35, "parcel"),
    HASHES(ACD_CONTRACT_OFFICES, OPTIONAL, 1, 16, "offices"),
    HASHES(ACD_CONTRACT_COLLECT_KEYS, OPTIONAL, 1, 4, "collect_keys"),
};

static const acd_field token_fields[] = {
    HASH(ACD_KEY_ARCHIVE, OPTIONAL, "A"),
    HASH(ACD_KEY_BANK, REQUIRED, "B"),
    HASH(ACD_KEY_TOKEN_KEY, REQUIRED, "Q"),
    HASH(ACD_TOKEN_SERIAL, REQUIRED, "serial"),
    HASH(ACD_TOKEN_KEY_ID, REQUIRED, "key_id"),
    BYTES(ACD_TOKEN_SIGNATURE, REQUIRED, RSA_MIN, RSA_MAX, "signature"),
    HASH(ACD_TOKEN_ISSUER, REQUIRED, "issuer"),
};

static const acd_field token_input_fields[] = {
    MAP(ACD_TOKEN_INPUT_TOKEN, REQUIRED, ACD_TOKEN, "token"),
    UINT(ACD_TOKEN_INPUT_AMOUNT, REQUIRED, 1, ACD_AMOUNT_MAX, "amount"),
};

static const acd_field blinded_fields[] = {
    HASH(ACD_BLINDED_KEY_ID, REQUIRED, "key_id"),
    BYTES(ACD_BLINDED_MESSAGE, REQUIRED, RSA_MIN, RSA_MAX, "blinded"),
};

static const acd_field denomination_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "value"),
    HASH(ACD_DENOMINATION_ID, REQUIRED, "id"),
    BYTES(ACD_DENOMINATION_MODULUS, REQUIRED, RSA_MIN, RSA_MAX, "N"),
    UINT(ACD_DENOMINATION_EXPONENT, REQUIRED, 65537, 65537, "e"),
    TIME(ACD_DENOMINATION_ISSUE_FROM, REQUIRED, "issue_from"),
    TIME(ACD_DENOMINATION_ISSUE_UNTIL, REQUIRED, "issue_until"),
    TIME(ACD_DENOMINATION_SPEND_UNTIL, REQUIRED, "spend_until"),
};

static const acd_field trust_entry_fields[] = {
    HASH(ACD_KEY_BANK, OPTIONAL, "B"),
    UINT(ACD_TRUST_ENTRY_ROLE, REQUIRED, ACD_ROLE_BANK, ACD_ROLE_TIMESTAMP, "role"),
    TEXT(ACD_TRUST_ENTRY_NAME, REQUIRED, 1, 64, "name"),
    HASH(ACD_TRUST_ENTRY_KEY, REQUIRED, "key"),
    TIME(ACD_TRUST_ENTRY_FROM, REQUIRED, "from"),
    TIME(ACD_TRUST_ENTRY_UNTIL, REQUIRED, "until"),
    TIME(ACD_TRUST_ENTRY_REVOKED_AT, OPTIONAL, "revoked_at"),
    HASH(ACD_TRUST_ENTRY_SEALING_KEY, OPTIONAL, "sealing_key"),
    TEXT(ACD_TRUST_ENTRY_URL, OPTIONAL, 1, 255, "url"),
    BYTES(ACD_TRUST_ENTRY_CERTIFICATE, OPTIONAL, 64, 2048, "certificate"),
    TEXT(ACD_TRUST_ENTRY_TSA_POLICY, OPTIONAL, 3, 64, "tsa_policy"),
};

static const acd_field offer_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "price"),
    ID(ACD_OFFER_ID, REQUIRED, "id"),
    TEXT(ACD_OFFER_DESCRIPTION, REQUIRED, 0, 2048, "description"),
    TEXT(ACD_OFFER_NAME, REQUIRED, 0, 255, "name"),
    UINT(ACD_OFFER_LENGTH, REQUIRED, 0, UINT64_C(1) << 48, "length"),
    BOOL(ACD_OFFER_TWO_SIDED, REQUIRED, "two_sided"),
    UINT_LIST(ACD_OFFER_MODES, REQUIRED, 1, 9, ACD_MODE_CORE, ACD_MODE_INVOICE_PASSIVE, "modes"),
    HASHES(ACD_OFFER_OFFICES, OPTIONAL, 1, 16, "offices"),
};

/* MARK: The core protocol (FIG. 4) */

static const acd_field p1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_HX, REQUIRED, "hx"),
    HASH(ACD_KEY_ROOT, REQUIRED, "root"),
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"),
    HASH(ACD_KEY_SALT, REQUIRED, "salt"),
    MAP(ACD_P1_CONTRACT, REQUIRED, ACD_CONTRACT, "contract"),
};

static const acd_field p2_fields[] = {
    REQUEST_FIELDS("value"),
};

static const acd_field cosign_fields[] = {
    MESSAGE(ACD_COSIGN_MESSAGE, REQUIRED, ACD_NONE, ACD_MESSAGE_SIZE_MAX, "message"),
};

static const acd_field p3_fields[] = {
    LOCK_FIELDS("value"),
};

static const acd_field sp1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
};

static const acd_field p4_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
};

static const acd_field cancel_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
};

static const acd_field p5a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_P5A_P4, REQUIRED, ACD_P4, 1024, "P4"),
};

/* P5b and its kin: the Cancel entitles the archive to abort before the expiration. */
static const acd_field abort_fields[] = {
    ABORT_FIELDS,
    MESSAGE(ACD_P5B_CANCEL, OPTIONAL, ACD_CANCEL, 1024, "Cancel"),
};

/* MARK: Before the sale */

static const acd_field n1_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "price"),
    ID(ACD_KEY_NONCE, REQUIRED, "nonce"),
    ID(ACD_N1_OFFER, REQUIRED, "offer"),
    BOOL(ACD_N1_TWO_SIDED, REQUIRED, "two_sided"),
    UINT(ACD_N1_MODE, REQUIRED, ACD_MODE_CORE, ACD_MODE_INVOICE_PASSIVE, "mode"),
    HASH(ACD_N1_OFFICE, OPTIONAL, "office"),
    HASHES(ACD_N1_COLLECT_KEYS, OPTIONAL, 1, 4, "collect_keys"),
};

static const acd_field nak_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    BOOL(ACD_NAK_DECLINE, REQUIRED, "decline"),
    UINT_LIST(ACD_NAK_BAD_RANGES, OPTIONAL, 2, 128, 0, UINT64_C(1) << 49, "bad_ranges"),
};

static const acd_field offers_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MAP_LIST(ACD_OFFERS_LIST, REQUIRED, 0, 256, ACD_OFFER, "offers"),
};

/* MARK: Service */

static const acd_field credit_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    TEXT(ACD_CREDIT_ACCOUNT, REQUIRED, 1, 64, "account"),
};

static const acd_field refusal_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    UINT(ACD_KEY_REASON, REQUIRED, 1, 255, "reason"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hRequest"),
    MESSAGE_LIST(ACD_KEY_PROOF, OPTIONAL, 1, 8, ACD_MESSAGE_SIZE_MAX, "proof"),
    TEXT(ACD_REFUSAL_DETAIL, OPTIONAL, 1, 512, "detail"),
};

static const acd_field status_query_fields[] = {
    ID(ACD_KEY_N, OPTIONAL, "n"),
    HASH(ACD_KEY_MERCHANT, OPTIONAL, "M"),
    HASH(ACD_KEY_ARCHIVE, OPTIONAL, "A"),
    ID(ACD_KEY_NONCE, REQUIRED, "nonce"),
    HASH(ACD_STATUS_QUERY_SERIAL, OPTIONAL, "serial"),
    HASH(ACD_STATUS_QUERY_ISSUER, OPTIONAL, "issuer"),
    UINT(ACD_STATUS_QUERY_AFTER, OPTIONAL, 0, UINT64_C(1) << 48, "after"),
};

static const acd_field status_fields[] = {
    MONEY(ACD_KEY_VALUE, OPTIONAL, "remainder"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hQuery"),
    MESSAGE_LIST(ACD_KEY_PROOF, OPTIONAL, 1, 64, ACD_MESSAGE_SIZE_MAX, "proof"),
    UINT(ACD_KEY_STATE, REQUIRED, 0, 255, "state"),
    UINT(ACD_STATUS_NEXT, OPTIONAL, 0, UINT64_C(1) << 48, "next"),
};

/* MARK: Money (FIG. 1) */

static const acd_field w1_fields[] = {
    HASH(ACD_KEY_BANK, REQUIRED, "B"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    ID(ACD_KEY_NONCE, REQUIRED, "order"),
    MAP_LIST(ACD_W1_OUTPUTS, REQUIRED, 1, ACD_OUTPUTS_MAX, ACD_BLINDED, "outputs"),
    BYTES(ACD_W1_RECOVERY, OPTIONAL, 40, 32768, "recovery"),
};

static const acd_field w2_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "balance"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hW1"),
    BYTES_LIST(ACD_W2_SIGNATURES, REQUIRED, 1, ACD_OUTPUTS_MAX, RSA_MIN, RSA_MAX, "signatures"),
};

static const acd_field account_query_fields[] = {
    HASH(ACD_KEY_BANK, REQUIRED, "B"),
    ID(ACD_KEY_NONCE, REQUIRED, "nonce"),
    UINT(ACD_ACCOUNT_QUERY_FROM, REQUIRED, 0, UINT64_C(1) << 48, "from"),
};

static const acd_field account_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "balance"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hQuery"),
    MESSAGE_LIST(ACD_ACCOUNT_HISTORY, REQUIRED, 0, 16, ACD_MESSAGE_SIZE_MAX, "history"),
    UINT(ACD_ACCOUNT_NEXT, OPTIONAL, 0, UINT64_C(1) << 48, "next"),
};

static const acd_field x1_fields[] = {
    HASH(ACD_KEY_BANK, REQUIRED, "B"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "total"),
    MAP_LIST(ACD_X1_INPUTS, REQUIRED, 1, ACD_TOKENS_MAX, ACD_TOKEN_INPUT, "inputs"),
    MAP_LIST(ACD_X1_OUTPUTS, REQUIRED, 1, ACD_OUTPUTS_MAX, ACD_BLINDED, "outputs"),
    UINT(ACD_X1_FEE, REQUIRED, 0, ACD_AMOUNT_MAX, "fee"),
    BYTES(ACD_X1_RECOVERY, OPTIONAL, 40, 32768, "recovery"),
};

static const acd_field x2_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hX1"),
    BYTES_LIST(ACD_X2_SIGNATURES, REQUIRED, 1, ACD_OUTPUTS_MAX, RSA_MIN, RSA_MAX, "signatures"),
};

static const acd_field key_list_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    UINT(ACD_KEY_LIST_SEQUENCE, REQUIRED, 0, UINT64_C(1) << 48, "seq"),
    HASH(ACD_KEY_LIST_PREVIOUS, OPTIONAL, "previous"),
    MAP_LIST(ACD_KEY_LIST_KEYS, REQUIRED, 1, 96, ACD_DENOMINATION, "keys"),
    UINT(ACD_KEY_LIST_FEE, REQUIRED, 0, ACD_AMOUNT_MAX, "exchange_fee"),
};

static const acd_field trust_list_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    TIME(ACD_KEY_UNTIL, REQUIRED, "until"),
    UINT(ACD_TRUST_LIST_VERSION, REQUIRED, 1, 1, "version"),
    UINT(ACD_TRUST_LIST_SEQUENCE, REQUIRED, 0, UINT64_C(1) << 48, "seq"),
    HASH(ACD_TRUST_LIST_PREVIOUS, OPTIONAL, "previous"),
    MAP_LIST(ACD_TRUST_LIST_ENTRIES, REQUIRED, 1, 256, ACD_TRUST_ENTRY, "entries"),
    UINT(ACD_TRUST_LIST_ANSWER_SECONDS, REQUIRED, 0, SECONDS_MAX, "answer_seconds"),
    UINT(ACD_TRUST_LIST_SKEW_SECONDS, REQUIRED, 0, SECONDS_MAX, "skew_seconds"),
    UINT(ACD_TRUST_LIST_LIFETIME_SECONDS, REQUIRED, 1, SECONDS_MAX, "lifetime_seconds"),
    UINT(ACD_TRUST_LIST_GOODS_MAX, REQUIRED, 0, UINT64_C(1) << 49, "goods_length_max"),
    UINT(ACD_TRUST_LIST_QUORUM, OPTIONAL, 1, 256, "quorum"),
    TEXT(ACD_TRUST_LIST_POLICY, OPTIONAL, 1, 16384, "policy"),
    UINT(ACD_TRUST_LIST_CHECKPOINT_AGE, OPTIONAL, 1, SECONDS_MAX, "checkpoint_age_seconds"),
};

/* MARK: Containers */

/* P_m(token, h(t)), S_c: what C hands to M, sealed. */
static const acd_field payment_fields[] = {
    TEXT(ACD_KEY_FORMAT, REQUIRED, 13, 13, "format"),
    MAP_LIST(ACD_PAYMENT_TOKENS, REQUIRED, 1, ACD_TOKENS_MAX, ACD_TOKEN, "tokens"),
    MESSAGE(ACD_PAYMENT_ENDORSEMENT, REQUIRED, ACD_NONE, 1024, "S_c"),
};

static const acd_field receipt_fields[] = {
    TEXT(ACD_KEY_FORMAT, REQUIRED, 13, 13, "format"),
    MESSAGE(ACD_RECEIPT_P1, REQUIRED, ACD_P1, 4096, "P1"),
    MESSAGE(ACD_RECEIPT_P5A, REQUIRED, ACD_P5A, 2048, "P5a"),
    TEXT(ACD_RECEIPT_DESCRIPTION, OPTIONAL, 0, 2048, "description"),
    BYTES(ACD_RECEIPT_PROOF, OPTIONAL, 1, 4096, "proof"),
};

static const acd_field bundle_fields[] = {
    TEXT(ACD_KEY_FORMAT, REQUIRED, 12, 12, "format"),
    MESSAGE_LIST(ACD_BUNDLE_MESSAGES, REQUIRED, 0, 1024, ACD_MESSAGE_SIZE_MAX, "messages"),
};

static const acd_field sealed_fields[] = {
    TEXT(ACD_KEY_FORMAT, REQUIRED, 12, 12, "format"),
    HASH(ACD_SEALED_RECIPIENT, REQUIRED, "recipient"),
    BYTES(ACD_SEALED_BOX, REQUIRED, ACD_SEALED_OVERHEAD, ACD_MESSAGE_SIZE_MAX, "box"),
};

static const acd_field timestamp_fields[] = {
    TEXT(ACD_KEY_FORMAT, REQUIRED, 15, 15, "format"),
    BYTES(ACD_TIMESTAMP_TOKEN, REQUIRED, 64, 8192, "token"),
    HASHES(ACD_TIMESTAMP_HASHES, REQUIRED, 1, 1024, "hashes"),
    BYTES(ACD_TIMESTAMP_CHECKPOINT, OPTIONAL, 1, 16384, "checkpoint"),
};

#endif
