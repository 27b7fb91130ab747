/* acd_test_stack.c: how much stack the core needs beyond libsodium. What is measured runs on memory that was
 * painted before (acd_painted.h). Meaningful only without sanitizers and coverage: CMake leaves it out
 * there. */
#include <sodium.h>
#include "acd_card_rig.h"
#include "acd_painted.h"
#include "acd_sample_log.h"
#include "acd_test.h"

#define STACK_MAX 4096u

static sample receipt;
static sample trust;
static sample logged_receipt;
static sample logged_trust;
static sample large_map;
static sample payload;
static uint8_t scratch[ACD_TRUST_SIZE_MAX + ACD_SIGN1_PREFIX];
static uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
static uint8_t secret_key[ACD_SECRET_KEY_SIZE];
static uint8_t box_public[32];
static uint8_t box_secret[32];
static uint8_t signature[ACD_SIGNATURE_SIZE];
static uint8_t box[1024 + ACD_SEALED_OVERHEAD];
static uint8_t plain[1024];
static uint8_t goods[ACD_GOODS_CHUNK_SIZE];
static uint8_t sealed[2u * ACD_GOODS_SEALED_CHUNK_SIZE];
static acd_goods_stream stream;
static acd_status result;

/* The status for what a function of libsodium returned. */
static acd_status status_of(int failed)
{
    return failed == 0 ? ACD_OK : ACD_ERR_AUTHENTICATION;
}

static void nothing(void)
{
}

/* MARK: The verifier, and the deepest of libsodium's functions that it calls */

static void libsodium_verify(void)
{
    result = status_of(crypto_sign_verify_detached(signature, (const uint8_t *)"m", 1, public_key) != 0 ||
                       crypto_core_ed25519_is_valid_point(public_key) != 1);
    crypto_hash_sha256(scratch, (const uint8_t *)"m", 1);
}

static void verify_receipt(void)
{
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    result = acd_receipt_verify(&facts, &failed, receipt.bytes, receipt.len, trust.bytes, trust.len, NULL,
                                SAMPLE_NOW, scratch, sizeof scratch);
}

/* With a proof of the log. */
static void verify_logged_receipt(void)
{
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    result = acd_receipt_verify(&facts, &failed, logged_receipt.bytes, logged_receipt.len, logged_trust.bytes,
                                logged_trust.len, NULL, SAMPLE_NOW, scratch, sizeof scratch);
}

/* MARK: Other work */

static void decode_map(void)
{
    acd_value values[ACD_FIELDS_MAX];
    result = acd_map_decode(values, ACD_FIELDS_MAX, ACD_X1, large_map.bytes, large_map.len);
}

/* MARK: A proof of a log */

static char proof_text[32768];
static uint8_t packed[ACD_PROOF_SIZE_MAX];
static size_t packed_len;
static uint8_t leaf_hash[ACD_HASH_SIZE];
static acd_policy policy;

static void verify_text_proof(void)
{
    acd_proof_facts facts;
    result = acd_proof_verify(&facts, proof_text, strlen(proof_text), leaf_hash, &policy);
}

static void verify_packed_proof(void)
{
    acd_proof_facts facts;
    result = acd_proof_verify(&facts, packed, packed_len, leaf_hash, &policy);
}

static void read_policy(void)
{
    result = acd_policy_read(&policy, policy.text, strlen(policy.text));
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

/* MARK: Other work, signed and sealed */

static void libsodium_sign(void)
{
    result = status_of(crypto_sign_detached(signature, NULL, payload.bytes, payload.len, secret_key));
}

static void sign_message(void)
{
    size_t offset = 0;
    size_t len = 0;
    memcpy(scratch + ACD_SIGN1_HEADROOM, payload.bytes, payload.len);
    result = acd_sign1_sign_in_place(scratch, sizeof scratch, &offset, &len, payload.len, ACD_P4, secret_key);
}

static void libsodium_seal(void)
{
    crypto_auth_hmacsha256(scratch, goods, 32, goods);
    crypto_core_hchacha20(scratch, goods, goods, NULL);
    crypto_hash_sha256(scratch, goods, sizeof goods);
    result = status_of(crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, goods, sizeof goods, NULL, 0,
                                                                 NULL, goods, goods));
}

static void seal_goods(void)
{
    uint8_t root[ACD_HASH_SIZE];
    uint64_t total = 0;
    size_t len = 0;
    result = acd_goods_seal_init(&stream, acd_engine_sodium, goods, goods, goods);
    if (result == ACD_OK) {
        result = acd_goods_seal_update(&stream, sealed, sizeof sealed, &len, goods, sizeof goods);
    }
    if (result == ACD_OK) {
        result = acd_goods_seal_finish(&stream, sealed + len, sizeof sealed - len, &len, root, &total);
    }
}

static void libsodium_open(void)
{
    result = status_of(crypto_box_curve25519xchacha20poly1305_seal_open(
        plain, box, payload.len + ACD_SEALED_OVERHEAD, box_public, box_secret));
}

static void open_sealed(void)
{
    acd_value values[ACD_FIELDS_MAX];
    result = acd_box_open(plain, box, payload.len + ACD_SEALED_OVERHEAD, box_public, box_secret);
    if (result == ACD_OK) {
        result = acd_map_decode(values, ACD_FIELDS_MAX, ACD_P4, plain, payload.len);
    }
}

/* MARK: The card */

static rig card;
static uint8_t tape[16384];

/* The card's longest commands, on a tape: a PIN, a payment, a receipt stored, a PIN, D2. */
static void record_card(void)
{
    uint8_t key[1][ACD_PUBLIC_KEY_SIZE];
    uint8_t pseudonym[ACD_PUBLIC_KEY_SIZE];
    sample held;
    sample d1;
    const rig_sale sale = rig_sale_good();
    rig_new(&card);
    rig_personalise(&card, key[0], pseudonym);
    rig_sale_build(&sale, pseudonym, &held, &d1);
    const sample payment = rig_payment(ACD_P2, 1, 2, 3, (const uint8_t (*)[ACD_PUBLIC_KEY_SIZE])key, 1);
    card.tape = tape;
    card.tape_cap = sizeof tape;
    CHECK(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    CHECK(rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0) == 0x9000);
    CHECK(rig_sign(&card, rig_structure(ACD_P2, payment, key[0])) == 0x9000);
    CHECK(rig_store(&card, 0, 0, held) == 0x9000);
    CHECK(rig_verify(&card, 0x81, rig_counter_pin) == 0x9000);
    CHECK(rig_command(&card, 0x88, 0, 0, d1.bytes, d1.len, 256) == 0x9000);
    card.tape = NULL;
}

static void libsodium_card(void)
{
    libsodium_verify();
    crypto_sign_seed_keypair(plain, plain + ACD_PUBLIC_KEY_SIZE, plain);
    result = status_of(crypto_sign_detached(plain, NULL, plain, 1, secret_key));
}

static void play_card(void)
{
    result = ACD_OK;
    for (size_t at = 0; at < card.tape_len && result == ACD_OK;) {
        const size_t len = (size_t)tape[at] << 8 | tape[at + 1];
        size_t out_len = 0;
        result = acd_card_apdu(&card.card, card.out, sizeof card.out, &out_len, tape + at + 2, len);
        if (result == ACD_OK && (out_len < 2 || card.out[out_len - 2] != 0x90)) {
            result = ACD_ERR_MISMATCH;
        }
        at += 2 + len;
    }
}

/* MARK: The measurement */

static void check_stack(const char *what, void (*libsodium)(void), void (*core)(void))
{
    libsodium(); /* once before: the first call of a shared library's function looks it up */
    core();
    const size_t thread = acd_painted_stack_of(nothing);
    const size_t theirs = acd_painted_stack_of(libsodium);
    result = ACD_ERR_MISUSE;
    const size_t ours = acd_painted_stack_of(core);
    CHECK_STATUS(ACD_OK, result);
    const size_t beyond = ours > theirs ? ours - theirs : 0; /* a last call may take no stack of its own */
    CHECK(theirs >= thread && ours > thread && beyond <= STACK_MAX);
    /* Without %zu, which not every device's library has. */
    printf("stack: %s: libsodium %u, beyond it %u\n", what, (unsigned)(theirs - thread),
           (unsigned)beyond);
}

static void nothing_needs_much_stack(void)
{
    check_stack("verify a receipt", libsodium_verify, verify_receipt);
    check_stack("verify one with a log's proof", libsodium_verify, verify_logged_receipt);
    check_stack("decode a large map", nothing, decode_map);
    check_stack("sign a message", libsodium_sign, sign_message);
    check_stack("seal goods", libsodium_seal, seal_goods);
    check_stack("open P4", libsodium_open, open_sealed);
    check_stack("verify a log's proof", libsodium_verify, verify_text_proof);
    check_stack("verify it packed", libsodium_verify, verify_packed_proof);
    check_stack("read a policy", libsodium_verify, read_policy);
    record_card();
    check_stack("the card's commands", libsodium_card, play_card);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_sale sale = sample_sale_good();
    sample_sale_build(&sale, &receipt, &trust);
    sale.has_policy = sale.has_proof = sale.is_packed = 1;
    sample_sale_build(&sale, &logged_receipt, &logged_trust);
    large_map = sample_map(ACD_X1, SAMPLE_LARGE);
    payload = sample_map(ACD_P4, SAMPLE_LARGE);
    sample_key(public_key, secret_key, 5);
    acd_ed25519_sign(signature, "m", 1, secret_key);
    acd_box_key_from_seed(box_public, box_secret, goods);
    CHECK_STATUS(ACD_OK, acd_box_seal(box, payload.bytes, payload.len, box_public, goods));
    make_proof();
    RUN(nothing_needs_much_stack);
    return TEST_RESULT();
}
