/* acd_test_card_power.c: power fails at every byte of every write and erasure, and at every commit, of every
 * command that changes a card. Of what was not committed then all is left, or some bytes, or only the last
 * write. After each cut the card powers up and holds what it has to hold.
 *
 * Usage: acd_test_card_power [STEP]: only every STEP-th point, for machines on which signing takes long.
 *
 * From three states: as new, with full pages of tries, and with a full log: both move in the midst of it. */
#include <stdlib.h>
#include "acd_card_rig.h"
#include "acd_test.h"

typedef struct snapshot {
    rig_storage storage;
    acd_card card;
    uint32_t drawn;
} snapshot;

static rig card;
static snapshot before;
static uint8_t token_key[32];
static uint8_t pseudonym[32];
static sample receipt; /* stored from the start */
static sample further; /* stored by a step */
static sample payments[3];
static uint16_t status; /* of the step's command, and its data: */
static uint8_t said[512];
static size_t said_len;
static unsigned tries_before[3];
static uint64_t stride = 1; /* points from cut to cut */

static const uint8_t fresh_pin[] = {'5', '5', '5', '0', '0', '0', '5', 255, 255, 255, 255, 255};

typedef struct step {
    const char *name;
    void (*prepare)(void);
    void (*run)(void);
    void (*check)(void);
    unsigned wrong_first; /* wrong counter PINs in `prepare` */
    unsigned gains;       /* bits: PINs whose tries may come back, since the right one was given */
} step;

/* MARK: Snapshots */

static void copy_storage(rig_storage *to, const rig_storage *from)
{
    const size_t size = (size_t)from->page_size * from->page_count;
    memcpy(to, from, offsetof(rig_storage, bytes));
    memcpy(to->bytes, from->bytes, size);
    memcpy(to->durable, from->durable, size);
}

static void keep(void)
{
    copy_storage(&before.storage, &card.storage);
    before.card = card.card;
    before.drawn = card.drawn;
}

static void back(void)
{
    copy_storage(&card.storage, &before.storage);
    card.card = before.card;
    card.drawn = before.drawn;
}

/* MARK: States */

static unsigned free_entries(unsigned pin)
{
    enum { ENTRIES = 18 }; /* of each PIN on a page of 128 bytes */
    const uint8_t *entry = card.storage.bytes + card.card.tries_page * 128u + 16u + pin * ENTRIES * 2u;
    unsigned used = 0;
    while (used < ENTRIES && entry[2 * used] != 0xff) {
        used++;
    }
    return ENTRIES - used;
}

/* Full pages of tries, but for as many as the step's preparation will use. */
static void fill_tries(unsigned counter_margin)
{
    while (free_entries(0) > counter_margin) {
        CHECK(rig_verify(&card, 0x81, rig_counter_pin) == 0x9000);
    }
    while (free_entries(1) > 1) {
        CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    }
    while (free_entries(2) > 0) {
        CHECK(rig_change(&card, 0x83, rig_puk, rig_puk) == 0x9000);
    }
    CHECK(free_entries(0) == counter_margin && free_entries(1) == 1 && free_entries(2) == 0);
}

/* Appends what is small until nothing fits any more, not even that a receipt is erased. */
static void fill_log(void)
{
    enum { LEAST = 12, COUNTS = 19 }; /* bytes of these records */
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    const uint32_t area = (card.storage.page_count - 2) / 2 * card.storage.page_size;
    while ((card.card.log_at + area - card.card.log_end) % COUNTS >= LEAST) {
        CHECK(rig_change(&card, 0x81, rig_counter_pin, rig_counter_pin) == 0x9000);
    }
    CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    while (card.card.log_at + area - card.card.log_end >= COUNTS) {
        CHECK(rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256) == 0x9000);
    }
    CHECK(card.card.log_at + area - card.card.log_end < LEAST);
}

static void begin(uint32_t pages, int state, unsigned counter_margin)
{
    const rig_sale sale = rig_sale_good();
    rig_sale other = rig_sale_good();
    sample d1;
    uint8_t own[1][32];
    sample_reset();
    rig_new_of(&card, 128, pages);
    rig_personalise(&card, token_key, pseudonym);
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    other.n = other.p4_n = 0x20;
    rig_sale_build(&other, pseudonym, &further, &d1);
    memcpy(own[0], token_key, 32);
    for (uint64_t i = 0; i < 3; i++) {
        const uint8_t (*keys)[32] = (const uint8_t (*)[32])own;
        payments[i] = rig_structure(ACD_P2, rig_payment(ACD_P2, 0x31, 0x2a, 100 + i, keys, 1), token_key);
    }
    if (pages > 20) {
        CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000 &&
              rig_store(&card, 0, 0, receipt) == 0x9000);
    }
    if (state == 1) {
        fill_tries(counter_margin);
    } else if (state == 2) {
        fill_log();
    }
    CHECK(rig_select(&card) == 0x9000);
}

/* MARK: What holds after every cut */

static void sign_in(void)
{
    CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    CHECK(rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0) == 0x9000);
}

static void check_keys(void)
{
    static const uint8_t first_token[] = {1, 0, 0, 0, 0};
    static const uint8_t first_pseudonym[] = {2, 0, 0, 0, 0};
    CHECK(rig_command(&card, 0x47, 0x81, 0, first_token, 5, 256) == 0x9000);
    CHECK_BYTES(card.out + 4, token_key, 32);
    CHECK(rig_command(&card, 0x47, 0x81, 0, first_pseudonym, 5, 256) == 0x9000);
    CHECK_BYTES(card.out + 4, pseudonym, 32);
}

/* Every receipt that is there is one of the two, whole. */
static void check_receipts(size_t least, size_t most)
{
    uint8_t list[64];
    CHECK(rig_command(&card, 0xca, 1, 0, NULL, 0, 256) == 0x9000);
    const size_t count = card.out_len / 4;
    CHECK(count >= least && count <= most && count < 16);
    memcpy(list, card.out, card.out_len);
    for (size_t i = 0; i < count; i++) {
        CHECK(rig_command(&card, 0xb2, list[4 * i], 4, NULL, 0, 65536) == 0x9000);
        const sample *same = card.out_len == receipt.len && memcmp(card.out, receipt.bytes, receipt.len) == 0
                                 ? &receipt
                                 : &further;
        CHECK(card.out_len == same->len);
        CHECK_BYTES(card.out, same->bytes, same->len);
    }
}

/* What is not the log is erased: no superseded secret is left after power-up. */
static void check_nothing_lingers(void)
{
    const uint32_t size = (card.storage.page_count - 2) / 2 * card.storage.page_size;
    const uint32_t first = 2 * card.storage.page_size;
    const uint8_t *other = card.storage.bytes + (card.card.log_at == first ? first + size : first);
    uint8_t all = 0xff;
    for (uint32_t i = 0; i < size; i++) {
        all &= other[i];
    }
    CHECK(all == 0xff);
}

static void check_whole_card(void)
{
    sign_in();
    check_keys();
}

/* MARK: Steps */

static void nothing(void)
{
}

static void run_right_pin(void)
{
    status = rig_verify(&card, 0x81, rig_counter_pin);
}

static void prepare_one_wrong(void)
{
    CHECK(rig_verify(&card, 0x81, rig_wrong_pin) == 0x63c2);
}

static void run_wrong_pin(void)
{
    status = rig_verify(&card, 0x81, rig_wrong_pin);
}

static void check_wrong_pin(void)
{
    const unsigned left = rig_tries(&card, 0x81);
    CHECK(status == 0x6581 || status == 0x63c1);
    CHECK(status != 0x63c1 || left == 1); /* no answer without a try */
    check_whole_card();
}

static void run_last_wrong_pin(void)
{
    (void)rig_verify(&card, 0x81, rig_wrong_pin);
    status = card.storage.dead ? 0x6581 : rig_verify(&card, 0x81, rig_wrong_pin);
}

static void check_last_wrong_pin(void)
{
    const unsigned left = rig_tries(&card, 0x81);
    CHECK(status != 0x6983 || left == 0);
    CHECK(left > 0 || rig_verify(&card, 0x81, rig_counter_pin) == 0x6983);
    check_whole_card();
}

static void run_change(void)
{
    status = rig_change(&card, 0x81, rig_counter_pin, fresh_pin);
}

static void check_change(void)
{
    const int old_one = rig_verify(&card, 0x81, rig_counter_pin) == 0x9000;
    const int new_one = rig_verify(&card, 0x81, fresh_pin) == 0x9000;
    CHECK(old_one != new_one);
    CHECK(status != 0x9000 || new_one);
    check_whole_card();
}

static void prepare_blocked(void)
{
    for (int i = 0; i < 3; i++) {
        (void)rig_verify(&card, 0x81, rig_wrong_pin);
    }
}

static void run_unblock(void)
{
    status = rig_unblock(&card, 0x81, rig_puk, fresh_pin);
}

static void check_unblock(void)
{
    const unsigned left = rig_tries(&card, 0x81);
    CHECK(left == 0 || left == 3);
    CHECK(status != 0x9000 || left == 3);
    CHECK(rig_verify(&card, 0x81, rig_counter_pin) != 0x9000); /* the old one never comes back */
    CHECK(rig_verify(&card, 0x81, fresh_pin) == (left == 3 ? 0x9000 : 0x6983));
    CHECK(rig_unblock(&card, 0x81, rig_puk, rig_counter_pin) == 0x9000); /* and again it works */
    check_whole_card();
}

static void run_generate(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    status = rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256);
    said_len = card.out_len < sizeof said ? card.out_len : 0;
    memcpy(said, card.out, said_len);
}

static void check_generate(void)
{
    uint8_t reference[5] = {1};
    check_whole_card();
    if (status == 0x9000) { /* a key that was told of is there */
        memcpy(reference + 1, said, 4);
        CHECK(rig_command(&card, 0x47, 0x81, 0, reference, 5, 256) == 0x9000);
        CHECK(card.out_len == 36);
        CHECK_BYTES(card.out, said, 36);
    }
}

static void prepare_payment_pin(void)
{
    sign_in();
}

static void prepare_wipe(void)
{
    prepare_one_wrong();
    sign_in();
}

static void run_sign(void)
{
    status = rig_sign(&card, payments[0]);
}

/* One content of the transaction is signed from here on, and it is the one whose signature is out. */
static void check_sign(void)
{
    check_whole_card();
    const uint16_t other = rig_sign(&card, payments[1]);
    const uint16_t same = rig_sign(&card, payments[0]);
    CHECK((other == 0x9000) != (same == 0x9000));
    CHECK(other == 0x6985 || same == 0x6985);
    CHECK(status != 0x9000 || same == 0x9000);
    CHECK(rig_sign(&card, payments[2]) == 0x6985);
}

static void run_store(void)
{
    status = rig_store(&card, 0, 0, further);
}

static void check_store(void)
{
    check_whole_card();
    check_receipts(status == 0x9000 ? 2 : 1, 2);
    CHECK(rig_store(&card, 0, 0, further) == 0x9000);
    check_receipts(2, 2);
}

static void run_erase(void)
{
    status = rig_command(&card, 0x0c, 1, 4, NULL, 0, -1);
}

static void check_erase(void)
{
    check_whole_card();
    check_receipts(0, status == 0x9000 ? 0 : 1);
}

static void run_wipe(void)
{
    status = rig_command(&card, 0xe6, 0, 0, NULL, 0, -1);
}

/* The whole card or a new one: never its keys under default PINs, never new PINs without its keys. */
static void check_wipe(void)
{
    CHECK(rig_command(&card, 0xca, 1, 1, NULL, 0, 256) == 0x9000);
    const uint8_t defaults = card.out[1];
    CHECK(defaults == 0 || defaults == 7);
    CHECK(status != 0x9000 || defaults == 7);
    if (defaults == 0) { /* tries come back only after there is nothing left to guess for */
        CHECK(rig_tries(&card, 0x81) <= tries_before[0]);
        check_whole_card();
        return;
    }
    uint8_t other_token[32];
    uint8_t other[32];
    rig_personalise(&card, other_token, other);
    CHECK(memcmp(other_token, token_key, 32) != 0 && memcmp(other, pseudonym, 32) != 0);
    CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    check_receipts(0, 0);
}

static const step steps[] = {
    {"the right PIN", prepare_one_wrong, run_right_pin, check_whole_card, 1, 1},
    {"a wrong PIN", prepare_one_wrong, run_wrong_pin, check_wrong_pin, 1, 0},
    {"wrong PINs until it is blocked", prepare_one_wrong, run_last_wrong_pin, check_last_wrong_pin, 1, 0},
    {"a changed PIN", nothing, run_change, check_change, 0, 1},
    {"a PIN unblocked by the PUK", prepare_blocked, run_unblock, check_unblock, 3, 5},
    {"a new key", prepare_payment_pin, run_generate, check_generate, 0, 0},
    {"a signature", prepare_payment_pin, run_sign, check_sign, 0, 0},
    {"a receipt stored", prepare_payment_pin, run_store, check_store, 0, 0},
    {"a receipt erased", prepare_payment_pin, run_erase, check_erase, 0, 0},
    {"wiped", prepare_wipe, run_wipe, check_wipe, 1, 7},
};

/* MARK: Cutting */

static void note_tries(unsigned out[3])
{
    for (uint8_t pin = 0; pin < 3; pin++) {
        out[pin] = rig_tries(&card, (uint8_t)(0x81 + pin));
    }
}

/* Runs the step with power failing after `cut` points; 0 when it did not fail any more. */
static int cut_once(const step *each, uint64_t cut, int loss)
{
    unsigned tries[3];
    back();
    card.storage.cut_at = card.storage.points + cut;
    card.storage.loss = (rig_loss)loss;
    card.storage.seed = (uint32_t)(cut * 977u + (unsigned)loss * 131071u);
    each->run();
    const int failed = card.storage.dead;
    CHECK(!failed || status == 0x6581);
    CHECK(failed || (status != 0x6581 && status != 0x6f00));
    CHECK_STATUS(ACD_OK, rig_power(&card));
    check_nothing_lingers();
    CHECK(rig_select(&card) == 0x9000);
    note_tries(tries);
    for (unsigned pin = 0; pin < 3; pin++) {
        CHECK(tries[pin] <= tries_before[pin] || (each->gains >> pin & 1u) != 0);
        CHECK(tries[pin] <= (pin == 2 ? 10u : 3u));
    }
    each->check();
    CHECK(!card.storage.written_twice);
    return failed;
}

static unsigned long cut_everywhere(const step *each, uint32_t pages, int state)
{
    unsigned long cuts = 0;
    begin(pages, state, each->wrong_first);
    each->prepare();
    note_tries(tries_before);
    keep();
    for (int loss = 0; loss < RIG_LOSSES; loss++) {
        for (uint64_t cut = 0; cut_once(each, cut, loss) && !acd_test_failed_here; cut += stride) {
            cuts++;
        }
    }
    return cuts;
}

static void no_power_cut_gives_a_try_back_or_half_a_receipt_or_a_second_signature(void)
{
    static const char *const states[] = {"as new", "full pages of tries", "full log"};
    unsigned long cuts = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int holds_receipts = steps[i].run == run_store || steps[i].run == run_erase;
        for (int state = 0; state < 3; state++) {
            const unsigned long here = cut_everywhere(&steps[i], holds_receipts ? 52 : 12, state);
            printf("%s, %s: %lu cuts\n", steps[i].name, states[state], here);
            CHECK(here > 0);
            cuts += here;
            if (acd_test_failed_here) {
                fprintf(stderr, "at: %s, %s\n", steps[i].name, states[state]);
                return;
            }
        }
    }
    printf("%lu power cuts, every %u. point of every command\n", cuts, (unsigned)stride);
}

/* MARK: Formatting */

static void a_card_is_formatted_whole_or_refused(void)
{
    static const uint8_t first_token[] = {1, 0, 0, 0, 0};
    begin(12, 0, 0);
    prepare_one_wrong();
    keep();
    for (int loss = 0; loss < RIG_LOSSES; loss++) {
        for (uint64_t cut = 0;; cut++) {
            back();
            card.storage.cut_at = card.storage.points + cut;
            card.storage.loss = (rig_loss)loss;
            card.storage.seed = (uint32_t)cut;
            acd_card_ports ports = rig_ports(&card);
            const acd_status formatted = acd_card_format(&ports);
            const int failed = card.storage.dead;
            CHECK(failed == (formatted != ACD_OK));
            const acd_status powered = rig_power(&card);
            CHECK(powered == ACD_OK || powered == ACD_ERR_MALFORMED);
            if (powered == ACD_OK) { /* the old card, whole, or a new one */
                CHECK(rig_select(&card) == 0x9000);
                CHECK(rig_command(&card, 0xca, 1, 1, NULL, 0, 256) == 0x9000);
                CHECK(card.out[1] == 0 || card.out[1] == 7);
                CHECK(card.out[1] == 7 || card.out[2] <= 2);
                const uint8_t *pin = card.out[1] == 0 ? rig_payment_pin : rig_default_pin;
                const uint16_t key = card.out[1] == 0 ? 0x9000 : 0x6984;
                CHECK(rig_verify(&card, 0x82, pin) == 0x9000);
                CHECK(rig_command(&card, 0x47, 0x81, 0, first_token, 5, 256) == key);
            }
            ports = rig_ports(&card);
            CHECK_STATUS(ACD_OK, acd_card_format(&ports));
            CHECK_STATUS(ACD_OK, rig_power(&card));
            if (!failed || acd_test_failed_here) {
                break;
            }
        }
    }
}

int main(int argc, char **argv)
{
    stride = argc > 1 ? strtoul(argv[1], NULL, 10) : stride;
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(no_power_cut_gives_a_try_back_or_half_a_receipt_or_a_second_signature);
    RUN(a_card_is_formatted_whole_or_refused);
    return TEST_RESULT();
}
