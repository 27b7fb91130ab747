/* acd_test_wycheproof.c: Ed25519 and XChaCha20-Poly1305 against C2SP/wycheproof, testvectors_v1. */
#include "acd_test.h"
#include "acd_third_party.h"

static void run_ed25519(const json_t *root)
{
    size_t g = 0;
    size_t t = 0;
    json_t *group = NULL;
    json_t *test = NULL;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            sample_reset();
            sample key = json_bytes(json_object_get(group, "publicKey"), "pk");
            sample message = json_bytes(test, "msg");
            sample signature = json_bytes(test, "sig");
            int valid = strcmp(json_text(test, "result"), "valid") == 0;
            int got = key.len == ACD_PUBLIC_KEY_SIZE && signature.len == ACD_SIGNATURE_SIZE &&
                      acd_ed25519_verify(signature.bytes, message.bytes, message.len, key.bytes) == ACD_OK;
            if (got != valid) {
                fprintf(stderr, "Ed25519 tcId %lld\n",
                        (long long)json_number_value(json_object_get(test, "tcId")));
            }
            CHECK(got == valid);
        }
    }
}

static void run_aead(const json_t *root, int *tried, int *left_out)
{
    size_t g = 0;
    size_t t = 0;
    json_t *group = NULL;
    json_t *test = NULL;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            sample_reset();
            sample key = json_bytes(test, "key");
            sample nonce = json_bytes(test, "iv");
            sample message = json_bytes(test, "msg");
            sample text = json_bytes(test, "ct");
            sample tag = json_bytes(test, "tag");
            /* Associated data and other nonce sizes are not part of the boundary. */
            if (json_bytes(test, "aad").len != 0 || nonce.len != ACD_AEAD_NONCE_SIZE ||
                key.len != ACD_AEAD_KEY_SIZE || tag.len != ACD_AEAD_TAG_SIZE) {
                (*left_out)++;
                continue;
            }
            (*tried)++;
            sample sealed = {sample_alloc(text.len + tag.len), text.len + tag.len};
            memcpy(sealed.bytes, text.bytes, text.len);
            memcpy(sealed.bytes + text.len, tag.bytes, tag.len);
            uint8_t *out = sample_alloc(text.len + tag.len);
            int valid = strcmp(json_text(test, "result"), "valid") == 0;
            acd_status status = acd_aead_open(out, sealed.bytes, sealed.len, nonce.bytes, key.bytes);
            CHECK_STATUS(valid ? ACD_OK : ACD_ERR_AUTHENTICATION, status);
            if (valid) {
                CHECK_BYTES(out, message.bytes, message.len);
                acd_aead_seal(out, message.bytes, message.len, nonce.bytes, key.bytes);
                CHECK_BYTES(out, sealed.bytes, sealed.len);
            }
        }
    }
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    json_t *ed25519 = third_party_json("wycheproof/ed25519_test.json");
    json_t *aead = third_party_json("wycheproof/xchacha20_poly1305_test.json");
    if (ed25519 == NULL || aead == NULL) {
        json_decref(ed25519);
        json_decref(aead);
        return third_party_absent();
    }
    int tried = 0;
    int left_out = 0;
    run_ed25519(ed25519);
    CHECK(acd_test_checks >= 151);
    run_aead(aead, &tried, &left_out);
    printf("XChaCha20-Poly1305 vectors without associated data: %d, left out: %d\n", tried, left_out);
    CHECK(tried == 45 && left_out == 270);
    json_decref(ed25519);
    json_decref(aead);
    return TEST_RESULT();
}
