/* acd_test_secret.c: the core's own code neither branches on a secret nor uses one as an index. Secrets are
 * marked as undefined memory, and valgrind's memory checker reports what depends on them (Langley, ctgrind).
 *
 * Verdicts are public, whatever they were computed from: whether a tag, a commitment or a signature holds.
 * The functions of libsodium that give them are wrapped (CMakeLists.txt), and what they return is marked as
 * defined. Reports from within libsodium are not ours (acd_test_secret.supp).
 *
 * Without valgrind the program fails: CTest runs it under it, or skips and says so. */
#include <sodium.h>
#include <valgrind/memcheck.h>
#include "acd_sample.h"
#include "acd_test.h"

#define GOODS_LENGTH (2u * ACD_GOODS_CHUNK_SIZE + 100u)

static unsigned long long reported_before;

static void hide(void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

static void show(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
}

/* Bytes that are `first`, `first` + 1, ..., and secret. */
static void secret_bytes(uint8_t *out, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(first + i);
    }
    hide(out, len);
}

/* The reports since the last call. Printed by valgrind, with where they are. */
static unsigned long long reports(void)
{
    const unsigned long long all = VALGRIND_COUNT_ERRORS;
    const unsigned long long since = all - reported_before;
    reported_before = all;
    return since;
}

/* MARK: Verdicts */

/* VERDICT(function, (parameters), (arguments)): the linker gives the core's calls of it to
 * __wrap_function. */
#define VERDICT(function, parameters, arguments) \
    int __real_##function parameters; \
    int __wrap_##function parameters; \
    int __wrap_##function parameters \
    { \
        const int verdict = __real_##function arguments; \
        show(&verdict, sizeof verdict); \
        return verdict; \
    }

typedef unsigned char byte;
typedef unsigned long long length;

VERDICT(sodium_memcmp, (const void *a, const void *b, size_t len), (a, b, len))
VERDICT(crypto_sign_verify_detached,
        (const byte *signature, const byte *message, length len, const byte *key),
        (signature, message, len, key))
VERDICT(crypto_aead_xchacha20poly1305_ietf_decrypt_detached,
        (byte *out, byte *none, const byte *in, length len, const byte *tag, const byte *ad, length ad_len,
         const byte *nonce, const byte *key),
        (out, none, in, len, tag, ad, ad_len, nonce, key))
VERDICT(crypto_aead_chacha20poly1305_ietf_decrypt_detached,
        (byte *out, byte *none, const byte *in, length len, const byte *tag, const byte *ad, length ad_len,
         const byte *nonce, const byte *key),
        (out, none, in, len, tag, ad, ad_len, nonce, key))
VERDICT(crypto_box_curve25519xchacha20poly1305_open_easy,
        (byte *out, const byte *in, length len, const byte *nonce, const byte *from, const byte *key),
        (out, in, len, nonce, from, key))
VERDICT(crypto_box_curve25519xchacha20poly1305_seal_open,
        (byte *out, const byte *in, length len, const byte *to, const byte *key), (out, in, len, to, key))

/* MARK: That reports come at all */

static volatile int sink;

static void a_branch_and_an_index_on_a_secret_are_reported(void)
{
    static const uint8_t table[256] = {1};
    uint8_t secret[2];
    CHECK(reports() == 0);
    secret_bytes(secret, sizeof secret, 3);
    if (*(volatile uint8_t *)&secret[0] == 7) {
        sink = 1;
    }
    CHECK(reports() == 1);
    sink = table[*(volatile uint8_t *)&secret[1]];
    CHECK(reports() == 1);
    fputs("acd_test_secret: the two reports above are wanted, further ones are not\n", stderr);
}

/* MARK: Signing */

static void signing_a_message_shows_nothing_of_the_key(void)
{
    uint8_t seed[ACD_SEED_SIZE];
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    sample payload = sample_map(ACD_P4, SAMPLE_LARGE);
    const size_t cap = payload.len + ACD_SIGN1_OVERHEAD;
    uint8_t *buffer = sample_alloc(cap);
    size_t offset = 0;
    size_t len = 0;
    secret_bytes(seed, sizeof seed, 1);
    acd_key_from_seed(public_key, secret_key, seed);
    memcpy(buffer + ACD_SIGN1_HEADROOM, payload.bytes, payload.len);
    hide(buffer + ACD_SIGN1_HEADROOM, payload.len); /* P4 is secret before it is sealed */
    CHECK_STATUS(ACD_OK,
                 acd_sign1_sign_in_place(buffer, cap, &offset, &len, payload.len, ACD_P4, secret_key));
    CHECK(reports() == 0);
    acd_sign1 parsed;
    show(buffer, cap);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&parsed, buffer + offset, len));
    const size_t scratch = len + ACD_SIGN1_PREFIX;
    CHECK_STATUS(ACD_OK, acd_sign1_verify(&parsed, sample_alloc(scratch), scratch));
}

/* MARK: Goods */

static uint8_t goods[GOODS_LENGTH];
static uint8_t sealed[GOODS_LENGTH + 4096u];
static uint8_t opened[GOODS_LENGTH];
static acd_goods_stream stream;
static const uint8_t context[ACD_GOODS_CONTEXT_SIZE] = {4, 5, 6};
static const uint8_t salt[ACD_GOODS_SALT_SIZE] = {7, 8, 9};

static void sealing_and_opening_goods_shows_nothing_of_key_or_goods(void)
{
    uint8_t k[ACD_GOODS_KEY_SIZE];
    uint8_t root[ACD_HASH_SIZE];
    size_t first = 0;
    size_t rest = 0;
    uint64_t total = 0;
    secret_bytes(k, sizeof k, 2);
    secret_bytes(goods, sizeof goods, 3);
    CHECK_STATUS(ACD_OK, acd_goods_seal_init(&stream, acd_engine_sodium, k, context, salt));
    CHECK_STATUS(ACD_OK, acd_goods_seal_update(&stream, sealed, sizeof sealed, &first, goods, sizeof goods));
    CHECK_STATUS(ACD_OK, acd_goods_seal_finish(&stream, sealed + first, sizeof sealed - first, &rest, root,
                                               &total));
    CHECK(reports() == 0 && total == first + rest);
    show(sealed, sizeof sealed); /* now it is sent, and so is its root */
    show(root, sizeof root);
    const size_t sealed_len = first + rest;
    CHECK_STATUS(ACD_OK, acd_goods_open_init(&stream, acd_engine_sodium, k, context));
    CHECK_STATUS(ACD_OK, acd_goods_open_update(&stream, opened, sizeof opened, &first, sealed, sealed_len));
    CHECK_STATUS(ACD_OK, acd_goods_open_finish(&stream, opened + first, sizeof opened - first, &rest, root,
                                               total));
    CHECK(reports() == 0 && first + rest == sizeof goods);
    uint8_t hidden_bits = 0;
    CHECK(VALGRIND_GET_VBITS(opened, &hidden_bits, 1) == 1 && hidden_bits == 0xff); /* still followed */
    show(goods, sizeof goods);
    show(opened, sizeof opened);
    CHECK_BYTES(opened, goods, sizeof goods);
}

static void runs_of_chunks_show_nothing_of_key_or_goods(void)
{
    static uint8_t room[ACD_GOODS_RUN_ROOM(3)];
    uint8_t leaves[3 * ACD_HASH_SIZE];
    uint8_t k[ACD_GOODS_KEY_SIZE];
    acd_goods_keys keys;
    secret_bytes(k, sizeof k, 2);
    secret_bytes(goods, sizeof goods, 3);
    CHECK_STATUS(ACD_OK, acd_goods_keys_init(&keys, k, context, salt));
    CHECK_STATUS(ACD_OK,
                 acd_goods_seal_run(&keys, acd_engine_sodium, room, goods, sizeof goods, 3, 0, leaves));
    show(room, sizeof room);
    show(leaves, sizeof leaves);
    show(keys.header, sizeof keys.header);
    CHECK_STATUS(ACD_OK, acd_goods_keys_open(&keys, k, context, keys.header));
    CHECK_STATUS(ACD_OK, acd_goods_open_run(&keys, acd_engine_sodium, opened, room, sizeof goods + 48u, 3, 0,
                                            leaves));
    CHECK(reports() == 0);
}

/* MARK: Sealed messages */

static uint8_t box[4096];
static uint8_t plain[4096];

/* P4 as the merchant seals it, in `box`; *k_at is where its key stands in the plaintext. */
static size_t seal_p4(const uint8_t recipient[32], size_t *k_at)
{
    uint8_t seed[32];
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, ACD_P4, SAMPLE_SMALL);
    uint8_t *k = sample_alloc(ACD_HASH_SIZE);
    memset(k, 0x42, ACD_HASH_SIZE);
    values[sample_index(ACD_P4, ACD_KEY_X)] = sample_bytes(k, ACD_HASH_SIZE);
    sample p4 = sample_sign(ACD_P4, sample_encode(ACD_P4, values), 2);
    *k_at = 0;
    while (memcmp(p4.bytes + *k_at, k, ACD_HASH_SIZE) != 0) {
        (*k_at)++;
    }
    CHECK(p4.len + ACD_SEALED_OVERHEAD <= sizeof box);
    secret_bytes(seed, sizeof seed, 5);
    hide(p4.bytes, p4.len);
    CHECK_STATUS(ACD_OK, acd_box_seal(box, p4.bytes, p4.len, recipient, seed));
    CHECK(reports() == 0);
    show(box, sizeof box);
    /* A judge opens it with the sender's seed. */
    CHECK_STATUS(ACD_OK, acd_box_reopen(plain, box, p4.len + ACD_SEALED_OVERHEAD, recipient, seed));
    CHECK(reports() == 0);
    return p4.len;
}

static void opening_p4_shows_nothing_of_the_archives_key_or_the_goods_key(void)
{
    uint8_t seed[32];
    uint8_t public_key[32];
    uint8_t secret_key[32];
    size_t k_at = 0;
    secret_bytes(seed, sizeof seed, 6);
    acd_box_key_from_seed(public_key, secret_key, seed);
    show(public_key, sizeof public_key);
    const size_t len = seal_p4(public_key, &k_at);
    CHECK_STATUS(ACD_OK, acd_box_open(plain, box, len + ACD_SEALED_OVERHEAD, public_key, secret_key));
    CHECK(reports() == 0);
    /* The form of P4 is public; its key is not before the archive publishes it. */
    show(plain, k_at);
    show(plain + k_at + ACD_HASH_SIZE, sizeof plain - k_at - ACD_HASH_SIZE);
    acd_sign1 p4;
    acd_value values[ACD_FIELDS_MAX];
    uint8_t hx[ACD_HASH_SIZE];
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&p4, plain, len));
    CHECK_STATUS(ACD_OK, acd_sign1_verify(&p4, sample_alloc(len + ACD_SIGN1_PREFIX), len + ACD_SIGN1_PREFIX));
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P4, p4.payload, p4.payload_len));
    const acd_value *k = &values[sample_index(ACD_P4, ACD_KEY_X)];
    CHECK(k->bytes == plain + k_at);
    acd_key_commitment(hx, ACD_MODE_CORE, p4.key_id, values[sample_index(ACD_P4, ACD_KEY_N)].bytes, k->bytes);
    CHECK(acd_equal(hx, hx, sizeof hx));
    CHECK(reports() == 0);
}

/* MARK: Small things */

static void comparing_wiping_hashing_and_bulk_encryption_show_nothing(void)
{
    uint8_t secret[64];
    uint8_t hash[ACD_HASH_SIZE];
    uint8_t text[64 + ACD_AEAD_TAG_SIZE];
    const uint8_t nonce[ACD_AEAD_NONCE_SIZE] = {1};
    secret_bytes(secret, sizeof secret, 9);
    acd_token_message(hash, secret + 32, secret);
    acd_aead_seal(text, secret, sizeof secret, nonce, secret);
    show(text, sizeof text);
    CHECK_STATUS(ACD_OK, acd_aead_open(text, text, sizeof text, nonce, secret));
    CHECK(acd_equal(text, secret, sizeof secret));
    acd_wipe(secret, sizeof secret);
    CHECK(reports() == 0);
}

int main(void)
{
    if (!RUNNING_ON_VALGRIND) {
        fputs("acd_test_secret: run it under valgrind, as CTest does\n", stderr);
        return 1;
    }
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(a_branch_and_an_index_on_a_secret_are_reported);
    RUN(signing_a_message_shows_nothing_of_the_key);
    RUN(sealing_and_opening_goods_shows_nothing_of_key_or_goods);
    RUN(runs_of_chunks_show_nothing_of_key_or_goods);
    RUN(opening_p4_shows_nothing_of_the_archives_key_or_the_goods_key);
    RUN(comparing_wiping_hashing_and_bulk_encryption_show_nothing);
    return TEST_RESULT();
}
