/* acd_test_stack.c: how much stack the core needs beyond libsodium. A thread runs on memory that was painted
 * before; what is no longer painted was used. Meaningful only without sanitizers and coverage: CMake leaves
 * it out there. */
#include <pthread.h>
#include <stdlib.h>
#include "acd_sample.h"
#include "acd_sample_log.h"
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

static char proof_text[32768];
static uint8_t packed[ACD_PROOF_SIZE_MAX];
static size_t packed_len;
static uint8_t leaf_hash[ACD_HASH_SIZE];
static acd_policy policy;

/* Both forms, the packed one in its own right. */
static void *run_text_proof(void *unused)
{
    acd_proof_facts facts;
    result = acd_proof_verify(&facts, proof_text, strlen(proof_text), leaf_hash, &policy);
    return unused;
}

static void *run_packed_proof(void *unused)
{
    acd_proof_facts facts;
    result = acd_proof_verify(&facts, packed, packed_len, leaf_hash, &policy);
    return unused;
}

static void *run_policy(void *unused)
{
    result = acd_policy_read(&policy, policy.text, strlen(policy.text));
    return unused;
}

static void make_proof(void)
{
    static char policy_text[32768];
    static const uint64_t times[3] = {1, 2, 3};
    sample_proof proof = {.index = 777777,
                          .size = UINT64_C(1) << 20,
                          .times = times,
                          .cosignatures = 3,
                          .log_seed = SAMPLE_LOG_SEED,
                          .origin = SAMPLE_ORIGIN};
    sample_policy_text(policy_text, 3, 3);
    CHECK_STATUS(ACD_OK, acd_policy_read(&policy, policy_text, strlen(policy_text)));
    sample_proof_text(proof_text, &proof, leaf_hash);
    CHECK_STATUS(ACD_OK, acd_proof_pack(packed, sizeof packed, &packed_len, proof_text, strlen(proof_text)));
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

static void a_proof_of_a_log_needs_little_stack(void)
{
    size_t libsodium = stack_of(run_libsodium);
    size_t text = stack_of(run_text_proof);
    CHECK_STATUS(ACD_OK, result);
    size_t from_packed = stack_of(run_packed_proof);
    CHECK_STATUS(ACD_OK, result);
    size_t read = stack_of(run_policy);
    CHECK_STATUS(ACD_OK, result);
    printf("stack beyond libsodium's verify: tlog-proof %zd, packed %zd, policy %zd\n",
           (ssize_t)text - (ssize_t)libsodium, (ssize_t)from_packed - (ssize_t)libsodium,
           (ssize_t)read - (ssize_t)libsodium);
    CHECK(text <= libsodium + 4096 && from_packed <= libsodium + 4096 && read <= libsodium + 4096);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    large_map = sample_map(ACD_X1, SAMPLE_LARGE);
    sample_key(public_key, secret_key, 5);
    acd_ed25519_sign(signature, "m", 1, secret_key);
    make_proof();
    RUN(the_verifier_needs_little_stack);
    RUN(a_proof_of_a_log_needs_little_stack);
    return TEST_RESULT();
}
