/* acd_test_card_headers.c: every two-byte header with every kind of length, and every P1 and P2 of every
 * instruction: each is answered by a status word of docs/SPEC.md, and the card stays a card. */
#include <stdlib.h>
#include "acd_card_rig.h"
#include "acd_test.h"

static rig card;
static uint8_t token_key[32];
static uint8_t pseudonym[32];
static unsigned long sent;

static int is_known(uint16_t status)
{
    static const uint16_t known[] = {0x9000, 0x6400, 0x6581, 0x6700, 0x6881, 0x6882, 0x6883,
                                     0x6884, 0x6982, 0x6983, 0x6984, 0x6985, 0x6a80, 0x6a82,
                                     0x6a83, 0x6a84, 0x6a86, 0x6a88, 0x6d00, 0x6e00};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (status == known[i]) {
            return 1;
        }
    }
    return (status & 0xff00) == 0x6100 || ((status & 0xfff0) == 0x63c0 && (status & 15) <= 10);
}

/* From memory of exactly this size, so that a sanitizer sees a byte read behind it. */
static void send(const uint8_t *apdu, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, apdu, len);
    const uint16_t status = rig_send(&card, exact, len);
    if (!is_known(status) || status == 0x6581) {
        CHECK(is_known(status) && status != 0x6581);
        fprintf(stderr, "%02x%02x%02x%02x, %zu bytes: %04x\n", apdu[0], apdu[1], apdu[2], apdu[3], len,
                status);
    }
    sent++;
    free(exact);
}

static void start(int signed_in)
{
    rig_new_of(&card, 256, 32);
    rig_personalise(&card, token_key, pseudonym);
    if (signed_in) {
        CHECK(rig_verify(&card, 0x81, rig_counter_pin) == 0x9000);
        CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    }
}

static void every_header_with_every_kind_of_length_is_answered(void)
{
    static const struct {
        size_t len;
        uint8_t body[4];
    } bodies[] = {{4, {0}},
                  {5, {0}},
                  {5, {1}},
                  {6, {1}},
                  {7, {1}},
                  {17, {12}},
                  {29, {24}},
                  {30, {24}},
                  {42, {37}},
                  {260, {255}},
                  {261, {255}},
                  {7, {0, 0, 0}},
                  {6, {0, 0}},
                  {7, {0, 1, 0}},
                  {263, {0, 1, 0}},
                  {265, {0, 1, 0}},
                  {264, {0, 1, 0}},
                  {11, {0, 0, 4}},
                  {0, {0}},
                  {3, {0}},
                  {1000, {0, 3, 221}},
                  {9, {5}},
                  {300, {0, 255, 255}}};
    uint8_t apdu[1024];
    start(1);
    for (unsigned header = 0; header < 65536; header++) {
        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
            memset(apdu, (int)(header & 0xff), sizeof apdu);
            apdu[0] = (uint8_t)(header >> 8);
            apdu[1] = (uint8_t)header;
            apdu[2] = apdu[3] = (uint8_t)(i % 3);
            memcpy(apdu + 4, bodies[i].body, sizeof bodies[i].body);
            send(apdu, bodies[i].len);
        }
    }
    CHECK_STATUS(ACD_OK, rig_power(&card));
}

static void every_parameter_of_every_instruction_is_answered(void)
{
    static const uint8_t instructions[] = {0x20, 0x22, 0x24, 0x2a, 0x2c, 0x0c, 0x47,
                                           0x88, 0xa4, 0xb2, 0xc0, 0xca, 0xe2, 0xe6};
    static const size_t lengths[] = {4, 5, 17, 29};
    uint8_t apdu[64];
    for (int signed_in = 0; signed_in < 2; signed_in++) {
        for (size_t i = 0; i < sizeof instructions; i++) {
            start(signed_in);
            for (unsigned parameters = 0; parameters < 65536; parameters++) {
                for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
                    memset(apdu, 0x31, sizeof apdu);
                    apdu[0] = 0;
                    apdu[1] = instructions[i];
                    apdu[2] = (uint8_t)(parameters >> 8);
                    apdu[3] = (uint8_t)parameters;
                    apdu[4] = (uint8_t)(lengths[k] > 5 ? lengths[k] - 5 : 0);
                    send(apdu, lengths[k]);
                }
            }
            CHECK_STATUS(ACD_OK, rig_power(&card));
            CHECK(!card.storage.written_twice);
        }
    }
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(every_header_with_every_kind_of_length_is_answered);
    RUN(every_parameter_of_every_instruction_is_answered);
    printf("%lu commands\n", sent);
    return TEST_RESULT();
}
