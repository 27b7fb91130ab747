/* acd_test_card_receipt.c: the receipts that a card holds, and D2, its answer at a counter. */
#include "acd_card_rig.h"
#include "acd_test.h"

static rig card;
static uint8_t token_key[32];
static uint8_t pseudonym[32];
static sample receipt;
static sample d1;

#define SW(expected, call) CHECK((expected) == (call))

/* A card that holds the receipt of a good sale as number 1, no PIN given. */
static void start(void)
{
    const rig_sale sale = rig_sale_good();
    sample_reset();
    rig_new(&card);
    rig_personalise(&card, token_key, pseudonym);
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_store(&card, 0, 0, receipt));
    CHECK(card.out_len == 1 && card.out[0] == 1);
    SW(0x9000, rig_select(&card));
}

static uint16_t ask(sample challenge)
{
    return rig_command(&card, 0x88, 0, 0, challenge.bytes, challenge.len, 256);
}

static uint16_t store_sale(const rig_sale *sale, uint8_t flags, uint32_t index)
{
    sample other;
    rig_sale_build(sale, pseudonym, &receipt, &other);
    return rig_store(&card, flags, index, receipt);
}

/* MARK: Receipts */

static void a_receipt_comes_back_as_it_was_stored(void)
{
    start();
    SW(0x6982, rig_command(&card, 0xb2, 1, 4, NULL, 0, 256));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_command(&card, 0xb2, 1, 4, NULL, 0, 65536));
    CHECK(card.out_len == receipt.len);
    CHECK_BYTES(card.out, receipt.bytes, receipt.len);
    SW(0x6100, rig_command(&card, 0xb2, 1, 4, NULL, 0, 256)); /* short: 256 bytes, and more wait */
    CHECK(card.out_len == 256);
    SW(0x9000, rig_chained(&card, 0xb2, 1, 4, NULL, 0, 255));
    CHECK(card.out_len == receipt.len);
    CHECK_BYTES(card.out, receipt.bytes, receipt.len);
    SW(0x6a83, rig_command(&card, 0xb2, 2, 4, NULL, 0, 256));
    SW(0x6a86, rig_command(&card, 0xb2, 0, 4, NULL, 0, 256));
    SW(0x6a86, rig_command(&card, 0xb2, 1, 0, NULL, 0, 256));
    SW(0x6700, rig_command(&card, 0xb2, 1, 4, "a", 1, 256));
}

static void receipts_come_in_parts_and_only_whole(void)
{
    rig_sale sale = rig_sale_good();
    start();
    sale.n = sale.p4_n = 0x20;
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    sample data = {sample_alloc(5 + receipt.len), 5 + receipt.len};
    memcpy(data.bytes + 5, receipt.bytes, receipt.len);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_chained(&card, 0xe2, 0, 0, data.bytes, data.len, 200));
    CHECK(card.out_len == 1 && card.out[0] == 2);
    SW(0x9000, rig_command(&card, 0xb2, 2, 4, NULL, 0, 65536));
    CHECK_BYTES(card.out, receipt.bytes, receipt.len);
    sale.n = sale.p4_n = 0x21;
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    memcpy(data.bytes + 5, receipt.bytes, receipt.len);
    for (size_t len = 0; len < data.len; len += len < 8 ? 1 : 97) { /* a part of a receipt is none */
        uint16_t status = rig_command(&card, 0xe2, 0, 0, data.bytes, len, 256);
        CHECK(status == 0x6700 || status == 0x6a80);
    }
    SW(0x6a83, rig_command(&card, 0xb2, 3, 4, NULL, 0, 256));
}

static void the_same_receipt_again_is_the_same_record(void)
{
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_store(&card, 1, 0, receipt));
    CHECK(card.out[0] == 1);
    SW(0x9000, rig_command(&card, 0xca, 1, 0, NULL, 0, 256));
    const uint8_t expected[] = {1, 2, (uint8_t)(receipt.len >> 8), (uint8_t)receipt.len};
    CHECK(card.out_len == 4);
    CHECK_BYTES(card.out, expected, 4); /* its flags stay what they were */
}

static void only_receipts_that_hold_together_and_are_this_cards_are_stored(void)
{
    uint8_t stranger[32];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    start();
    sample_key(stranger, secret_key, 9);
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    rig_sale sale = rig_sale_good();
    sale.n = sale.p4_n = 0x20;
    SW(0x6982, store_sale(&sale, 0, 0));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6a80, store_sale(&sale, 2, 0)); /* an unknown flag */
    SW(0x6a88, store_sale(&sale, 0, 1)); /* no such pseudonym */
    sale.p4_n ^= 1;
    SW(0x6a80, store_sale(&sale, 0, 0));
    sale.p4_n ^= 1;
    sale.p4_merchant = 7;
    SW(0x6a80, store_sale(&sale, 0, 0));
    sale.p4_merchant = sale.merchant;
    sale.h_p1 = 1;
    SW(0x6a80, store_sale(&sale, 0, 0));
    sale.h_p1 = 0;
    sale.p5a_type = ACD_E7A; /* of the same form */
    SW(0x6a80, store_sale(&sale, 0, 0));
    sale.p5a_type = ACD_P5A;
    sample other;
    rig_sale_build(&sale, stranger, &receipt, &other);
    SW(0x6a80, rig_store(&card, 0, 0, receipt)); /* neither P nor a collector */
    sale.collector = pseudonym;
    rig_sale_build(&sale, stranger, &receipt, &other);
    SW(0x9000, rig_store(&card, 0, 0, receipt)); /* a collector */
    CHECK(card.out[0] == 2);
    SW(0x6a80, rig_store(&card, 0, 0, d1)); /* not a receipt */
    SW(0x6a86, rig_command(&card, 0xe2, 1, 0, receipt.bytes, receipt.len, 256));
    SW(0x6a86, rig_command(&card, 0xe2, 0, 1, receipt.bytes, receipt.len, 256));
}

static void an_open_receipt_is_read_without_a_pin_and_no_other(void)
{
    rig_sale sale = rig_sale_good();
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    sale.n = sale.p4_n = 0x20;
    SW(0x9000, store_sale(&sale, 1, 0));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_command(&card, 0xca, 1, 0, NULL, 0, 256));
    CHECK(card.out_len == 4 && card.out[0] == 2 && card.out[1] == 3);
    SW(0x9000, rig_command(&card, 0xb2, 2, 4, NULL, 0, 65536));
    CHECK_BYTES(card.out, receipt.bytes, receipt.len);
    SW(0x6982, rig_command(&card, 0xb2, 1, 4, NULL, 0, 256));
    SW(0x6982, rig_command(&card, 0xb2, 3, 4, NULL, 0, 256)); /* there is none: not told */
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_command(&card, 0xca, 1, 0, NULL, 0, 256));
    CHECK(card.out_len == 8);
}

static void the_default_pin_reads_no_receipt(void)
{
    rig_sale sale = rig_sale_good();
    sample_reset();
    rig_new(&card);
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_change(&card, 0x82, rig_default_pin, rig_payment_pin));
    SW(0x9000, rig_change(&card, 0x83, rig_default_puk, rig_puk));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_command(&card, 0x47, 0x80, 0, "\2", 1, 256));
    memcpy(pseudonym, card.out + 4, 32);
    SW(0x9000, store_sale(&sale, 0, 0));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x81, rig_default_pin));
    SW(0x6982, rig_command(&card, 0xb2, 1, 4, NULL, 0, 256));
    SW(0x9000, rig_command(&card, 0xca, 1, 0, NULL, 0, 256));
    CHECK(card.out_len == 0);
}

static void an_erased_receipt_is_gone_and_its_number_free(void)
{
    rig_sale sale = rig_sale_good();
    start();
    SW(0x6982, rig_command(&card, 0x0c, 1, 4, NULL, 0, -1));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    sale.n = sale.p4_n = 0x20;
    SW(0x9000, store_sale(&sale, 0, 0));
    SW(0x6a86, rig_command(&card, 0x0c, 0, 4, NULL, 0, -1));
    SW(0x6a86, rig_command(&card, 0x0c, 1, 0, NULL, 0, -1));
    SW(0x6700, rig_command(&card, 0x0c, 1, 4, "a", 1, -1));
    SW(0x6a83, rig_command(&card, 0x0c, 3, 4, NULL, 0, -1));
    SW(0x9000, rig_command(&card, 0x0c, 1, 4, NULL, 0, -1));
    SW(0x6a83, rig_command(&card, 0xb2, 1, 4, NULL, 0, 256));
    SW(0x6a83, rig_command(&card, 0x0c, 1, 4, NULL, 0, -1));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x6a83, ask(d1));
    sale.n = sale.p4_n = 0x21;
    SW(0x9000, store_sale(&sale, 0, 0));
    CHECK(card.out[0] == 1);
    SW(0x9000, rig_command(&card, 0xb2, 1, 4, NULL, 0, 65536));
    CHECK_BYTES(card.out, receipt.bytes, receipt.len);
}

static void receipts_fill_the_card_and_erasing_makes_room(void)
{
    static char description[2048];
    rig_sale sale = rig_sale_good();
    memset(description, 'd', sizeof description - 1);
    sale.description = description;
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    uint16_t status = 0x9000;
    unsigned stored = 1;
    for (; stored < 100 && status == 0x9000; stored++) {
        sale.n = sale.p4_n = (uint8_t)(0x20 + stored);
        status = store_sale(&sale, 0, 0);
    }
    SW(0x6a84, status);
    CHECK(stored > 4);
    for (int round = 0; round < 40; round++) { /* many times around both areas */
        SW(0x9000, rig_command(&card, 0x0c, 2, 4, NULL, 0, -1));
        sale.n = sale.p4_n = (uint8_t)(0x80 + round);
        SW(0x9000, store_sale(&sale, 0, 0));
        CHECK(card.out[0] == 2);
        SW(0x9000, rig_command(&card, 0xb2, 2, 4, NULL, 0, 65536));
        CHECK(card.out_len == receipt.len);
        CHECK_BYTES(card.out, receipt.bytes, receipt.len);
    }
    CHECK(!card.storage.written_twice);
    CHECK_STATUS(ACD_OK, rig_power(&card));
    SW(0x9000, rig_select(&card));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, ask(d1)); /* the first receipt, moved many times */
}

static void no_more_receipts_than_numbers(void)
{
    rig_sale sale = rig_sale_good();
    sample_reset();
    rig_new_of(&card, 4096, 120);
    rig_personalise(&card, token_key, pseudonym);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    sale.parcel = "P";
    sale.office = NULL;
    uint16_t status = 0x9000;
    unsigned stored = 0;
    for (unsigned i = 0; i < 256 && status == 0x9000; i++) {
        sale.n = sale.p4_n = (uint8_t)i;
        status = store_sale(&sale, 1, 0);
        stored += status == 0x9000;
        sample_reset();
    }
    SW(0x6a84, status);
    CHECK(stored == ACD_CARD_RECEIPTS_MAX);
    SW(0x9000, rig_chained(&card, 0xca, 1, 0, NULL, 0, 255));
    CHECK(card.out_len == stored * 4);
}

/* MARK: At the counter */

static void d2_is_the_answer_to_the_d1_of_a_receipt_that_it_holds(void)
{
    acd_sign1 d2;
    acd_value values[2];
    uint8_t hash[ACD_HASH_SIZE];
    static uint8_t scratch[1024];
    start();
    SW(0x6982, ask(d1));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, ask(d1));
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&d2, card.out, card.out_len));
    CHECK(d2.type == ACD_D2 && card.out_len <= 255);
    CHECK_STATUS(ACD_OK, acd_sign1_verify(&d2, scratch, sizeof scratch));
    CHECK_BYTES(d2.key_id, pseudonym, 32);
    CHECK_STATUS(ACD_OK, acd_map_decode(values, 2, ACD_D2, d2.payload, d2.payload_len));
    acd_sha256(hash, d1.bytes, d1.len);
    CHECK_BYTES(values[sample_index(ACD_D2, ACD_KEY_H_REQUEST)].bytes, hash, 32);
    CHECK(values[sample_index(ACD_D2, ACD_D2_INTENT)].number == ACD_INTENT_COLLECT);
    CHECK(card.shown_count == 1 && card.shown.purpose == ACD_CARD_COLLECT && card.shown.parcel_len == 16);
    CHECK(card.shown.intent == ACD_INTENT_COLLECT && card.shown.n[0] == 0x10);
    SW(0x6982, ask(d1)); /* one PIN, one D2 */
    SW(0x63c3, rig_command(&card, 0x20, 0, 0x81, NULL, 0, -1));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, rig_chained(&card, 0x88, 0, 0, d1.bytes, d1.len, 60)); /* in parts */
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&d2, card.out, card.out_len));
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x6982, ask(d1)); /* the payment PIN is not the counter's */
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x6a86, rig_command(&card, 0x88, 1, 0, d1.bytes, d1.len, 256));
}

static void d1_has_to_name_the_receipt_in_everything(void)
{
    uint8_t elsewhere[32] = {1};
    start();
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    rig_sale good = rig_sale_good();
    for (int broken = 0; broken < 9; broken++) {
        rig_sale sale = good;
        sample ignored;
        sample challenge;
        switch (broken) {
        case 0: sale.d1_n = 1; break;
        case 1: sale.merchant = sale.p4_merchant = 7; break; /* M and hP1 */
        case 2: sale.d1_h_p5a = 1; break;
        case 3: sale.d1_parcel = "AC7K2M9QX4PT1B64"; break;
        case 4: sale.d1_parcel = "AC7K2M9QX4PT1B6"; break;
        case 5: sale.d1_office = elsewhere; break;
        case 6: sale.d1_merchant = 1; break;
        case 7: sale.d1_h_p1 = 1; break;
        default: sale.description = "nothing that D1 names"; break;
        }
        rig_sale_build(&sale, pseudonym, &ignored, &challenge);
        SW(broken < 8 ? 0x6a83 : 0x9000, ask(challenge));
        CHECK(broken == 8 || card.out_len == 0);
    }
    CHECK(card.shown_count == 1);
}

static void d1_has_to_be_a_message_that_its_kiosk_signed(void)
{
    start();
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    for (size_t i = 0; i < d1.len; i++) {
        d1.bytes[i] ^= 1;
        SW(0x6a80, ask(d1));
        d1.bytes[i] ^= 1;
    }
    SW(0x6a80, ask(receipt));
    SW(0x6a80, ask(sample_sign(ACD_D0, sample_map(ACD_D0, SAMPLE_SMALL), 6)));
    SW(0x9000, ask(d1));
}

static void the_receipt_says_who_may_collect(void)
{
    uint8_t stranger[32];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    rig_sale sale = rig_sale_good();
    start();
    sample_key(stranger, secret_key, 9);
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    sale.n = sale.p4_n = 0x20;
    sale.collector = stranger; /* P is the card's, but may not collect */
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    SW(0x9000, rig_store(&card, 0, 0, receipt));
    SW(0x6a83, ask(d1));
    sale.n = sale.p4_n = 0x21;
    sale.collector = pseudonym; /* P is another's, and the card's key may */
    rig_sale_build(&sale, stranger, &receipt, &d1);
    SW(0x9000, rig_store(&card, 0, 0, receipt));
    SW(0x9000, ask(d1));
}

static void a_receipt_without_offices_is_good_at_any(void)
{
    uint8_t elsewhere[32] = {1};
    rig_sale sale = rig_sale_good();
    start();
    SW(0x9000, rig_verify(&card, 0x82, rig_payment_pin));
    sale.n = sale.p4_n = 0x20;
    sale.office = NULL;
    sale.d1_office = elsewhere;
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    SW(0x9000, rig_store(&card, 0, 0, receipt));
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    SW(0x9000, ask(d1));
}

static void the_intent_is_d1s_and_a_holder_may_say_no(void)
{
    acd_sign1 d2;
    acd_value values[2];
    rig_sale sale = rig_sale_good();
    start();
    sale.intent = ACD_INTENT_REFUSE_DAMAGED;
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    SW(0x9000, rig_verify(&card, 0x81, rig_counter_pin));
    card.show_says = 1;
    SW(0x6400, ask(d1));
    card.show_says = 0;
    SW(0x9000, ask(d1)); /* the PIN was not used up */
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&d2, card.out, card.out_len));
    CHECK_STATUS(ACD_OK, acd_map_decode(values, 2, ACD_D2, d2.payload, d2.payload_len));
    CHECK(values[sample_index(ACD_D2, ACD_D2_INTENT)].number == ACD_INTENT_REFUSE_DAMAGED);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(a_receipt_comes_back_as_it_was_stored);
    RUN(receipts_come_in_parts_and_only_whole);
    RUN(the_same_receipt_again_is_the_same_record);
    RUN(only_receipts_that_hold_together_and_are_this_cards_are_stored);
    RUN(an_open_receipt_is_read_without_a_pin_and_no_other);
    RUN(the_default_pin_reads_no_receipt);
    RUN(an_erased_receipt_is_gone_and_its_number_free);
    RUN(receipts_fill_the_card_and_erasing_makes_room);
    RUN(no_more_receipts_than_numbers);
    RUN(d2_is_the_answer_to_the_d1_of_a_receipt_that_it_holds);
    RUN(d1_has_to_name_the_receipt_in_everything);
    RUN(d1_has_to_be_a_message_that_its_kiosk_signed);
    RUN(the_receipt_says_who_may_collect);
    RUN(a_receipt_without_offices_is_good_at_any);
    RUN(the_intent_is_d1s_and_a_holder_may_say_no);
    return TEST_RESULT();
}
