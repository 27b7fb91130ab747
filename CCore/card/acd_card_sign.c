/* acd_card_sign.c: what the card signs with its own keys after the payment PIN. Source: docs/SPEC.md, "Card",
 * Signatures; ISO/IEC 7816-8, PSO: COMPUTE DIGITAL SIGNATURE.
 *
 * The command's data is the Sig_structure of RFC 9052 s. 4.4, byte for byte what is signed. The card takes it
 * apart and signs it only if it is the one encoding of a message that this key may sign, and only if it
 * signed nothing else of the same purpose in the same transaction.
 *
 * Invariants: what was signed for a transaction is durable before its signature exists; the holder is shown
 * what the card read, not what the reader said; token keys never acknowledge, pseudonyms never pay.
 */
#include <string.h>
#include "acd_card_internal.h"

#define P1_SIGNATURE 0x9eu
#define P2_PLAIN 0x9au

typedef struct rule {
    uint8_t type;
    uint8_t kinds;   /* bits 1 << acd_card_key_kind */
    uint8_t purpose; /* acd_card_purpose */
    uint8_t scope;   /* one content for each (scope, M, n); 0: any number of contents */
} rule;

#define BY(kind) (1u << (kind))

static const rule rules[] = {
    {ACD_P2, BY(ACD_CARD_TOKEN_KEY), ACD_CARD_PAY, 1},
    {ACD_E2, BY(ACD_CARD_TOKEN_KEY), ACD_CARD_PAY, 1},
    {ACD_JA2, BY(ACD_CARD_TOKEN_KEY), ACD_CARD_PAY, 1},
    {ACD_JB2, BY(ACD_CARD_TOKEN_KEY), ACD_CARD_PAY, 1},
    {ACD_X1, BY(ACD_CARD_TOKEN_KEY), ACD_CARD_EXCHANGE, 0},
    {ACD_SP1, BY(ACD_CARD_PSEUDONYM), ACD_CARD_ACKNOWLEDGE, 2},
    {ACD_E5, BY(ACD_CARD_PSEUDONYM), ACD_CARD_ACKNOWLEDGE, 3},
    {ACD_N1, BY(ACD_CARD_PSEUDONYM), ACD_CARD_REQUEST, 0},
    {ACD_STATUS_QUERY, BY(ACD_CARD_TOKEN_KEY) | BY(ACD_CARD_PSEUDONYM), ACD_CARD_QUERY, 0},
};

typedef struct to_sign {
    acd_message_type type;
    const uint8_t *payload;
    size_t payload_len;
    const rule *rule;
    acd_value values[13]; /* of the payload */
    acd_card_shown shown;
} to_sign;

static const acd_value *field(const acd_value *values, acd_message_type type, int key)
{
    const int index = acd_map_field(type, key);
    return index < 0 || !values[index].present ? NULL : &values[index];
}

/* MARK: Taking the Sig_structure apart */

/* A Sig_structure with this key in its header. */
static int read_structure(to_sign *out, const uint8_t *bytes, size_t len, const uint8_t *public_key)
{
    acd_sign1 message;
    if (acd_sign1_parse_structure(&message, bytes, len) != ACD_OK ||
        memcmp(message.key_id, public_key, ACD_PUBLIC_KEY_SIZE) != 0) {
        return 0;
    }
    out->type = message.type;
    out->payload = message.payload;
    out->payload_len = message.payload_len;
    return 1;
}

/* Peels CoSign: what a further token key signs is the message so far, and counts as what is inside. */
static int peel(to_sign *out)
{
    acd_value message;
    acd_sign1 inner;
    for (unsigned layers = 0; out->type == ACD_COSIGN; layers++) {
        if (layers == ACD_TOKENS_MAX ||
            acd_map_decode(&message, 1, ACD_COSIGN, out->payload, out->payload_len) != ACD_OK ||
            acd_sign1_parse(&inner, message.bytes, message.len) != ACD_OK) {
            return 0;
        }
        out->type = inner.type;
        out->payload = inner.payload;
        out->payload_len = inner.payload_len;
        if (out->type != ACD_COSIGN && out->type != ACD_P2 && out->type != ACD_E2 && out->type != ACD_JA2 &&
            out->type != ACD_JB2 && out->type != ACD_X1) {
            return 0;
        }
    }
    return 1;
}

static const rule *rule_of(acd_message_type type, uint8_t kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].type == (uint8_t)type && (rules[i].kinds & BY(kind)) != 0) {
            return &rules[i];
        }
    }
    return NULL;
}

/* MARK: What the payload has to say */

/* Whether `input` is a token of this key; adds its amount. */
static int add_input(const acd_value *input, const uint8_t *public_key, uint64_t *total, int *has_key)
{
    acd_value parts[2];
    acd_value token[7];
    if (acd_map_decode(parts, 2, ACD_TOKEN_INPUT, input->bytes, input->len) != ACD_OK) {
        return 0;
    }
    const acd_value *map = field(parts, ACD_TOKEN_INPUT, ACD_TOKEN_INPUT_TOKEN);
    if (acd_map_decode(token, 7, ACD_TOKEN, map->bytes, map->len) != ACD_OK) {
        return 0;
    }
    *total +=
        field(parts, ACD_TOKEN_INPUT, ACD_TOKEN_INPUT_AMOUNT)->number; /* 32 of 2^53 at most: no overflow */
    *has_key |=
        memcmp(field(token, ACD_TOKEN, ACD_KEY_TOKEN_KEY)->bytes, public_key, ACD_PUBLIC_KEY_SIZE) == 0;
    return 1;
}

/* What is shown as the amount is what the tokens pay, and one of them is this key's. */
static int check_inputs(const to_sign *in, const uint8_t *public_key)
{
    _Static_assert(ACD_P2_TOKENS == ACD_X1_INPUTS, "the same key");
    acd_list list;
    acd_value input;
    uint64_t total = 0;
    int has_key = 0;
    if (acd_list_begin(&list, field(in->values, in->type, ACD_P2_TOKENS)) != ACD_OK) {
        return 0;
    }
    while (list.remaining > 0) {
        if (acd_list_next(&list, &input) != ACD_OK || !add_input(&input, public_key, &total, &has_key)) {
            return 0;
        }
    }
    return has_key && total == field(in->values, in->type, ACD_KEY_VALUE)->number;
}

static void show(to_sign *in)
{
    acd_card_shown *shown = &in->shown;
    const acd_value *n = field(in->values, in->type, ACD_KEY_N);
    const acd_value *merchant = field(in->values, in->type, ACD_KEY_MERCHANT);
    const acd_value *value = field(in->values, in->type, ACD_KEY_VALUE);
    const acd_value *expiration = field(in->values, in->type, ACD_KEY_EXPIRATION);
    const char *name = acd_message_info_of(in->type)->name;
    memset(shown, 0, sizeof *shown);
    shown->purpose = (acd_card_purpose)in->rule->purpose;
    shown->type = in->type;
    if (n != NULL) {
        memcpy(shown->n, n->bytes, sizeof shown->n);
    }
    if (merchant != NULL) {
        memcpy(shown->merchant, merchant->bytes, sizeof shown->merchant);
    }
    if (value != NULL) {
        memcpy(shown->currency, value->bytes, 3);
        shown->amount = value->number;
    }
    shown->expiration = expiration != NULL ? expiration->number : 0;
    const acd_hash_part parts[] = {{name, strlen(name) + 1u}, {in->payload, in->payload_len}};
    acd_sha256_parts(shown->content, parts, 2);
}

/* Reads it all; 0 if it is not what this key signs. */
static int read_message(to_sign *out, const card_command *command, acd_card_key key,
                        const uint8_t *public_key)
{
    if (!read_structure(out, command->data, command->len, public_key) || !peel(out)) {
        return 0;
    }
    out->rule = rule_of(out->type, key.kind);
    if (out->rule == NULL || acd_map_decode(out->values, sizeof out->values / sizeof out->values[0],
                                            out->type, out->payload, out->payload_len) != ACD_OK) {
        return 0;
    }
    if (out->rule->purpose == ACD_CARD_PAY || out->rule->purpose == ACD_CARD_EXCHANGE) {
        if (!check_inputs(out, public_key)) {
            return 0;
        }
    }
    show(out);
    return 1;
}

/* MARK: One content for each transaction */

static void scope_of(uint8_t scope[ACD_HASH_SIZE], const to_sign *in)
{
    const acd_hash_part parts[] = {{"acd-card-scope", 14},
                                   {&in->rule->scope, 1},
                                   {in->shown.merchant, ACD_PUBLIC_KEY_SIZE},
                                   {in->shown.n, ACD_TRANSACTION_ID_SIZE}};
    acd_sha256_parts(scope, parts, 4);
}

/* SW_OK if nothing else was signed there; *is_new is 1 if nothing at all was. */
static uint16_t check_scope(acd_card *card, const uint8_t entry[2u * ACD_HASH_SIZE], int *is_new)
{
    card_record record = {0, 0, 0};
    uint8_t stored[2u * ACD_HASH_SIZE];
    int found = 0;
    *is_new = 1;
    for (;;) {
        CARD_TRY(acd_card_log_next(card, &record, &found));
        if (!found) {
            return SW_OK;
        }
        if (record.type == CARD_RECORD_SIGNED) {
            CARD_TRY(acd_card_read(card, record.at, stored, sizeof stored));
            if (memcmp(stored, entry, ACD_HASH_SIZE) == 0) {
                *is_new = 0;
                return memcmp(stored, entry, sizeof stored) == 0 ? SW_OK : SW_CONDITIONS;
            }
        }
    }
}

/* Checks the transaction, asks the holder, and keeps what is going to be signed. */
static uint16_t admit(acd_card *card, const to_sign *in)
{
    uint8_t entry[2u * ACD_HASH_SIZE];
    int is_new = 0;
    if (in->rule->scope != 0) {
        scope_of(entry, in);
        memcpy(entry + ACD_HASH_SIZE, in->shown.content, ACD_HASH_SIZE);
        CARD_REQUIRE(check_scope(card, entry, &is_new));
    }
    if (card->ports.show != NULL && card->ports.show(card->ports.show_state, &in->shown) != 0) {
        return SW_NOT_AGREED;
    }
    if (is_new) {
        const acd_hash_part part = {entry, sizeof entry};
        CARD_TRY(acd_card_log_append(card, CARD_RECORD_SIGNED, &part, 1));
    }
    return SW_OK;
}

/* MARK: The command */

static void put64(uint8_t out[8], uint64_t value)
{
    acd_card_put32(out, (uint32_t)(value >> 32));
    acd_card_put32(out + 4, (uint32_t)value);
}

/* signature(64) || purpose(1) || n(16) || M(32) || currency(3) || amount(8) || expiration(8) || content(32)
 */
static void respond(acd_card *card, const acd_card_shown *shown, const uint8_t signature[ACD_SIGNATURE_SIZE])
{
    uint8_t out[ACD_SIGNATURE_SIZE + ACD_CARD_SUMMARY_SIZE];
    uint8_t *at = out + ACD_SIGNATURE_SIZE;
    memcpy(out, signature, ACD_SIGNATURE_SIZE);
    at[0] = (uint8_t)shown->purpose;
    memcpy(at + 1, shown->n, 16);
    memcpy(at + 17, shown->merchant, 32);
    memcpy(at + 49, shown->currency, 3);
    put64(at + 52, shown->amount);
    put64(at + 60, shown->expiration);
    memcpy(at + 68, shown->content, 32);
    acd_card_respond(card, out, sizeof out);
}

/* PSO, COMPUTE DIGITAL SIGNATURE: 00 2A 9E 9A Sig_structure -> signature || summary. */
uint16_t acd_card_sign(acd_card *card, const card_command *command)
{
    to_sign in;
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE]; /* secret */
    uint8_t signature[ACD_SIGNATURE_SIZE];
    if (command->p1 != P1_SIGNATURE || command->p2 != P2_PLAIN) {
        return SW_P1P2;
    }
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_PAYMENT));
    if (card->key.kind == 0) {
        return SW_CONDITIONS;
    }
    CARD_TRY(acd_card_key_derive(card, public_key, secret_key, card->key));
    uint16_t status = read_message(&in, command, card->key, public_key) ? SW_OK : SW_DATA;
    if (status == SW_OK) {
        status = admit(card, &in);
    }
    if (status == SW_OK) {
        acd_ed25519_sign(signature, command->data, command->len, secret_key);
        respond(card, &in.shown, signature);
    }
    acd_wipe(secret_key, sizeof secret_key);
    return status;
}
