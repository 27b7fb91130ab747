/* acd_fields_token.h: fields of the invoice and announced purchases (FIGS. 2 and 3), and of negotiation,
 * transfers, refunds and certified non-response. Part of acd_message_table.c, which alone includes it and
 * says what holds for all rows. */
#ifndef ACD_FIELDS_TOKEN_H
#define ACD_FIELDS_TOKEN_H

/* MARK: Invoice purchase (FIGS. 1 and 2) */

static const acd_field registration_fields[] = {
    HASH(ACD_KEY_ARCHIVE, REQUIRED, "A"),
    HASH(ACD_KEY_TOKEN_KEY, REQUIRED, "p_t"),
    HASH(ACD_REGISTRATION_INNER, REQUIRED, "inner"),
};

static const acd_field registered_fields[] = {
    HASH(ACD_KEY_TOKEN_KEY, REQUIRED, "p_t"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_REGISTERED_ADDRESS, REQUIRED, "h(t)"),
};

#define INVOICE_FIELDS \
    ID(ACD_KEY_N, REQUIRED, "n"), \
    HASH(ACD_KEY_ARCHIVE, REQUIRED, "A"), \
    HASH(ACD_KEY_BANK, REQUIRED, "B"), \
    MONEY(ACD_KEY_VALUE, REQUIRED, "price"), \
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"), \
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"), \
    HASH(ACD_KEY_HX, REQUIRED, "hx"), \
    HASH(ACD_KEY_ROOT, REQUIRED, "root"), \
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"), \
    HASH(ACD_KEY_SALT, REQUIRED, "salt"), \
    TIME(ACD_INV_DATE, REQUIRED, "date"), \
    HASH(ACD_INV_H_DESCRIPTION, REQUIRED, "hDescription"), \
    HASHES(ACD_INV_DIGESTS, REQUIRED, 0, 16, "digests"), \
    TEXT(ACD_INV_NAME, REQUIRED, 0, 255, "name")

static const acd_field inv_fields[] = {
    INVOICE_FIELDS,
    HASH(ACD_INV_ADDRESS, REQUIRED, "h(t)"),
};

static const acd_field endorsement_fields[] = {
    HASH(ACD_ENDORSEMENT_H_INV, REQUIRED, "hINV"),
    HASH(ACD_ENDORSEMENT_ADDRESS, REQUIRED, "h(t)"),
};

static const acd_field deposit_fields[] = {
    HASH(ACD_KEY_X, REQUIRED, "k"),
    MAP(ACD_DEPOSIT_TOKEN, REQUIRED, ACD_TOKEN, "token"),
    MESSAGE(ACD_DEPOSIT_INV, REQUIRED, ACD_INV, 4096, "INV"),
    MESSAGE(ACD_DEPOSIT_ENDORSEMENT, REQUIRED, ACD_ENDORSEMENT, 1024, "S_c"),
};

static const acd_field approval_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "value"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_APPROVAL_ADDRESS, REQUIRED, "h(t)"),
    HASH(ACD_APPROVAL_H_ENDORSEMENT, REQUIRED, "hS_c"),
    MAP(ACD_APPROVAL_TOKEN, OPTIONAL, ACD_TOKEN, "token"),
};

static const acd_field passive_record_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_PASSIVE_RECORD_ADDRESS, REQUIRED, "h(t)"),
};

static const acd_field complaint_fields[] = {
    MESSAGE_LIST(ACD_KEY_PROOF, OPTIONAL, 1, 8, ACD_MESSAGE_SIZE_MAX, "evidence"),
    UINT(ACD_COMPLAINT_KIND, REQUIRED, 1, 4, "kind"),
    HASH(ACD_COMPLAINT_ADDRESS, REQUIRED, "h(t)"),
    HASH(ACD_COMPLAINT_H_INV, REQUIRED, "hINV"),
};

/* MARK: Announced purchase (FIG. 3) */

static const acd_field po_fields[] = {
    INVOICE_FIELDS,
};

static const acd_field announcement_fields[] = {
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_ARCHIVE, REQUIRED, "A"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "value"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiry"),
    HASH(ACD_ANNOUNCEMENT_H_PO, REQUIRED, "hPO"),
    MAP(ACD_ANNOUNCEMENT_TOKEN, REQUIRED, ACD_TOKEN, "t"),
};

static const acd_field announced_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_ANNOUNCED_MESSAGE, REQUIRED, ACD_ANNOUNCEMENT, 4096, "message 3"),
};

static const acd_field consent_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_CONSENT_H_PO, REQUIRED, "hPO"),
};

static const acd_field a7_fields[] = {
    LOCK_FIELDS("value"),
    HASH(ACD_A7_H_ANNOUNCED, REQUIRED, "h3"),
};

static const acd_field a8_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
    MESSAGE(ACD_A8_CONSENT, REQUIRED, ACD_CONSENT, 1024, "S_t(PO)"),
};

static const acd_field a9a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_COMMIT_SUBMISSION, REQUIRED, ACD_A8, 2048, "8"),
};

/* MARK: Negotiation, a second bank, refunds, certified non-response */

static const acd_field n2_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "price"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hN1"),
    TIME(ACD_KEY_UNTIL, REQUIRED, "until"),
};

static const acd_field bt1_fields[] = {
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    TEXT(ACD_BT1_ACCOUNT, REQUIRED, 1, 64, "account"),
};

static const acd_field bt2_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hBT1"),
};

static const acd_field bt3_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_BT3_REQUEST, REQUIRED, ACD_NONE, ACD_MESSAGE_SIZE_MAX, "request"),
    UINT(ACD_BT3_DUE, REQUIRED, 1, ACD_AMOUNT_MAX, "due"),
    HASH(ACD_BT3_ISSUER, REQUIRED, "issuer"),
};

static const acd_field bt4_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hBT3"),
};

static const acd_field rf1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    MAP_LIST(ACD_RF1_OUTPUTS, REQUIRED, 1, ACD_OUTPUTS_MAX, ACD_BLINDED, "outputs"),
    BYTES(ACD_RF1_RECOVERY, OPTIONAL, 40, 32768, "recovery"),
};

static const acd_field rf2_fields[] = {
    MONEY(ACD_KEY_VALUE, REQUIRED, "amount"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hRF1"),
    MESSAGE(ACD_RF2_RF1, REQUIRED, ACD_RF1, ACD_MESSAGE_SIZE_MAX, "RF1"),
};

static const acd_field rf3_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hRF2"),
    BYTES_LIST(ACD_RF3_SIGNATURES, REQUIRED, 1, ACD_OUTPUTS_MAX, RSA_MIN, RSA_MAX, "signatures"),
};

static const acd_field nr_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hRequest"),
    HASH(ACD_NR_TARGET, REQUIRED, "target"),
    TIME(ACD_NR_SENT_AT, REQUIRED, "sent_at"),
    TIME(ACD_NR_WAITED_UNTIL, REQUIRED, "waited_until"),
    MESSAGE(ACD_NR_ANSWER, OPTIONAL, ACD_NONE, ACD_MESSAGE_SIZE_MAX, "answer"),
    BYTES(ACD_NR_CHECKPOINT, OPTIONAL, 1, 4096, "checkpoint"),
};

static const acd_field p5c_fields[] = {
    ABORT_FIELDS,
    BYTES(ACD_P5C_CHECKPOINT, OPTIONAL, 1, 4096, "checkpoint"),
    MESSAGE_LIST(ACD_P5C_NON_RESPONSES, REQUIRED, 1, 8, ACD_MESSAGE_SIZE_MAX, "NRs"),
};

#endif
