/* acd_test_card_secrets.c: no branch and no index of the card's own code depends on a secret. For valgrind's
 * memory checker: PINs, the PUK, randomness, the root and secret keys are marked undefined, so that it
 * complains of whatever decides by them. Without valgrind the test skips, loudly.
 *
 * What is public again is marked so where it is made: the outcome of acd_equal, signatures, and public keys,
 * by the linker's --wrap. Those functions are libsodium's inside. It counts valgrind's complaints itself. */
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/memcheck.h>
#include "acd_card_rig.h"
#include "acd_test.h"

int __wrap_acd_equal(const void *a, const void *b, size_t len);
int __real_acd_equal(const void *a, const void *b, size_t len);
void __wrap_acd_ed25519_sign(uint8_t signature[64], const void *message, size_t len,
                             const uint8_t secret_key[64]);
void __real_acd_ed25519_sign(uint8_t signature[64], const void *message, size_t len,
                             const uint8_t secret_key[64]);
void __wrap_acd_key_from_seed(uint8_t public_key[32], uint8_t secret_key[64], const uint8_t seed[32]);
void __real_acd_key_from_seed(uint8_t public_key[32], uint8_t secret_key[64], const uint8_t seed[32]);

static rig card;
static acd_card_ports plain;

int __wrap_acd_equal(const void *a, const void *b, size_t len)
{
    int equal = __real_acd_equal(a, b, len);
    (void)VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof equal);
    return equal;
}

void __wrap_acd_ed25519_sign(uint8_t signature[64], const void *message, size_t len,
                             const uint8_t secret_key[64])
{
    __real_acd_ed25519_sign(signature, message, len, secret_key);
    (void)VALGRIND_MAKE_MEM_DEFINED(signature, 64);
}

void __wrap_acd_key_from_seed(uint8_t public_key[32], uint8_t secret_key[64], const uint8_t seed[32])
{
    __real_acd_key_from_seed(public_key, secret_key, seed);
    (void)VALGRIND_MAKE_MEM_DEFINED(public_key, 32);
    (void)VALGRIND_MAKE_MEM_DEFINED(secret_key + 32, 32);
}

static int secret_random(void *state, void *out, size_t len)
{
    const int failed = plain.random(state, out, len);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, len);
    return failed;
}

/* MARK: Commands with secrets in them */

static uint16_t secret_command(uint8_t ins, uint8_t reference, const uint8_t *first, const uint8_t *second)
{
    uint8_t data[2 * ACD_CARD_PIN_SIZE];
    uint8_t apdu[5 + sizeof data] = {0, ins, 0, reference, second == NULL ? 12 : 24};
    uint8_t out[ACD_CARD_RESPONSE_MIN];
    size_t out_len = 0;
    memcpy(data, first, ACD_CARD_PIN_SIZE);
    if (second != NULL) {
        memcpy(data + ACD_CARD_PIN_SIZE, second, ACD_CARD_PIN_SIZE);
    }
    memcpy(apdu + 5, data, apdu[4]);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(apdu + 5, apdu[4]);
    CHECK_STATUS(ACD_OK, acd_card_apdu(&card.card, out, sizeof out, &out_len, apdu, 5u + apdu[4]));
    CHECK(out_len == 2);
    return (uint16_t)(out[0] << 8 | out[1]);
}

static void power(void)
{
    acd_card_ports ports = plain;
    ports.random = secret_random;
    CHECK_STATUS(ACD_OK, acd_card_init(&card.card, &ports, card.workspace, sizeof card.workspace));
    CHECK(rig_select(&card) == 0x9000);
}

static void make_key(uint8_t kind, uint8_t public_key[32])
{
    CHECK(rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256) == 0x9000);
    memcpy(public_key, card.out + 4, 32);
}

/* As a power cut may: the area that is not the log still holds an old one's records, without a header. */
static void leave_old_secrets(void)
{
    const uint32_t size = (card.storage.page_count - 2) / 2 * card.storage.page_size;
    const uint32_t first = 2 * card.storage.page_size;
    const uint32_t other = card.card.log_at == first ? first + size : first;
    memcpy(card.storage.bytes + other + 20, card.storage.bytes + card.card.log_at + 20, size - 20);
}

static void a_whole_life(void)
{
    uint8_t keys[1][32];
    uint8_t pseudonym[32];
    sample receipt;
    sample d1;
    const rig_sale sale = rig_sale_good();
    rig_new_of(&card, 128, 40);
    plain = rig_ports(&card);
    power();
    CHECK(secret_command(0x24, 0x81, rig_default_pin, rig_default_pin) == 0x6a80);
    CHECK(secret_command(0x24, 0x81, rig_wrong_pin, rig_counter_pin) == 0x63c2);
    CHECK(secret_command(0x24, 0x81, rig_default_pin, rig_counter_pin) == 0x9000);
    CHECK(secret_command(0x24, 0x82, rig_default_pin, rig_payment_pin) == 0x9000);
    CHECK(secret_command(0x24, 0x83, rig_default_puk, rig_puk) == 0x9000);
    CHECK(secret_command(0x20, 0x82, rig_wrong_pin, NULL) == 0x63c2);
    CHECK(secret_command(0x20, 0x82, rig_payment_pin, NULL) == 0x9000);
    make_key(ACD_CARD_TOKEN_KEY, keys[0]);
    make_key(ACD_CARD_PSEUDONYM, pseudonym);
    CHECK(rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0) == 0x9000);
    sample payment = rig_payment(ACD_P2, 1, 2, 300, (const uint8_t (*)[32])keys, 1);
    CHECK(rig_sign(&card, rig_structure(ACD_P2, payment, keys[0])) == 0x9000);
    CHECK(rig_use_key(&card, ACD_CARD_PSEUDONYM, 0) == 0x9000);
    CHECK(rig_sign(&card, rig_structure(ACD_SP1, rig_acknowledgement(ACD_SP1, 1, 2), pseudonym)) == 0x9000);
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    CHECK(rig_store(&card, 0, 0, receipt) == 0x9000);
    leave_old_secrets();
    power(); /* reads records with secrets, and finds that not all is erased that has to be */
    CHECK(secret_command(0x2c, 0x81, rig_wrong_pin, rig_counter_pin) == 0x63c9);
    CHECK(secret_command(0x2c, 0x81, rig_puk, rig_counter_pin) == 0x9000);
    CHECK(secret_command(0x20, 0x81, rig_counter_pin, NULL) == 0x9000);
    CHECK(rig_command(&card, 0x88, 0, 0, d1.bytes, d1.len, 256) == 0x9000);
    for (int i = 0; i < 40; i++) { /* until the log has moved, secrets and all */
        CHECK(secret_command(0x24, 0x82, rig_payment_pin, rig_payment_pin) == 0x9000);
    }
    CHECK(card.card.log_generation > 1);
    CHECK(secret_command(0x20, 0x82, rig_payment_pin, NULL) == 0x9000);
    CHECK(rig_command(&card, 0xe6, 0, 0, NULL, 0, -1) == 0x9000);
    power();
}

/* The checker has to see a branch that is there, else its silence says nothing. */
static void the_checker_sees_what_it_is_to_see(void)
{
    volatile uint8_t secret = 1;
    volatile uint8_t seen = 0;
    const unsigned long before = (unsigned long)VALGRIND_COUNT_ERRORS;
    (void)VALGRIND_MAKE_MEM_UNDEFINED((void *)(uintptr_t)&secret, 1);
    if (secret == 1) {
        seen = 1;
    }
    CHECK(seen == 1 || seen == 0);
    CHECK((unsigned long)VALGRIND_COUNT_ERRORS == before + 1);
}

static void no_branch_and_no_index_depends_on_a_secret(void)
{
    const unsigned long before = (unsigned long)VALGRIND_COUNT_ERRORS;
    a_whole_life();
    CHECK((unsigned long)VALGRIND_COUNT_ERRORS == before);
}

int main(int argc, char **argv)
{
    (void)argc;
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    if (!RUNNING_ON_VALGRIND) {
        execlp("valgrind", "valgrind", "--quiet", "--error-exitcode=0", argv[0], (char *)NULL);
        fprintf(stderr,
                "SKIPPED: valgrind is not there, so nothing shows that no branch depends on a secret\n");
        return EXIT_SKIP;
    }
    RUN(the_checker_sees_what_it_is_to_see);
    RUN(no_branch_and_no_index_depends_on_a_secret);
    return TEST_RESULT();
}
