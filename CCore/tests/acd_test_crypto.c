/* acd_test_crypto.c: the crypto boundary against published values and against libsodium's own functions.
 * Source: FIPS 180-2, RFC 5869 A.1, RFC 8032 7.1, libsodium. */
#include <sodium.h>
#include "acd_sample.h"
#include "acd_test.h"

static void sha256_gives_the_published_values(void)
{
    uint8_t out[ACD_HASH_SIZE];
    sample empty = sample_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sample abc = sample_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    acd_sha256(out, NULL, 0);
    CHECK_BYTES(out, empty.bytes, sizeof out);
    acd_sha256(out, "abc", 3);
    CHECK_BYTES(out, abc.bytes, sizeof out);
    const acd_hash_part parts[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
    acd_sha256_parts(out, parts, 3);
    CHECK_BYTES(out, abc.bytes, sizeof out);
    memset(out, 0, sizeof out);
    CHECK(acd_hash_sodium.digest(acd_hash_sodium.state, out, parts, 3) == 0);
    CHECK_BYTES(out, abc.bytes, sizeof out);
}

static void hkdf_expand_gives_the_rfc_5869_values(void)
{
    sample prk = sample_hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    sample info = sample_hex("f0f1f2f3f4f5f6f7f8f9");
    sample okm =
        sample_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    uint8_t out[255 * 32 + 1];
    const acd_hash_part parts[] = {{info.bytes, 4}, {info.bytes + 4, info.len - 4}};
    CHECK_STATUS(ACD_OK, acd_hkdf_expand(out, okm.len, prk.bytes, parts, 2));
    CHECK_BYTES(out, okm.bytes, okm.len);
    CHECK_STATUS(ACD_OK, acd_hkdf_expand(out, 255 * 32, prk.bytes, parts, 2));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_hkdf_expand(out, 255 * 32 + 1, prk.bytes, parts, 2));
}

static void ed25519_gives_the_rfc_8032_values(void)
{
    sample seed = sample_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    sample key = sample_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    sample expected = sample_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                 "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t signature[ACD_SIGNATURE_SIZE];
    acd_key_from_seed(public_key, secret_key, seed.bytes);
    CHECK_BYTES(public_key, key.bytes, sizeof public_key);
    acd_ed25519_sign(signature, "\x72", 1, secret_key);
    CHECK_BYTES(signature, expected.bytes, sizeof signature);
    CHECK_STATUS(ACD_OK, acd_ed25519_verify(signature, "\x72", 1, public_key));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_ed25519_verify(signature, "\x73", 1, public_key));
    signature[40] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_ed25519_verify(signature, "\x72", 1, public_key));
}

static void keys_of_small_or_mixed_order_are_refused(void)
{
    uint8_t good[ACD_PUBLIC_KEY_SIZE];
    uint8_t mixed[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    sample order_two = sample_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    static const char *const bad[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* identity */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical: p + 1 */
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical: p + 3 */
        "0200000000000000000000000000000000000000000000000000000000000000"};
    sample_key(good, secret_key, 7);
    CHECK_STATUS(ACD_OK, acd_public_key_check(good));
    CHECK(crypto_core_ed25519_add(mixed, good, order_two.bytes) == 0);
    CHECK_STATUS(ACD_ERR_BAD_KEY, acd_public_key_check(mixed));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_STATUS(ACD_ERR_BAD_KEY, acd_public_key_check(sample_hex(bad[i]).bytes));
    }
}

static void aead_is_libsodiums_and_opens_in_place(void)
{
    uint8_t key[ACD_AEAD_KEY_SIZE];
    uint8_t nonce[ACD_AEAD_NONCE_SIZE];
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 20000};
    memset(key, 1, sizeof key);
    memset(nonce, 2, sizeof nonce);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t len = sizes[i];
        uint8_t *plain = sample_alloc(len + 1);
        uint8_t *sealed = sample_alloc(len + 16);
        uint8_t *theirs = sample_alloc(len + 16);
        memset(plain, 0x3c, len);
        acd_aead_seal(sealed, plain, len, nonce, key);
        crypto_aead_xchacha20poly1305_ietf_encrypt(theirs, NULL, plain, len, NULL, 0, NULL, nonce, key);
        CHECK_BYTES(sealed, theirs, len + 16);
        sealed[len / 2] ^= 1;
        memcpy(theirs, sealed, len + 16);
        CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_aead_open(sealed, sealed, len + 16, nonce, key));
        CHECK_BYTES(sealed, theirs, len + 16); /* nothing was written */
        sealed[len / 2] ^= 1;
        CHECK_STATUS(ACD_OK, acd_aead_open(sealed, sealed, len + 16, nonce, key));
        CHECK_BYTES(sealed, plain, len);
    }
    uint8_t out[16] = {0};
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_aead_open(out, out, 15, nonce, key));
}

static void a_sealed_box_is_the_one_of_libsodium(void)
{
    uint8_t public_key[32];
    uint8_t secret_key[32];
    uint8_t seed[32];
    uint8_t ephemeral_seed[32];
    uint8_t sealed[5 + ACD_SEALED_OVERHEAD];
    uint8_t out[5];
    memset(seed, 8, sizeof seed);
    memset(ephemeral_seed, 9, sizeof ephemeral_seed);
    acd_box_key_from_seed(public_key, secret_key, seed);
    CHECK_STATUS(ACD_OK, acd_box_seal(sealed, (const uint8_t *)"hello", 5, public_key, ephemeral_seed));
    CHECK(crypto_box_curve25519xchacha20poly1305_seal_open(out, sealed, sizeof sealed, public_key,
                                                           secret_key) == 0);
    CHECK_BYTES(out, "hello", 5);
    memset(out, 0, sizeof out);
    CHECK_STATUS(ACD_OK, acd_box_open(out, sealed, sizeof sealed, public_key, secret_key));
    CHECK_BYTES(out, "hello", 5);
    CHECK(crypto_box_curve25519xchacha20poly1305_seal(sealed, (const uint8_t *)"world", 5, public_key) == 0);
    CHECK_STATUS(ACD_OK, acd_box_open(out, sealed, sizeof sealed, public_key, secret_key));
    CHECK_BYTES(out, "world", 5);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                     acd_box_open(out, sealed, sizeof sealed, public_key, secret_key));
        sealed[i] ^= 1;
    }
    CHECK_STATUS(ACD_ERR_TRUNCATED,
                 acd_box_open(out, sealed, ACD_SEALED_OVERHEAD - 1, public_key, secret_key));
}

static void the_sender_reopens_its_box_for_a_judge(void)
{
    uint8_t public_key[32];
    uint8_t other_key[32];
    uint8_t secret_key[32];
    uint8_t seed[32];
    uint8_t sealed[5 + ACD_SEALED_OVERHEAD];
    uint8_t out[5] = {0};
    memset(seed, 10, sizeof seed);
    acd_box_key_from_seed(other_key, secret_key, seed);
    memset(seed, 8, sizeof seed);
    acd_box_key_from_seed(public_key, secret_key, seed);
    memset(seed, 9, sizeof seed);
    CHECK_STATUS(ACD_OK, acd_box_seal(sealed, (const uint8_t *)"hello", 5, public_key, seed));
    CHECK_STATUS(ACD_OK, acd_box_reopen(out, sealed, sizeof sealed, public_key, seed));
    CHECK_BYTES(out, "hello", 5);
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_box_reopen(out, sealed, sizeof sealed, other_key, seed));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_box_reopen(out, sealed, 47, public_key, seed));
    sealed[50] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_box_reopen(out, sealed, sizeof sealed, public_key, seed));
    sealed[50] ^= 1;
    seed[0] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_box_reopen(out, sealed, sizeof sealed, public_key, seed));
}

/* A box that opens under the seed's key, but shows another ephemeral key: not what acd_box_seal makes. */
static void a_box_with_a_foreign_ephemeral_key_is_not_reopened(void)
{
    uint8_t recipient[32];
    uint8_t ephemeral[32];
    uint8_t secret_key[32];
    uint8_t nonce[24];
    uint8_t seed[32];
    uint8_t both[64];
    uint8_t sealed[5 + ACD_SEALED_OVERHEAD];
    uint8_t out[5] = {0};
    memset(seed, 8, sizeof seed);
    acd_box_key_from_seed(recipient, secret_key, seed);
    memset(seed, 9, sizeof seed);
    acd_box_key_from_seed(ephemeral, secret_key, seed);
    for (unsigned foreign = 0; foreign < 2; foreign++) {
        memcpy(both, ephemeral, 32);
        memcpy(both + 32, recipient, 32);
        both[0] ^= (uint8_t)foreign;
        memcpy(sealed, both, 32);
        CHECK(crypto_generichash(nonce, sizeof nonce, both, sizeof both, NULL, 0) == 0);
        CHECK(crypto_box_curve25519xchacha20poly1305_easy(sealed + 32, (const uint8_t *)"hello", 5, nonce,
                                                          recipient, secret_key) == 0);
        CHECK_STATUS(foreign ? ACD_ERR_AUTHENTICATION : ACD_OK,
                     acd_box_reopen(out, sealed, sizeof sealed, recipient, seed));
    }
}

static void nothing_is_sealed_to_a_key_of_small_order(void)
{
    uint8_t seed[32] = {1};
    uint8_t zero[32] = {0};
    uint8_t before[5 + ACD_SEALED_OVERHEAD];
    uint8_t sealed[5 + ACD_SEALED_OVERHEAD];
    memset(sealed, 0x55, sizeof sealed);
    memcpy(before, sealed, sizeof sealed);
    CHECK_STATUS(ACD_ERR_BAD_KEY, acd_box_seal(sealed, (const uint8_t *)"hello", 5, zero, seed));
    CHECK_BYTES(sealed, before, sizeof sealed);
}

static void equality_and_wiping_do_what_they_say(void)
{
    uint8_t a[4] = {1, 2, 3, 4};
    uint8_t b[4] = {1, 2, 3, 5};
    static const uint8_t zero[4];
    CHECK(acd_equal(a, b, 3) == 1);
    CHECK(acd_equal(a, b, 4) == 0);
    CHECK(acd_equal(a, b, 0) == 1);
    acd_wipe(a, sizeof a);
    acd_wipe(NULL, 0);
    CHECK_BYTES(a, zero, sizeof a);
}

static void purposes_separate_the_hashes(void)
{
    uint8_t a[ACD_HASH_SIZE];
    uint8_t b[ACD_HASH_SIZE];
    uint8_t expected[ACD_HASH_SIZE];
    uint8_t in[9 + 64];
    uint8_t zero[ACD_HASH_SIZE] = {0};
    acd_key_commitment(a, ACD_MODE_CORE, zero, zero, zero);
    acd_key_commitment(b, (acd_mode)2, zero, zero, zero);
    CHECK(memcmp(a, b, sizeof a) != 0);
    memset(in, 0, sizeof in);
    memcpy(in, "acd-token", 9);
    acd_sha256(expected, in, sizeof in);
    acd_token_message(a, zero, zero);
    CHECK_BYTES(a, expected, sizeof a);
    memset(in, 0, sizeof in);
    memcpy(in, "acd-description", 15);
    memcpy(in + 15 + 32, "x", 1);
    acd_sha256(expected, in, 15 + 32 + 1);
    acd_description_hash(a, zero, "x", 1);
    CHECK_BYTES(a, expected, sizeof a);
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(sha256_gives_the_published_values);
    RUN(hkdf_expand_gives_the_rfc_5869_values);
    RUN(ed25519_gives_the_rfc_8032_values);
    RUN(keys_of_small_or_mixed_order_are_refused);
    RUN(aead_is_libsodiums_and_opens_in_place);
    RUN(a_sealed_box_is_the_one_of_libsodium);
    RUN(the_sender_reopens_its_box_for_a_judge);
    RUN(a_box_with_a_foreign_ephemeral_key_is_not_reopened);
    RUN(nothing_is_sealed_to_a_key_of_small_order);
    RUN(equality_and_wiping_do_what_they_say);
    RUN(purposes_separate_the_hashes);
    return TEST_RESULT();
}
