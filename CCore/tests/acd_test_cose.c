/* acd_test_cose.c: COSE_Sign1, parsed, verified and signed. Source: RFC 9052 s. 4.4, acd/cose.h. */
#include "acd_sample.h"
#include "acd_test.h"

/* Signs by the letter of RFC 9052: Sig_structure built apart, then the message around it. */
static sample sign_by_the_letter(const char *type, const void *payload, size_t payload_len, uint8_t seed)
{
    uint8_t public_key[32];
    uint8_t secret_key[64];
    uint8_t signature[64];
    uint8_t head[128];
    size_t head_len = 0;
    size_t len = 0;
    acd_cbor_writer writer;
    sample_key(public_key, secret_key, seed);
    acd_cbor_writer_init(&writer, head, sizeof head);
    acd_cbor_put_map(&writer, 3);
    acd_cbor_put_int(&writer, 1);
    acd_cbor_put_int(&writer, -8);
    acd_cbor_put_int(&writer, 4);
    acd_cbor_put_bytes(&writer, public_key, 32);
    acd_cbor_put_int(&writer, 16);
    acd_cbor_put_text(&writer, type, strlen(type));
    CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &head_len));
    uint8_t *out = sample_alloc(payload_len + 256);
    acd_cbor_writer_init(&writer, out, payload_len + 256);
    acd_cbor_put_array(&writer, 4);
    acd_cbor_put_text(&writer, "Signature1", 10);
    acd_cbor_put_bytes(&writer, head, head_len);
    acd_cbor_put_bytes(&writer, NULL, 0);
    acd_cbor_put_bytes(&writer, payload, payload_len);
    CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &len));
    acd_ed25519_sign(signature, out, len, secret_key);
    acd_cbor_writer_init(&writer, out, payload_len + 256);
    acd_cbor_put_tag(&writer, 18);
    acd_cbor_put_array(&writer, 4);
    acd_cbor_put_bytes(&writer, head, head_len);
    acd_cbor_put_map(&writer, 0);
    acd_cbor_put_bytes(&writer, payload, payload_len);
    acd_cbor_put_bytes(&writer, signature, 64);
    CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &len));
    return (sample){out, len};
}

static acd_status verify(sample message)
{
    acd_sign1 parsed;
    acd_status status = acd_sign1_parse(&parsed, message.bytes, message.len);
    if (status != ACD_OK) {
        return status;
    }
    uint8_t *scratch = sample_alloc(message.len + ACD_SIGN1_PREFIX);
    return acd_sign1_verify(&parsed, scratch, message.len + ACD_SIGN1_PREFIX);
}

static void signing_in_place_gives_the_message_of_rfc_9052(void)
{
    static const size_t sizes[] = {0, 1, 23, 24, 255, 256, 60000, ACD_MESSAGE_SIZE_MAX - 140};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sample payload = {sample_alloc(sizes[i]), sizes[i]};
        memset(payload.bytes, 0x42, payload.len);
        sample ours = sample_sign(ACD_ACCOUNT_QUERY, payload, 5);
        sample theirs = sign_by_the_letter("acd-account-query", payload.bytes, payload.len, 5);
        CHECK(ours.len == theirs.len);
        CHECK_BYTES(ours.bytes, theirs.bytes, ours.len);
        CHECK_STATUS(ACD_OK, verify(ours));
        sample_reset();
    }
}

static void a_parsed_message_shows_its_parts(void)
{
    uint8_t public_key[32];
    uint8_t secret_key[64];
    acd_sign1 parsed;
    sample message = sample_sign(ACD_P4, sample_hex("a10001"), 5);
    sample_key(public_key, secret_key, 5);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&parsed, message.bytes, message.len));
    CHECK(parsed.type == ACD_P4 && parsed.bytes == message.bytes && parsed.len == message.len);
    CHECK_BYTES(parsed.key_id, public_key, 32);
    CHECK(parsed.payload_len == 3 && parsed.payload[0] == 0xa1);
    CHECK(parsed.signature == message.bytes + message.len - 64);
    CHECK(parsed.protected_bstr == message.bytes + 2 && parsed.protected_bstr[0] == 0x58);
    CHECK(parsed.protected_bstr_len == 2 + 40 + strlen("acd-p4"));
}

static void no_byte_can_change(void)
{
    sample message = sample_sign(ACD_P4, sample_map(ACD_P4, SAMPLE_SMALL), 5);
    for (size_t i = 0; i < message.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            message.bytes[i] ^= (uint8_t)(1u << bit);
            CHECK(verify(message) != ACD_OK);
            message.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t len = 0; len < message.len; len++) {
        CHECK(verify((sample){message.bytes, len}) != ACD_OK);
    }
    CHECK_STATUS(ACD_OK, verify(message));
}

static void verifying_in_place_restores_every_byte(void)
{
    acd_sign1 parsed;
    sample message = sample_sign(ACD_P4, sample_hex("a10001"), 5);
    sample room = {sample_alloc(message.len + 40), message.len + 40};
    memset(room.bytes, 0xcc, room.len);
    memcpy(room.bytes + 20, message.bytes, message.len);
    sample before = sample_copy(room.bytes, room.len);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&parsed, room.bytes + 20, message.len));
    CHECK_STATUS(ACD_OK, acd_sign1_verify_in_place(&parsed, room.bytes + 20));
    CHECK_BYTES(room.bytes, before.bytes, room.len);
    room.bytes[20 + message.len - 1] ^= 1;
    before.bytes[20 + message.len - 1] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_sign1_verify_in_place(&parsed, room.bytes + 20));
    CHECK_BYTES(room.bytes, before.bytes, room.len);
}

static void a_nested_message_is_verified_inside_its_outer_one(void)
{
    acd_sign1 outer;
    acd_sign1 inner;
    acd_value values[ACD_FIELDS_MAX];
    sample p4 = sample_sign(ACD_P4, sample_map(ACD_P4, SAMPLE_SMALL), 5);
    sample_values(values, ACD_P5A, SAMPLE_SMALL);
    values[sample_index(ACD_P5A, ACD_P5A_P4)] = sample_bytes(p4.bytes, p4.len);
    sample p5a = sample_sign(ACD_P5A, sample_encode(ACD_P5A, values), 6);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&outer, p5a.bytes, p5a.len));
    CHECK_STATUS(ACD_OK, acd_map_decode(values, ACD_FIELDS_MAX, ACD_P5A, outer.payload, outer.payload_len));
    const acd_value *nested = &values[sample_index(ACD_P5A, ACD_P5A_P4)];
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&inner, nested->bytes, nested->len));
    CHECK_STATUS(ACD_OK, acd_sign1_verify_in_place(&inner, p5a.bytes + (nested->bytes - p5a.bytes)));
    CHECK_STATUS(ACD_OK, acd_sign1_verify_in_place(&outer, p5a.bytes - 0));
}

static void another_envelope_is_refused(void)
{
    sample good = sample_sign(ACD_P4, sample_hex("a0"), 5);
    acd_sign1 parsed;
    static const struct {
        const char *hex; /* K: a key of 32 bytes, S: a signature of 64 */
        acd_status expected;
    } cases[] = {
        {"84 40 a0 40 S", ACD_ERR_MALFORMED},  /* no tag */
        {"d2 83 40 a0 40", ACD_ERR_MALFORMED}, /* three parts */
        {"d2 a0", ACD_ERR_MALFORMED},
        {"d2 84 60 a0 40 S", ACD_ERR_FIELD_KIND},    /* protected is text */
        {"d2 84 40 a0 40 S", ACD_ERR_TRUNCATED},     /* no header */
        {"d2 84 41 80 a0 40 S", ACD_ERR_FIELD_KIND}, /* header is no map */
        {"d2 84 41 a0 a0 40 S", ACD_ERR_MISSING_FIELD},
        {"d2 84 58 2e a3 01 26 04 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_FIELD_RANGE}, /* ES256 */
        {"d2 84 58 2e a3 01 08 04 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_FIELD_KIND},
        {"d2 84 58 2e a3 02 27 04 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_UNKNOWN_FIELD}, /* crit */
        {"d2 84 58 2e a3 01 27 05 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_UNKNOWN_FIELD},
        {"d2 84 58 2e a3 01 27 04 5820 K 11 66 6163642d7034 a0 40 S", ACD_ERR_UNKNOWN_FIELD},
        {"d2 84 58 2e a3 01 27 04 5820 K 04 66 6163642d7034 a0 40 S", ACD_ERR_DUPLICATE_KEY},
        {"d2 84 58 2e a3 04 27 01 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_KEY_ORDER},
        {"d2 84 58 30 a4 01 27 04 5820 K 10 66 6163642d7034 11 00 a0 40 S", ACD_ERR_UNKNOWN_FIELD},
        {"d2 84 58 2d a3 01 27 04 581f K3 10 66 6163642d7034 a0 40 S", ACD_ERR_FIELD_RANGE},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 46 6163642d7034 a0 40 S", ACD_ERR_FIELD_KIND},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7039 a0 40 S", ACD_ERR_UNKNOWN_TYPE},
        {"d2 84 58 2d a3 01 27 04 5820 K 10 65 746f6b656e a0 40 S",
         ACD_ERR_UNEXPECTED_TYPE}, /* token: no message */
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a1 01 27 40 S", ACD_ERR_UNKNOWN_FIELD},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 80 40 S", ACD_ERR_FIELD_KIND},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 f6 S", ACD_ERR_FIELD_KIND}, /* detached */
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 40 41 00", ACD_ERR_FIELD_RANGE},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 40 60", ACD_ERR_FIELD_KIND},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 40 S 00", ACD_ERR_TRAILING},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 5800 S", ACD_ERR_NOT_SHORTEST},
        {"d2 84 58 2e a3 01 27 04 5820 K 10 66 6163642d7034 a0 40 S", ACD_ERR_AUTHENTICATION}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char hex[1024] = "";
        for (const char *c = cases[i].hex; *c != '\0'; c++) {
            size_t used = strlen(hex);
            if (*c == 'K') {
                int short_key = c[1] == '3';
                for (int k = 0; k < (short_key ? 31 : 32); k++) {
                    strcat(hex, "07");
                }
                c += short_key;
            } else if (*c == 'S') {
                strcat(hex, "5840");
                for (int k = 0; k < 64; k++) {
                    strcat(hex, "09");
                }
            } else {
                hex[used] = *c;
                hex[used + 1] = '\0';
            }
        }
        acd_status status = verify(sample_hex(hex));
        if (status != cases[i].expected) {
            fprintf(stderr, "case %u: %s\n", (unsigned)i, cases[i].hex);
        }
        CHECK_STATUS(cases[i].expected, status);
    }
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_sign1_parse(&parsed, good.bytes, ACD_MESSAGE_SIZE_MAX + 1u));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_parse(&parsed, NULL, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_parse(NULL, good.bytes, good.len));
}

static void the_type_separates_the_domains(void)
{
    sample payload = sample_map(ACD_P4, SAMPLE_SMALL);
    sample message = sample_sign(ACD_P4, payload, 5);
    uint8_t *name = message.bytes + 2 + 2 + 40 + 5; /* the 4 of "acd-p4" */
    CHECK(*name == '4');
    *name = '1';
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify(message));
    *name = '9';
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE, verify(message));
}

static void signing_refuses_what_cannot_be_a_message(void)
{
    static uint8_t buffer[ACD_MESSAGE_SIZE_MAX + 1 + ACD_SIGN1_OVERHEAD];
    uint8_t public_key[32];
    uint8_t secret_key[64];
    size_t offset = 0;
    size_t len = 0;
    sample_key(public_key, secret_key, 5);
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_sign1_sign_in_place(buffer, 500, &offset, &len, 1, ACD_RECEIPT, secret_key));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_sign1_sign_in_place(buffer, 500, &offset, &len, 1, ACD_NONE, secret_key));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_sign_in_place(NULL, 500, &offset, &len, 1, ACD_P4, secret_key));
    CHECK_STATUS(ACD_ERR_NO_SPACE,
                 acd_sign1_sign_in_place(buffer, ACD_SIGN1_OVERHEAD, &offset, &len, 1, ACD_P4, secret_key));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_sign1_sign_in_place(buffer, sizeof buffer, &offset, &len,
                                                            ACD_MESSAGE_SIZE_MAX, ACD_P4, secret_key));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_sign1_sign_in_place(buffer, sizeof buffer, &offset, &len,
                                                            ACD_MESSAGE_SIZE_MAX + 1, ACD_P4, secret_key));
    CHECK(len == 0);
    CHECK_STATUS(ACD_OK, acd_sign1_sign_in_place(buffer, ACD_SIGN1_OVERHEAD + 1, &offset, &len, 1,
                                                 ACD_ACCOUNT_QUERY, secret_key));
    CHECK(offset >= ACD_SIGN1_PREFIX);
}

static void verifying_needs_its_scratch(void)
{
    acd_sign1 parsed;
    uint8_t scratch[512];
    sample message = sample_sign(ACD_P4, sample_hex("a0"), 5);
    CHECK_STATUS(ACD_OK, acd_sign1_parse(&parsed, message.bytes, message.len));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_sign1_verify(&parsed, scratch, message.len + ACD_SIGN1_PREFIX - 1));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_sign1_verify(&parsed, scratch, 3));
    CHECK_STATUS(ACD_OK, acd_sign1_verify(&parsed, scratch, message.len + ACD_SIGN1_PREFIX));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_verify(&parsed, NULL, 0));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_verify_in_place(&parsed, NULL));
}

static void a_key_elsewhere_signs_the_same_message(void)
{
    uint8_t buffer[ACD_SIGN1_OVERHEAD + 300];
    uint8_t public_key[32];
    uint8_t secret_key[64];
    uint8_t signature[64];
    size_t at = 0;
    size_t signed_len = 0;
    size_t offset = 0;
    size_t len = 0;
    sample_key(public_key, secret_key, 5);
    for (size_t size = 1; size <= 300; size += 23) {
        sample payload = {sample_alloc(size), size};
        memset(payload.bytes, 0x17, size);
        const sample whole = sample_sign(ACD_P4, payload, 5);
        memcpy(buffer + ACD_SIGN1_HEADROOM, payload.bytes, size);
        const size_t cap = size + ACD_SIGN1_OVERHEAD;
        CHECK_STATUS(ACD_OK, acd_sign1_begin(buffer, cap, &at, &signed_len, size, ACD_P4, public_key));
        CHECK_BYTES(buffer + at, "\x84\x6aSignature1", 12);
        acd_ed25519_sign(signature, buffer + at, signed_len, secret_key);
        CHECK_STATUS(ACD_ERR_MISUSE,
                     acd_sign1_finish(buffer, cap - 1, &offset, &len, at, signed_len, signature));
        CHECK_STATUS(ACD_OK, acd_sign1_finish(buffer, cap, &offset, &len, at, signed_len, signature));
        CHECK(len == whole.len);
        CHECK_BYTES(buffer + offset, whole.bytes, len);
        /* No structure any more. */
        CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_finish(buffer, cap, &offset, &len, at, signed_len, signature));
    }
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_finish(NULL, 0, &offset, &len, 0, 90, signature));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_finish(buffer, sizeof buffer, &offset, &len, 0, 13, signature));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_sign1_finish(buffer, sizeof buffer, &offset, &len, sizeof buffer + 1, 90, signature));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_sign1_begin(buffer, sizeof buffer, &at, &signed_len, 1, ACD_P4, NULL));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(signing_in_place_gives_the_message_of_rfc_9052);
    RUN(a_parsed_message_shows_its_parts);
    RUN(no_byte_can_change);
    sample_reset();
    RUN(verifying_in_place_restores_every_byte);
    RUN(a_nested_message_is_verified_inside_its_outer_one);
    RUN(another_envelope_is_refused);
    RUN(the_type_separates_the_domains);
    RUN(signing_refuses_what_cannot_be_a_message);
    RUN(verifying_needs_its_scratch);
    RUN(a_key_elsewhere_signs_the_same_message);
    return TEST_RESULT();
}
