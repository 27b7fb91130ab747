/* acd_test_card.c: the card's APDUs, PINs, keys and its end. What it signs and holds: acd_test_card_sign.c.
 */
#include "acd_card_rig.h"
#include "acd_test.h"

static rig card;
static uint8_t token_key[32];
static uint8_t pseudonym[32];

#define SW(expected, call) CHECK((expected) == (call))

static uint16_t send(const char *hex)
{
    sample apdu = sample_hex(hex);
    return rig_send(&card, apdu.bytes, apdu.len);
}

static void start(void)
{
    sample_reset();
    rig_new(&card);
    rig_personalise(&card, token_key, pseudonym);
}

/* MARK: APDUs */

static void nothing_but_select_is_understood_before_select(void)
{
    rig_new(&card);
    for (unsigned ins = 0; ins < 256; ins++) {
        if (ins != 0xa4) {
            SW(0x6d00, rig_command(&card, (uint8_t)ins, 0, 0, NULL, 0, 256));
        }
    }
    SW(0x6a82, send("00a40400 07 f0414344010002 00"));
    SW(0x6a82, send("00a40400 06 f04143440100 00"));
    SW(0x6a86, send("00a40000 07 f0414344010001 00"));
    SW(0x6a86, send("00a40402 07 f0414344010001 00"));
    SW(0x9000, send("00a40400 07 f0414344010001 00"));
    static const uint8_t fci[] = {0x6f, 12, 0x84, 7, 0xf0, 0x41, 0x43, 0x44, 1, 0, 1, 0x53, 1, 1};
    CHECK(card.out_len == sizeof fci);
    CHECK_BYTES(fci, card.out, sizeof fci);
    SW(0x9000, send("00a4040c 07 f0414344010001"));
    CHECK(card.out_len == 0);
}

static void a_failed_select_keeps_the_session_and_a_good_one_ends_it(void)
{
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6a82, send("00a40400 05 a000000003 00"));
    SW(0x9000, send("00200082"));
    SW(0x9000, rig_select(&card));
    SW(0x63c3, send("00200082"));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    acd_card_reset(&card.card);
    SW(0x6d00, send("00200082"));
    SW(0x9000, rig_select(&card));
    SW(0x63c3, send("00200082"));
}

static void classes_that_are_not_served_say_why(void)
{
    start();
    SW(0x6e00, send("80ca0101 00"));
    SW(0x6e00, send("40ca0101 00"));
    SW(0x6e00, send("ffca0101 00"));
    SW(0x6882, send("04ca0101 00"));
    SW(0x6882, send("0cca0101 00"));
    SW(0x6881, send("01ca0101 00"));
    SW(0x6d00, send("00010101 00"));
    SW(0x6884, send("10ca0101 00"));
    SW(0x6884, send("10200081 0c 323436383130ffffffffffff"));
}

static void lengths_have_one_meaning(void)
{
    start();
    SW(0x6700, send(""));
    SW(0x6700, send("00"));
    SW(0x6700, send("00ca01"));
    SW(0x6105, send("00ca0101"));    /* no Le: the data waits */
    SW(0x9000, send("00ca0101 00")); /* 256 */
    CHECK(card.out_len == 5);
    SW(0x6103, send("00ca0101 02")); /* fewer than there are */
    CHECK(card.out_len == 2);
    SW(0x9000, send("00c00000 00"));
    CHECK(card.out_len == 3);
    SW(0x9000, send("00ca0101 000000")); /* extended Le */
    CHECK(card.out_len == 5);
    SW(0x9000, send("00ca0101 000005"));
    SW(0x6700, send("00ca0101 0000")); /* half an extended length */
    SW(0x6700, send("00ca0101 01"
                    "aa"));                   /* data where there is none */
    SW(0x6700, send("00200081 0c 3234"));     /* Lc longer than the data */
    SW(0x6700, send("00200081 01 32 00 00")); /* longer than Lc and Le */
    SW(0x6700, send("00200081 000000 32"));   /* extended Lc of 0, and data */
    SW(0x6700, send("00200081 000002 32"));
    SW(0x9000, send("00200081 00000c 323436383130ffffffffffff"));      /* extended, no Le */
    SW(0x9000, send("00200081 00000c 323436383130ffffffffffff 0000")); /* and with Le */
    SW(0x6700, send("00200081 0c 323436383130ffffffffffff 0000"));
    SW(0x6700, send("00200081 00000c 323436383130ffffffffffff 00"));
    SW(0x6700, send("00200081 00000c 323436383130ffffffffffff 000000"));
    SW(0x9000, send("00200081 0c 323436383130ffffffffffff 00"));
}

static void what_waits_is_given_up_by_the_next_command(void)
{
    start();
    SW(0x6985, send("00c00000 00")); /* nothing waits */
    SW(0x6105, send("00ca0101"));
    SW(0x6a86, send("00c00100 00"));
    SW(0x6700, send("00c00000"));
    SW(0x6700, send("00c00000 01 aa 00"));
    SW(0x6104, send("00c00000 01"));
    SW(0x63c3, send("00200081"));
    SW(0x6985, send("00c00000 00"));
    SW(0x6105, send("00ca0101"));
    SW(0x9000, send("0020ff81")); /* done, and nothing to say */
    CHECK(card.out_len == 0);
    SW(0x6985, send("00c00000 00"));
}

static void a_command_in_parts_has_to_stay_the_same_command(void)
{
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, send("102a9e9a 02 8444"));
    SW(0x6883, send("00ca0101 00"));
    SW(0x9000, send("00ca0101 00"));
    SW(0x9000, send("102a9e9a 02 8444"));
    SW(0x6883, send("102a9e9b 02 8444"));
    SW(0x9000, send("10e20000 02 0000"));
    SW(0x6700, send("00e20000 02 0000")); /* too short for a receipt: both parts together */
    SW(0x9000, send("10e20000"));         /* an empty part */
    SW(0x6a88, send("00e20000 06 00 00000009 a0"));
    SW(0x9000, send("102a9e9a 02 8444"));
    SW(0x9000, rig_select(&card) == 0x6883 ? rig_select(&card) : 0); /* SELECT is another command, too */
}

static void a_command_longer_than_the_workspace_is_refused(void)
{
    static uint8_t part[255];
    start();
    const acd_card_ports ports = rig_ports(&card);
    CHECK_STATUS(ACD_OK, acd_card_init(&card.card, &ports, card.workspace, ACD_CARD_WORKSPACE_MIN));
    memset(card.workspace + ACD_CARD_WORKSPACE_MIN, 0x5a, 64);
    SW(0x9000, rig_select(&card));
    unsigned parts = 0;
    uint8_t apdu[260] = {0x10, 0x88, 0, 0, 255};
    memcpy(apdu + 5, part, sizeof part);
    uint16_t status = 0x9000;
    for (; parts < 100 && status == 0x9000; parts++) {
        status = rig_send(&card, apdu, sizeof apdu);
    }
    SW(0x6700, status);
    CHECK(parts == ACD_CARD_WORKSPACE_MIN / 255);
    for (size_t i = 0; i < 64; i++) {
        CHECK(card.workspace[ACD_CARD_WORKSPACE_MIN + i] == 0x5a);
    }
    SW(0x9000, send("00ca0101 00")); /* and forgotten */
}

static void callers_are_held_to_the_contract(void)
{
    uint8_t out[ACD_CARD_RESPONSE_MIN];
    uint8_t in[5] = {0};
    size_t len = 0;
    acd_card other;
    rig_new(&card);
    acd_card_ports ports = rig_ports(&card);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_apdu(&card.card, out, sizeof out - 1, &len, in, 5));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_apdu(&card.card, out, sizeof out, &len, NULL, 5));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_apdu(NULL, out, sizeof out, &len, in, 5));
    CHECK_STATUS(ACD_OK, acd_card_apdu(&card.card, out, sizeof out, &len, NULL, 0));
    CHECK(len == 2 && out[0] == 0x67 && out[1] == 0);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_init(&other, &ports, card.workspace, ACD_CARD_WORKSPACE_MIN - 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_init(&other, &ports, NULL, ACD_CARD_WORKSPACE_MIN));
    ports.storage.page_count = ACD_CARD_PAGES_MIN - 1;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_init(&other, &ports, card.workspace, ACD_CARD_WORKSPACE_MIN));
    ports.storage.page_count = ACD_CARD_PAGES_MIN;
    ports.storage.page_size = ACD_CARD_PAGE_SIZE_MIN - 1;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_format(&ports));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_card_format(NULL));
    ports = rig_ports(&card);
    memset(card.storage.bytes, 0xff, sizeof card.storage.bytes);
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_card_init(&other, &ports, card.workspace, ACD_CARD_WORKSPACE_MIN));
}

/* MARK: Keys */

static void keys_are_made_on_the_card_and_only_their_public_halves_leave(void)
{
    static const uint8_t token = ACD_CARD_TOKEN_KEY;
    uint8_t first[36];
    start();
    SW(0x6982, rig_command(&card, 0x47, 0x80, 0, &token, 1, 256));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x6982, rig_command(&card, 0x47, 0x80, 0, &token, 1, 256)); /* that is not the payment PIN */
    SW(0x6982, send("00478100 05 0100000000 00"));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_command(&card, 0x47, 0x80, 0, &token, 1, 256));
    CHECK(card.out_len == 36);
    memcpy(first, card.out, sizeof first);
    CHECK_BYTES(first, ((const uint8_t[]){0, 0, 0, 1}), 4);
    CHECK_STATUS(ACD_OK, acd_public_key_check(first + 4));
    CHECK(memcmp(first + 4, token_key, 32) != 0 && memcmp(first + 4, pseudonym, 32) != 0);
    CHECK(memcmp(token_key, pseudonym, 32) != 0); /* of the same index */
    SW(0x9000, send("00478100 05 0100000001 00"));
    CHECK_BYTES(first, card.out, 36);
    SW(0x9000, send("00478100 05 0100000000 00"));
    CHECK_BYTES(token_key, card.out + 4, 32);
    SW(0x9000, send("00478100 05 0200000000 00"));
    CHECK_BYTES(pseudonym, card.out + 4, 32);
    SW(0x6a88, send("00478100 05 0100000002 00"));
    SW(0x6a88, send("00478100 05 0200000001 00"));
    SW(0x6a80, send("00478100 05 0300000000 00"));
    SW(0x6a80, send("00478000 01 00 00"));
    SW(0x6a86, send("00478200 01 01 00"));
    SW(0x6a86, send("00478001 01 01 00"));
    SW(0x6700, send("00478000 02 0101 00"));
    SW(0x6700, send("00478100 01 01 00"));
    SW(0x9000, send("00ca0101 00"));
    CHECK_BYTES(card.out + 5, ((const uint8_t[]){0, 0, 0, 2, 0, 0, 0, 1}), 8);
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, send("00478100 05 0100000001 00"));
    CHECK_BYTES(first, card.out, 36);
}

static void a_card_without_randomness_makes_no_keys(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    rig_new(&card);
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_change(&card, 0x82, rig_default_pin, rig_payment_pin));
    SW(0x9000, rig_change(&card, 0x83, rig_default_puk, rig_puk));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    card.random_fails = 1;
    SW(0x6581, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
    card.random_fails = 0;
    SW(0x6581, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256)); /* until power-up */
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
    CHECK_BYTES(card.out, ((const uint8_t[]){0, 0, 0, 0}), 4);
}

static void a_key_is_selected_only_if_it_is_there(void)
{
    start();
    SW(0x6982, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0));
    SW(0x6a88, rig_use_key(&card, ACD_CARD_TOKEN_KEY, 1));
    SW(0x6a88, rig_use_key(&card, 3, 0));
    SW(0x6985, send("002a9e9a 01 84 00")); /* the last selection failed: none */
    SW(0x6a86, send("002241a4 07 84050100000000"));
    SW(0x6700, send("002241b6 06 840501000000"));
    SW(0x6a80, send("002241b6 07 83050100000000"));
    SW(0x6a80, send("002241b6 07 84040100000000"));
}

/* MARK: State, and the end */

static void without_the_payment_pin_the_state_tells_nothing_that_tells_cards_apart(void)
{
    start();
    SW(0x9000, send("00ca0101 00"));
    CHECK(card.out_len == 5);
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, send("00ca0101 00"));
    CHECK(card.out_len == 5);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, send("00ca0101 00"));
    CHECK(card.out_len == 17);
    SW(0x6a88, send("00ca0102 00"));
    SW(0x6a88, send("00ca0001 00"));
    SW(0x6700, send("00ca0101 01 00 00"));
}

static void wiping_leaves_no_byte_of_the_root(void)
{
    enum { WIPED_SIZE = 256 * 128 }; /* rig_new's */
    static uint8_t before[WIPED_SIZE];
    uint8_t root[32] = {0};
    start();
    SW(0x6a86, send("00e60001"));
    SW(0x6700, send("00e60000 01 00"));
    SW(0x6982, send("00e60000"));
    /* The root's record: found by what the format says, so that the test does not miss it. */
    memcpy(before, card.storage.bytes, sizeof before);
    for (size_t i = 0; i + 35 < WIPED_SIZE; i++) {
        if (before[i] == 1 && before[i + 1] == 0 && before[i + 2] == 32) {
            memcpy(root, before + i + 3, 32);
            break;
        }
    }
    CHECK(root[0] != 0 || root[1] != 0);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, send("00e60000"));
    SW(0x63c3, send("00200082"));
    for (size_t i = 0; i + 8 < WIPED_SIZE; i++) {
        for (size_t k = 0; k + 8 <= 32; k += 8) {
            CHECK(memcmp(card.storage.bytes + i, root + k, 8) != 0);
        }
    }
    SW(0x63c2, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_verify(&card, 0x82, rig_default_pin));
    SW(0x9000, send("00ca0101 00"));
    CHECK_BYTES(card.out + 5, ((const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0}), 8);
    uint8_t again[32];
    uint8_t other[32];
    rig_personalise(&card, again, other);
    CHECK(memcmp(again, token_key, 32) != 0);
}

static void no_pin_and_no_key_stays_in_memory_between_commands(void)
{
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_change(&card, 0x81, rig_counter_pin, rig_wrong_pin));
    for (size_t i = 0; i < sizeof card.workspace; i++) {
        CHECK(card.workspace[i] == 0);
    }
    SW(0x6111, send("00ca0101")); /* what waits, waits, and nothing else */
    for (size_t i = 17; i < sizeof card.workspace; i++) {
        CHECK(card.workspace[i] == 0);
    }
    acd_card_wipe(&card.card);
    for (size_t i = 0; i < sizeof card.card; i++) {
        CHECK(((const uint8_t *)&card.card)[i] == 0);
    }
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(nothing_but_select_is_understood_before_select);
    RUN(a_failed_select_keeps_the_session_and_a_good_one_ends_it);
    RUN(classes_that_are_not_served_say_why);
    RUN(lengths_have_one_meaning);
    RUN(what_waits_is_given_up_by_the_next_command);
    RUN(a_command_in_parts_has_to_stay_the_same_command);
    RUN(a_command_longer_than_the_workspace_is_refused);
    RUN(callers_are_held_to_the_contract);
    RUN(keys_are_made_on_the_card_and_only_their_public_halves_leave);
    RUN(a_card_without_randomness_makes_no_keys);
    RUN(a_key_is_selected_only_if_it_is_there);
    RUN(without_the_payment_pin_the_state_tells_nothing_that_tells_cards_apart);
    RUN(wiping_leaves_no_byte_of_the_root);
    RUN(no_pin_and_no_key_stays_in_memory_between_commands);
    return TEST_RESULT();
}
