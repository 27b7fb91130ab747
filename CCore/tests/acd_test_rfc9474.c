/* acd_test_rfc9474.c: blind RSA vectors, checked with OpenSSL: the arithmetic that tokens rest on, apart from
 * the Swift library that the project uses for it. For each vector: blind_sig = blinded_msg^d, sig = blind_sig
 * * inv, and sig is an RSASSA-PSS-SHA384 signature of input_msg. Source: RFC 9474 s. 4. */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include "acd_test.h"
#include "acd_third_party.h"

static BIGNUM *number(const json_t *vector, const char *key)
{
    sample bytes = json_bytes(vector, key);
    return BN_bin2bn(bytes.bytes, (int)bytes.len, NULL);
}

static EVP_PKEY *public_key(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(build, "n", n);
    OSSL_PARAM_BLD_push_BN(build, "e", e);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    CHECK(EVP_PKEY_fromdata_init(context) == 1);
    CHECK(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static int verify_pss(EVP_PKEY *key, sample message, sample signature, int salt_len)
{
    EVP_PKEY_CTX *pss = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(EVP_DigestVerifyInit(context, &pss, EVP_sha384(), NULL, key) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_padding(pss, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(pss, salt_len) == 1);
    int holds = EVP_DigestVerify(context, signature.bytes, signature.len, message.bytes, message.len) == 1;
    EVP_MD_CTX_free(context);
    return holds;
}

static void run_vector(const json_t *vector)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *n = number(vector, "n");
    BIGNUM *e = number(vector, "e");
    BIGNUM *d = number(vector, "d");
    BIGNUM *inv = number(vector, "inv");
    BIGNUM *blinded = number(vector, "blinded_msg");
    BIGNUM *blind_sig = number(vector, "blind_sig");
    BIGNUM *sig = number(vector, "sig");
    BIGNUM *got = BN_new();
    CHECK(BN_mod_exp(got, blinded, d, n, context) == 1 && BN_cmp(got, blind_sig) == 0);
    CHECK(BN_mod_mul(got, blind_sig, inv, n, context) == 1 && BN_cmp(got, sig) == 0);
    CHECK(BN_mod_exp(got, blind_sig, e, n, context) == 1 && BN_cmp(got, blinded) == 0);
    EVP_PKEY *key = public_key(n, e);
    sample salt_len = json_bytes(vector, "sLen");
    sample message = json_bytes(vector, "input_msg");
    sample signature = json_bytes(vector, "sig");
    CHECK(salt_len.len == 1);
    CHECK(verify_pss(key, message, signature, salt_len.bytes[0]));
    signature.bytes[17] ^= 1;
    CHECK(!verify_pss(key, message, signature, salt_len.bytes[0]));
    EVP_PKEY_free(key);
    BIGNUM *all[] = {n, e, d, inv, blinded, blind_sig, sig, got};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        BN_free(all[i]);
    }
    BN_CTX_free(context);
}

int main(void)
{
    json_t *vectors = third_party_json("rfc9474/circl_test_vectors_rfc9474.json");
    if (vectors == NULL) {
        return third_party_absent();
    }
    size_t i = 0;
    json_t *vector = NULL;
    json_array_foreach(vectors, i, vector)
    {
        sample_reset();
        run_vector(vector);
    }
    printf("RFC 9474 vectors: %u\n", (unsigned)json_array_size(vectors));
    CHECK(json_array_size(vectors) == 4);
    json_decref(vectors);
    return TEST_RESULT();
}
