/* acd_test_card_pin.c: PINs, the PUK, and their tries. */
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

static void a_new_card_signs_nothing_until_pin_and_puk_are_its_holders(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    rig_new(&card);
    SW(0x9000, rig_select(&card));
    SW(0x6982, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
    SW(0x9000, rig_verify(&card, 0x82, rig_default_pin));
    SW(0x6984, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
    SW(0x6984, send("002a9e9a 01 84 00"));
    SW(0x6984, send("002241b6 07 84050100000000"));
    SW(0x6984, send("00e20000 06 0000000000a0"));
    SW(0x9000, rig_verify(&card, 0x81, rig_default_pin));
    SW(0x6984, send("00880000 01 d2 00"));
    SW(0x9000, send("00ca0101 00"));
    CHECK(card.out_len == 17 && card.out[0] == 1 && card.out[1] == 7);
    SW(0x9000, rig_change(&card, 0x82, rig_default_pin, rig_payment_pin));
    SW(0x6982, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256)); /* a changed PIN is not a given one */
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6984, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256)); /* the PUK is still the default */
    SW(0x9000, rig_change(&card, 0x83, rig_default_puk, rig_puk));
    SW(0x9000, rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256));
}

static void a_wrong_pin_costs_a_try_and_the_right_one_gives_them_back(void)
{
    start();
    SW(0x63c3, send("00200081"));
    SW(0x63c2, rig_verify(&card, 0x81, rig_wrong_pin));
    SW(0x63c1, rig_verify(&card, 0x81, rig_payment_pin)); /* the other PIN's */
    SW(0x63c1, send("00200081"));
    CHECK(rig_tries(&card, 0x81) == 1 && rig_tries(&card, 0x82) == 3 && rig_tries(&card, 0x83) == 10);
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, send("00200081"));
    CHECK(rig_tries(&card, 0x81) == 3);
    SW(0x63c2, rig_verify(&card, 0x81, rig_wrong_pin)); /* and the right one does not count any more */
    SW(0x63c2, send("00200081"));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, send("0020ff81"));
    SW(0x63c3, send("00200081"));
    SW(0x6700, send("0020ff81 0c 323436383130ffffffffffff"));
}

static void three_wrong_pins_block_it_for_good_also_over_power_loss(void)
{
    start();
    for (uint16_t left = 2; left > 0; left--) {
        SW(0x63c0 + left, rig_verify(&card, 0x82, rig_wrong_pin));
        CHECK_STATUS(ACD_OK, rig_power(&card));
        SW(0x9000, rig_select(&card));
    }
    SW(0x6983, rig_verify(&card, 0x82, rig_wrong_pin));
    SW(0x6983, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6983, send("00200082"));
    SW(0x6983, rig_change(&card, 0x82, rig_payment_pin, rig_counter_pin));
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x6983, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin)); /* the other one is not touched */
}

static void the_puk_sets_a_new_pin(void)
{
    static const uint8_t fresh[ACD_CARD_PIN_SIZE] = {'7', '7', '7', '0', '0', '0',
                                                     255, 255, 255, 255, 255, 255};
    start();
    for (int i = 0; i < 3; i++) {
        (void)rig_verify(&card, 0x81, rig_wrong_pin);
    }
    SW(0x63c9, rig_unblock(&card, 0x81, rig_wrong_pin, fresh));
    SW(0x6983, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_unblock(&card, 0x81, rig_puk, fresh));
    CHECK(rig_tries(&card, 0x81) == 3 && rig_tries(&card, 0x83) == 10);
    SW(0x63c2, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_verify(&card, 0x81, fresh));
    SW(0x6a88, rig_unblock(&card, 0x83, rig_puk, fresh));
    SW(0x6a86, send("002c0181 18 000000000000000000000000000000000000000000000000"));
    SW(0x6700, send("002c0081 0c 000000000000000000000000"));
    SW(0x6a80, rig_unblock(&card, 0x81, rig_wrong_pin, rig_default_pin));
    CHECK(rig_tries(&card, 0x83) == 10); /* a new PIN that is none costs nothing */
}

static void ten_wrong_puks_block_the_puk_and_then_the_card_can_be_wiped(void)
{
    start();
    SW(0x6982, send("00e60000"));
    for (unsigned left = 9; left > 0; left--) {
        SW(0x63c0 + left, rig_unblock(&card, 0x81, rig_wrong_pin, rig_counter_pin));
    }
    SW(0x6983, rig_unblock(&card, 0x81, rig_wrong_pin, rig_counter_pin));
    SW(0x6983, rig_unblock(&card, 0x81, rig_puk, rig_counter_pin));
    SW(0x6983, rig_change(&card, 0x83, rig_puk, rig_puk));
    SW(0x9000, send("00e60000"));
    SW(0x9000, send("00ca0101 00"));
    static const uint8_t fresh[] = {1, 7, 3, 3, 10};
    CHECK(card.out_len == sizeof fresh);
    CHECK_BYTES(fresh, card.out, sizeof fresh);
}

static void a_pin_has_six_to_twelve_digits_and_is_not_the_default(void)
{
    static const char *const bad[] = {
        "3132333435ffffffffffffff", /* five digits */
        "ffffffffffffffffffffffff",  "3132333435363738393031ff" /* good: see below */,
        "31323334353aff ffffffffff", "31323334352fffffffffffff",
        "3132333435363a37ffffffff", /* enough digits, and something else */
        "2f313233343536ffffffffff",  "313233ff343536ffffffffff",
        "313233343536ffffffffff30",  "313233343536ffffffffffff" /* the default */,
        "000000000000000000000000"};
    start();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint16_t expected = i == 2 ? 0x9000 : 0x6a80;
        SW(expected, rig_change(&card, 0x81, rig_counter_pin, sample_hex(bad[i]).bytes));
    }
    CHECK(rig_tries(&card, 0x81) == 3);
    start();
    SW(0x6a80, rig_change(&card, 0x83, rig_puk, sample_hex("31323334353637ffffffffff").bytes)); /* seven */
    SW(0x6a80, rig_change(&card, 0x83, rig_puk, rig_default_puk));
    SW(0x9000, rig_change(&card, 0x83, rig_puk, sample_hex("3132333435363739ffffffff").bytes));
    SW(0x6700, send("00240081 0c 000000000000000000000000"));
    SW(0x6a88, send("00240084 18 000000000000000000000000000000000000000000000000"));
    SW(0x6a86, send("00240181 18 000000000000000000000000000000000000000000000000"));
    SW(0x6a88, send("00200083 0c 000000000000000000000000"));
    SW(0x6a86, send("00200181 0c 000000000000000000000000"));
    SW(0x6700, send("00200081 0b 0000000000000000000000"));
    SW(0x6700, send("00200081 0d 00000000000000000000000000"));
}

static void a_changed_pin_needs_the_old_one_and_costs_tries_like_any(void)
{
    start();
    SW(0x63c2, rig_change(&card, 0x81, rig_wrong_pin, rig_payment_pin));
    SW(0x63c1, rig_change(&card, 0x81, rig_wrong_pin, rig_payment_pin));
    SW(0x9000, rig_change(&card, 0x81, rig_counter_pin, rig_wrong_pin));
    CHECK(rig_tries(&card, 0x81) == 3);
    SW(0x63c2, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_verify(&card, 0x81, rig_wrong_pin));
    SW(0x9000, rig_change(&card, 0x81, rig_wrong_pin, rig_counter_pin));
    SW(0x63c3, send("00200081")); /* given before, but not the new one */
}

static void nothing_is_compared_before_a_try_is_gone(void)
{
    start();
    const uint8_t *const pins[] = {rig_wrong_pin, rig_counter_pin};
    for (int i = 0; i < 2; i++) {
        const uint64_t before = card.storage.commits;
        SW(i == 0 ? 0x63c2 : 0x9000, rig_verify(&card, 0x81, pins[i]));
        CHECK(card.storage.commits_at_pin == before + 1);
    }
    const uint64_t before = card.storage.commits;
    SW(0x63c9, rig_unblock(&card, 0x81, rig_wrong_pin, rig_counter_pin));
    CHECK(card.storage.commits_at_pin == before + 1);
}

static void a_card_whose_storage_failed_does_nothing_until_it_is_powered_up(void)
{
    start();
    card.storage.cut_at = card.storage.points;
    SW(0x6581, rig_verify(&card, 0x81, rig_counter_pin));
    card.storage.dead = 0;
    card.storage.cut_at = RIG_NEVER;
    SW(0x6581, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x6581, send("00ca0101 00"));
    SW(0x6581, rig_select(&card));
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    card.storage.dead = 1; /* not even a read */
    SW(0x6581, send("00ca0101 00"));
}

static void tries_outlive_many_pages_of_marks(void)
{
    start();
    SW(0x63c2, rig_verify(&card, 0x82, rig_wrong_pin));
    SW(0x63c9, rig_unblock(&card, 0x82, rig_wrong_pin, rig_wrong_pin));
    for (int i = 0; i < 500; i++) {
        SW(0x63c2, rig_verify(&card, 0x81, rig_wrong_pin));
        SW(0x63c1, rig_verify(&card, 0x81, rig_wrong_pin));
        SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
        CHECK(rig_tries(&card, 0x82) == 2 && rig_tries(&card, 0x83) == 9);
    }
    CHECK(!card.storage.written_twice);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(a_new_card_signs_nothing_until_pin_and_puk_are_its_holders);
    RUN(a_wrong_pin_costs_a_try_and_the_right_one_gives_them_back);
    RUN(three_wrong_pins_block_it_for_good_also_over_power_loss);
    RUN(the_puk_sets_a_new_pin);
    RUN(ten_wrong_puks_block_the_puk_and_then_the_card_can_be_wiped);
    RUN(a_pin_has_six_to_twelve_digits_and_is_not_the_default);
    RUN(a_changed_pin_needs_the_old_one_and_costs_tries_like_any);
    RUN(nothing_is_compared_before_a_try_is_gone);
    RUN(a_card_whose_storage_failed_does_nothing_until_it_is_powered_up);
    RUN(tries_outlive_many_pages_of_marks);
    return TEST_RESULT();
}
