/* acd_test_card_sign.c: what the card signs and what not, the receipts that it holds, and D2. */
#include <stdlib.h>
#include "acd_card_rig.h"
#include "acd_test.h"

static rig card;
static uint8_t token_key[32];
static uint8_t pseudonym[32];

#define SW(expected, call) CHECK((expected) == (call))

static void start(void)
{
    sample_reset();
    rig_new(&card);
    rig_personalise(&card, token_key, pseudonym);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
}

static sample payment(acd_message_type type, uint8_t n, uint8_t merchant, uint64_t amount)
{
    uint8_t own[1][32];
    memcpy(own[0], token_key, 32);
    return rig_structure(type, rig_payment(type, n, merchant, amount, (const uint8_t (*)[32])own, 1),
                         token_key);
}

static int verifies(sample structure, const uint8_t key[32])
{
    return acd_ed25519_verify(card.out, structure.bytes, structure.len, key) == ACD_OK;
}

/* MARK: Payments */

static void a_payment_is_signed_and_what_was_signed_is_said(void)
{
    start();
    sample p2 = payment(ACD_P2, 0x31, 0x2a, 1299);
    SW(0x9000, rig_sign(&card, p2));
    CHECK(card.out_len == ACD_SIGNATURE_SIZE + ACD_CARD_SUMMARY_SIZE);
    CHECK(verifies(p2, token_key));
    const uint8_t *said = card.out + ACD_SIGNATURE_SIZE;
    CHECK(said[0] == ACD_CARD_PAY && said[1] == 0x31 && said[2] == 0x77 && said[17] == 0x2a);
    CHECK_BYTES(said + 49, "EUR", 3);
    CHECK_BYTES(said + 52, ((const uint8_t[]){0, 0, 0, 0, 0, 0, 0x05, 0x13}), 8);
    CHECK(card.shown_count == 1 && card.shown.amount == 1299 && card.shown.type == ACD_P2);
    CHECK(card.shown.expiration == SAMPLE_NOW && strcmp(card.shown.currency, "EUR") == 0);
    CHECK_BYTES(said + 68, card.shown.content, 32);
}

static void the_card_speaks_all_forms_of_long_commands(void)
{
    uint8_t signature[64];
    start();
    sample p2 = payment(ACD_P2, 0x31, 0x2a, 1299);
    CHECK(p2.len > 255);
    SW(0x9000, rig_sign(&card, p2)); /* extended */
    memcpy(signature, card.out, sizeof signature);
    for (size_t part = 1; part <= 255; part += 127) {
        SW(0x9000, rig_chained(&card, 0x2a, 0x9e, 0x9a, p2.bytes, p2.len, part));
        CHECK(card.out_len == ACD_SIGNATURE_SIZE + ACD_CARD_SUMMARY_SIZE);
        CHECK_BYTES(signature, card.out, sizeof signature);
    }
}

static void no_transaction_is_paid_twice_with_other_content(void)
{
    start();
    sample first = payment(ACD_P2, 0x31, 0x2a, 1299);
    SW(0x9000, rig_sign(&card, first));
    SW(0x9000, rig_sign(&card, first)); /* the same again: the same signature */
    SW(0x6985, rig_sign(&card, payment(ACD_P2, 0x31, 0x2a, 1300)));
    CHECK(card.out_len == 0);
    SW(0x6985, rig_sign(&card, payment(ACD_JA2, 0x31, 0x2a, 1299))); /* another mode is other content */
    SW(0x6985, rig_sign(&card, payment(ACD_E2, 0x31, 0x2a, 1299)));
    SW(0x6985, rig_sign(&card, payment(ACD_JB2, 0x31, 0x2a, 1299)));
    SW(0x9000, rig_sign(&card, payment(ACD_P2, 0x32, 0x2a, 1300))); /* another transaction */
    SW(0x9000, rig_sign(&card, payment(ACD_P2, 0x31, 0x2b, 1300))); /* n belongs to a merchant */
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
    SW(0x6985, rig_sign(&card, payment(ACD_P2, 0x31, 0x2a, 1300)));
    SW(0x9000, rig_sign(&card, first));
    SW(0x9000, rig_sign(&card, payment(ACD_JA2, 0x40, 0x2a, 1)));
    SW(0x9000, rig_sign(&card, payment(ACD_E2, 0x41, 0x2a, 1)));
    SW(0x9000, rig_sign(&card, payment(ACD_JB2, 0x42, 0x2a, 1)));
}

static void a_holder_who_does_not_agree_is_obeyed(void)
{
    start();
    card.show_says = 1;
    SW(0x6400, rig_sign(&card, payment(ACD_P2, 0x31, 0x2a, 1299)));
    CHECK(card.out_len == 0);
    card.show_says = 0;
    SW(0x9000, rig_sign(&card, payment(ACD_P2, 0x31, 0x2a, 99))); /* nothing was kept of the first */
}

static void a_payment_must_be_by_this_key_and_for_what_is_shown(void)
{
    acd_value values[ACD_FIELDS_MAX];
    uint8_t other[1][32];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    start();
    memset(values, 0, sizeof values);
    sample_key(other[0], secret_key, 9);
    sample foreign = rig_payment(ACD_P2, 1, 2, 5, (const uint8_t (*)[32])other, 1);
    SW(0x6a80, rig_sign(&card, rig_structure(ACD_P2, foreign, token_key))); /* no token of this key */
    SW(0x6a80, rig_sign(&card, rig_structure(ACD_P2, foreign, other[0])));  /* another signer */
    memcpy(other[0], token_key, 32);
    sample good = rig_payment(ACD_P2, 1, 2, 5, (const uint8_t (*)[32])other, 1);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P2, good.bytes, good.len));
    values[sample_index(ACD_P2, ACD_KEY_VALUE)] = sample_money("EUR", 4);
    SW(0x6a80, rig_sign(&card, rig_structure(ACD_P2, sample_encode(ACD_P2, values), token_key)));
    SW(0x9000, rig_sign(&card, rig_structure(ACD_P2, good, token_key)));
    CHECK(card.shown_count == 1);
}

static void any_changed_byte_of_the_frame_is_refused(void)
{
    start();
    sample p2 = payment(ACD_P2, 0x31, 0x2a, 1299);
    const size_t frame = 12 + 2 + 40 + 6 + 1 + 3; /* up to the payload */
    for (size_t i = 0; i < frame; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            p2.bytes[i] ^= (uint8_t)(1u << bit);
            SW(0x6a80, rig_sign(&card, p2));
            p2.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t len = 1; len < p2.len; len++) {
        SW(0x6a80, rig_sign(&card, (sample){p2.bytes, len}));
    }
    sample longer = {sample_alloc(p2.len + 1), p2.len + 1};
    memcpy(longer.bytes, p2.bytes, p2.len);
    SW(0x6a80, rig_sign(&card, longer));
    CHECK(card.shown_count == 0);
    SW(0x9000, rig_sign(&card, p2));
}

static void several_token_keys_sign_one_payment_by_wrapping(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    uint8_t keys[2][32];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    acd_value values[ACD_FIELDS_MAX];
    start();
    SW(0x9000, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
    memcpy(keys[0], token_key, 32);
    memcpy(keys[1], card.out + 4, 32);
    sample p2 = rig_payment(ACD_P2, 0x31, 0x2a, 700, (const uint8_t (*)[32])keys, 2);
    SW(0x9000, rig_sign(&card, rig_structure(ACD_P2, p2, keys[0])));
    /* The host makes the message of it, and the second key signs that. */
    sample message =
        sample_sign(ACD_P2, p2, 5); /* the card does not look at the inner signature: the bank does */
    sample_values(values, ACD_COSIGN, SAMPLE_SMALL);
    values[0] = sample_bytes(message.bytes, message.len);
    sample cosign = rig_structure(ACD_COSIGN, sample_encode(ACD_COSIGN, values), keys[1]);
    SW(0x6a80, rig_sign(&card, cosign)); /* the first key is still selected */
    SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 1));
    SW(0x9000, rig_sign(&card, cosign));
    CHECK(verifies(cosign, keys[1]));
    CHECK(card.shown.type == ACD_P2 && card.shown.amount == 700 && card.shown.n[0] == 0x31);
    /* Other content inside the wrapping is other content. */
    sample other =
        sample_sign(ACD_P2, rig_payment(ACD_P2, 0x31, 0x2a, 701, (const uint8_t (*)[32])keys, 2), 5);
    values[0] = sample_bytes(other.bytes, other.len);
    SW(0x6985, rig_sign(&card, rig_structure(ACD_COSIGN, sample_encode(ACD_COSIGN, values), keys[1])));
    /* Nothing but payments and exchanges is wrapped. */
    sample query = sample_sign(ACD_STATUS_QUERY, sample_map(ACD_STATUS_QUERY, SAMPLE_SMALL), 5);
    values[0] = sample_bytes(query.bytes, query.len);
    SW(0x6a80, rig_sign(&card, rig_structure(ACD_COSIGN, sample_encode(ACD_COSIGN, values), keys[1])));
    sample_key(keys[0], secret_key, 9);
    sample foreign =
        sample_sign(ACD_P2, rig_payment(ACD_P2, 0x55, 0x2a, 701, (const uint8_t (*)[32])keys, 1), 9);
    values[0] = sample_bytes(foreign.bytes, foreign.len);
    SW(0x6a80, rig_sign(&card, rig_structure(ACD_COSIGN, sample_encode(ACD_COSIGN, values), keys[1])));
}

static void the_longest_payment_fits(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    static uint8_t keys[ACD_TOKENS_MAX][32];
    acd_value values[ACD_FIELDS_MAX];
    start();
    memcpy(keys[0], token_key, 32);
    for (uint32_t i = 1; i < ACD_TOKENS_MAX; i++) {
        SW(0x9000, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
        memcpy(keys[i], card.out + 4, 32);
    }
    sample payload = rig_payment(ACD_P2, 0x31, 0x2a, 5000, (const uint8_t (*)[32])keys, ACD_TOKENS_MAX);
    acd_message_type type = ACD_P2;
    for (uint32_t i = 0; i < ACD_TOKENS_MAX; i++) {
        SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, i));
        sample structure = rig_structure(type, payload, keys[i]);
        SW(0x9000, rig_sign(&card, structure));
        CHECK(verifies(structure, keys[i]));
        sample message = sample_sign(type, payload, 5);
        sample_values(values, ACD_COSIGN, SAMPLE_SMALL);
        values[0] = sample_bytes(message.bytes, message.len);
        payload = sample_encode(ACD_COSIGN, values);
        type = ACD_COSIGN;
    }
    CHECK(card.card.workspace_cap == ACD_CARD_WORKSPACE_SIZE);
}

static void more_layers_than_there_can_be_tokens_are_refused(void)
{
    acd_value values[ACD_FIELDS_MAX];
    uint8_t own[1][32];
    start();
    memcpy(own[0], token_key, 32);
    sample payload = rig_payment(ACD_P2, 0x31, 0x2a, 5000, (const uint8_t (*)[32])own, 1);
    acd_message_type type = ACD_P2;
    for (uint32_t layers = 1; layers <= ACD_TOKENS_MAX + 1; layers++) {
        sample message = sample_sign(type, payload, 5);
        sample_values(values, ACD_COSIGN, SAMPLE_SMALL);
        values[0] = sample_bytes(message.bytes, message.len);
        payload = sample_encode(ACD_COSIGN, values);
        type = ACD_COSIGN;
        SW(layers <= ACD_TOKENS_MAX ? 0x9000 : 0x6a80,
           rig_sign(&card, rig_structure(type, payload, token_key)));
    }
}

static void an_exchange_is_shown_as_one(void)
{
    start();
    sample x1 = payment(ACD_X1, 0, 0, 64);
    SW(0x9000, rig_sign(&card, x1));
    CHECK(verifies(x1, token_key) && card.shown.purpose == ACD_CARD_EXCHANGE && card.shown.amount == 64);
    CHECK(card.out[64] == ACD_CARD_EXCHANGE);
}

/* MARK: Pseudonyms */

static void pseudonyms_acknowledge_request_and_ask_but_never_pay(void)
{
    start();
    SW(0x9000, rig_use_key(&card, ACD_CARD_PSEUDONYM, 0));
    sample acknowledged = rig_structure(ACD_SP1, rig_acknowledgement(ACD_SP1, 0x31, 7), pseudonym);
    CHECK(acknowledged.len <= 255);
    SW(0x9000, rig_sign(&card, acknowledged));
    CHECK(verifies(acknowledged, pseudonym));
    SW(0x9000, rig_sign(&card, acknowledged));
    SW(0x6985, rig_sign(&card, rig_structure(ACD_SP1, rig_acknowledgement(ACD_SP1, 0x31, 8), pseudonym)));
    SW(0x9000, rig_sign(&card, rig_structure(ACD_SP1, rig_acknowledgement(ACD_SP1, 0x32, 8), pseudonym)));
    sample e5 = rig_structure(ACD_E5, rig_acknowledgement(ACD_E5, 0x31, 7), pseudonym);
    CHECK(e5.len <= 255);
    SW(0x9000, rig_sign(&card, e5));
    SW(0x6985, rig_sign(&card, rig_structure(ACD_E5, rig_acknowledgement(ACD_E5, 0x31, 9), pseudonym)));
    sample n1 = rig_structure(ACD_N1, sample_map(ACD_N1, SAMPLE_SMALL), pseudonym);
    sample query = rig_structure(ACD_STATUS_QUERY, sample_map(ACD_STATUS_QUERY, SAMPLE_LARGE), pseudonym);
    CHECK(n1.len <= 255 && query.len <= 255);
    SW(0x9000, rig_sign(&card, n1));
    SW(0x9000, rig_sign(&card, query));
    CHECK(card.shown.purpose == ACD_CARD_QUERY);
    uint8_t own[1][32];
    memcpy(own[0], pseudonym, 32);
    static const acd_message_type pays[] = {ACD_P2, ACD_E2, ACD_JA2, ACD_JB2, ACD_X1};
    for (size_t i = 0; i < sizeof pays / sizeof pays[0]; i++) {
        sample payload = rig_payment(pays[i], 1, 2, 5, (const uint8_t (*)[32])own, 1);
        SW(0x6a80, rig_sign(&card, rig_structure(pays[i], payload, pseudonym)));
    }
}

/* The one list of what which key signs: everything else in the table is refused, by every key. */
static void nothing_else_in_the_table_is_signed(void)
{
    static const acd_message_type by_token[] = {ACD_P2, ACD_E2, ACD_JA2, ACD_JB2, ACD_X1, ACD_STATUS_QUERY};
    static const acd_message_type by_pseudonym[] = {ACD_SP1, ACD_E5, ACD_N1, ACD_STATUS_QUERY};
    start();
    for (int type = ACD_NONE + 1; type < ACD_RECEIPT; type++) {
        int token_signs = 0;
        int pseudonym_signs = 0;
        for (size_t i = 0; i < sizeof by_token / sizeof by_token[0]; i++) {
            token_signs |= by_token[i] == (acd_message_type)type;
        }
        for (size_t i = 0; i < sizeof by_pseudonym / sizeof by_pseudonym[0]; i++) {
            pseudonym_signs |= by_pseudonym[i] == (acd_message_type)type;
        }
        sample payload = sample_map((acd_message_type)type, SAMPLE_SMALL);
        const int pays = token_signs && type != ACD_STATUS_QUERY; /* a sample's tokens are nobody's */
        SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
        SW(token_signs && !pays ? 0x9000 : 0x6a80,
           rig_sign(&card, rig_structure((acd_message_type)type, payload, token_key)));
        SW(0x9000, rig_use_key(&card, ACD_CARD_PSEUDONYM, 0));
        SW(pseudonym_signs ? 0x9000 : 0x6a80,
           rig_sign(&card, rig_structure((acd_message_type)type, payload, pseudonym)));
    }
}

static void signing_needs_the_payment_pin_and_no_other(void)
{
    start();
    sample p2 = payment(ACD_P2, 0x31, 0x2a, 1299);
    SW(0x6a86, rig_command(&card, 0x2a, 0x9e, 0x9b, p2.bytes, p2.len, 256));
    SW(0x6a86, rig_command(&card, 0x2a, 0x80, 0x86, p2.bytes, p2.len, 256));
    SW(0x9000, rig_select(&card));
    SW(0x6982, rig_sign(&card, p2));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x6982, rig_sign(&card, p2));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6985, rig_sign(&card, p2)); /* no key is selected any more */
    SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
    SW(0x9000, rig_sign(&card, p2));
    SW(0x63c2, rig_verify(&card, 0x82, rig_wrong_pin));
    SW(0x6982, rig_sign(&card, p2));
}

static void a_full_card_refuses_to_sign_and_still_changes_its_pins(void)
{
    for (uint32_t pages = 20; pages < 32; pages += 2) { /* so that what is left of an area differs */
        sample_reset();
        rig_new_of(&card, 128, pages);
        rig_personalise(&card, token_key, pseudonym);
        SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
        SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
        uint16_t status = 0x9000;
        uint8_t n = 1;
        for (; n < 200 && status == 0x9000; n++) {
            status = rig_sign(&card, payment(ACD_P2, n, 0x2a, 1299));
        }
        SW(0x6a84, status);
        CHECK(card.out_len == 0 && n > 5);
        SW(0x9000, rig_sign(&card, payment(ACD_P2, 1, 0x2a, 1299))); /* what it knows, it signs again */
        for (int i = 0; i < 50; i++) {
            SW(0x9000, rig_change(&card, 0x81, i % 2 == 0 ? rig_counter_pin : rig_wrong_pin,
                                  i % 2 == 0 ? rig_wrong_pin : rig_counter_pin));
        }
        SW(0x6985, rig_sign(&card, payment(ACD_P2, 1, 0x2a, 1298)));
        CHECK(!card.storage.written_twice);
    }
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(a_payment_is_signed_and_what_was_signed_is_said);
    RUN(the_card_speaks_all_forms_of_long_commands);
    RUN(no_transaction_is_paid_twice_with_other_content);
    RUN(a_holder_who_does_not_agree_is_obeyed);
    RUN(a_payment_must_be_by_this_key_and_for_what_is_shown);
    RUN(any_changed_byte_of_the_frame_is_refused);
    RUN(several_token_keys_sign_one_payment_by_wrapping);
    RUN(the_longest_payment_fits);
    RUN(more_layers_than_there_can_be_tokens_are_refused);
    RUN(an_exchange_is_shown_as_one);
    RUN(pseudonyms_acknowledge_request_and_ask_but_never_pay);
    RUN(nothing_else_in_the_table_is_signed);
    RUN(signing_needs_the_payment_pin_and_no_other);
    RUN(a_full_card_refuses_to_sign_and_still_changes_its_pins);
    return TEST_RESULT();
}
