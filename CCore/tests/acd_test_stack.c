/* acd_test_stack.c: how much stack the core needs beyond libsodium. A thread runs on memory that was painted
 * before; what is no longer painted was used. Meaningful only without sanitizers and coverage: CMake leaves
 * it out there. */
#include <pthread.h>
#include <stdlib.h>
#include "acd_card_rig.h"
#include "acd_test.h"

#define STACK_SIZE (256u * 1024u)
#define PAINT 0xa5

static sample receipt;
static sample trust;
static sample large_map;
static uint8_t scratch[ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX];
static uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
static uint8_t secret_key[ACD_SECRET_KEY_SIZE];
static uint8_t signature[ACD_SIGNATURE_SIZE];
static acd_status result;

static void *run_nothing(void *unused)
{
    return unused;
}

/* The deepest of libsodium's functions that the verifier calls. */
static void *run_libsodium(void *unused)
{
    result = acd_ed25519_verify(signature, "m", 1, public_key);
    result = result == ACD_OK ? acd_public_key_check(public_key) : result;
    acd_sha256(scratch, "m", 1);
    return unused;
}

static void *run_receipt(void *unused)
{
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    result = acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes, trust.len, NULL,
                                SAMPLE_NOW, scratch, sizeof scratch);
    return unused;
}

static void *run_map(void *unused)
{
    acd_value values[ACD_FIELDS_MAX];
    result = acd_map_decode(values, ACD_FIELDS_MAX, ACD_X1, large_map.bytes, large_map.len);
    return unused;
}

static rig card;
static uint8_t keys[1][32];
static sample card_receipt;
static sample card_d1;
static sample card_payment;

/* The card's longest commands: a payment, a receipt stored, D2. */
static void *run_card(void *unused)
{
    result = rig_sign(&card, card_payment) == 0x9000 && rig_store(&card, 0, 0, card_receipt) == 0x9000 &&
                     rig_command(&card, 0x88, 0, 0, card_d1.bytes, card_d1.len, 256) == 0x9000
                 ? ACD_OK
                 : ACD_ERR_MISMATCH;
    return unused;
}

/* What the rig itself needs, with a command that is refused at once. */
static void *run_rig(void *unused)
{
    (void)rig_command(&card, 0x01, 0, 0, card_d1.bytes, card_d1.len, 256);
    return unused;
}

static void make_card(void)
{
    uint8_t pseudonym[32];
    const rig_sale sale = rig_sale_good();
    rig_new(&card);
    rig_personalise(&card, keys[0], pseudonym);
    rig_sale_build(&sale, pseudonym, &card_receipt, &card_d1);
    card_payment =
        rig_structure(ACD_P2, rig_payment(ACD_P2, 1, 2, 3, (const uint8_t (*)[32])keys, 1), keys[0]);
    CHECK(rig_verify(&card, 0x81, rig_counter_pin) == 0x9000);
    CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    CHECK(rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0) == 0x9000);
}

static size_t stack_of(void *(*run)(void *))
{
    pthread_t thread;
    pthread_attr_t attributes;
    uint8_t *stack = aligned_alloc(4096, STACK_SIZE);
    size_t unused = 0;
    memset(stack, PAINT, STACK_SIZE);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK_SIZE) == 0);
    CHECK(pthread_create(&thread, &attributes, run, NULL) == 0 && pthread_join(thread, NULL) == 0);
    while (unused < STACK_SIZE && stack[unused] == PAINT) {
        unused++;
    }
    pthread_attr_destroy(&attributes);
    free(stack);
    return STACK_SIZE - unused;
}

static void the_card_needs_little_stack(void)
{
    make_card();
    size_t libsodium = stack_of(run_libsodium) - stack_of(run_nothing);
    size_t around = stack_of(run_rig);
    size_t whole = stack_of(run_card);
    CHECK_STATUS(ACD_OK, result);
    CHECK(whole > around);
    printf("stack: a card's longest commands %zu, libsodium's verify included\n", whole - around);
    CHECK(whole - around <= libsodium + 4096);
}

static void the_verifier_needs_little_stack(void)
{
    size_t nothing = stack_of(run_nothing);
    size_t libsodium = stack_of(run_libsodium);
    CHECK_STATUS(ACD_OK, result);
    size_t verify = stack_of(run_receipt);
    CHECK_STATUS(ACD_OK, result);
    size_t decode = stack_of(run_map);
    CHECK_STATUS(ACD_OK, result);
    printf("stack: thread %zu, libsodium's verify %zu more, receipt verifier %zu beyond that, map decoder "
           "%zu in all\n",
           nothing, libsodium - nothing, verify - libsodium, decode - nothing);
    CHECK(verify - libsodium <= 4096);
    CHECK(decode - nothing <= 4096);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    large_map = sample_map(ACD_X1, SAMPLE_LARGE);
    sample_key(public_key, secret_key, 5);
    acd_ed25519_sign(signature, "m", 1, secret_key);
    RUN(the_verifier_needs_little_stack);
    RUN(the_card_needs_little_stack);
    return TEST_RESULT();
}
