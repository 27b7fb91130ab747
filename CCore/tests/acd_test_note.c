/* acd_test_note.c: signed notes and cosignatures. Source: C2SP signed-note (the example is its own) and C2SP
 * tlog-cosignature. */
#include <stdlib.h>
#include "acd_sample.h"
#include "acd_test.h"

#define VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define TEXT "This is an example message.\n"
#define DASH "\xe2\x80\x94 "
#define LINE \
    DASH "example.com/foo " \
         "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define OTHER DASH "other.example/bar AAAAAAAA\n"

static acd_status parse(acd_note_key *key, const char *vkey)
{
    return acd_note_key_parse(key, vkey, strlen(vkey));
}

static acd_status verify(const char *note)
{
    acd_note_key key;
    size_t text_len = 0;
    acd_status status = parse(&key, VKEY);
    return status == ACD_OK ? acd_note_verify(&text_len, note, strlen(note), &key) : status;
}

static void base64(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < len ? bytes[i + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63u];
        *out++ = i + 1 < len ? digits[group >> 6 & 63u] : '=';
        *out++ = i + 2 < len ? digits[group & 63u] : '=';
    }
    *out = '\0';
}

/* "name+id+key" for a type and a seed. */
static void make_vkey(char out[512], const char *name, uint8_t type, uint8_t seed, uint8_t id[4])
{
    uint8_t material[33];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t hash[ACD_HASH_SIZE];
    char encoded[64];
    material[0] = type;
    sample_key(material + 1, secret_key, seed);
    const acd_hash_part parts[] = {{name, strlen(name)}, {"\n", 1}, {material, sizeof material}};
    acd_sha256_parts(hash, parts, 3);
    memcpy(id, hash, 4);
    base64(encoded, material, sizeof material);
    snprintf(out, 512, "%s+%02x%02x%02x%02x+%s", name, hash[0], hash[1], hash[2], hash[3], encoded);
}

static void the_example_of_the_specification_holds(void)
{
    acd_note_key key;
    size_t text_len = 0;
    CHECK_STATUS(ACD_OK, parse(&key, VKEY));
    CHECK(key.id == 0x530d903a && key.type == 1 && key.name_len == 15);
    CHECK_STATUS(ACD_OK, acd_note_verify(&text_len, TEXT "\n" LINE, strlen(TEXT "\n" LINE), &key));
    CHECK(text_len == strlen(TEXT));
}

static void keys_are_made_and_written_as_they_are_read(void)
{
    acd_note_key key;
    acd_note_key made;
    char written[ACD_NOTE_VKEY_MAX];
    size_t len = 0;
    CHECK_STATUS(ACD_OK, parse(&key, VKEY));
    CHECK_STATUS(ACD_OK, acd_note_key_make(&made, key.name, key.name_len, key.type, key.public_key));
    CHECK(made.id == key.id);
    CHECK_STATUS(ACD_OK, acd_note_key_write(written, sizeof written, &len, &made));
    CHECK(len == strlen(VKEY) && memcmp(written, VKEY, len) == 0);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_note_key_write(written, len - 1, &len, &made));
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_note_key_make(&made, "a b", 3, 1, key.public_key));
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE, acd_note_key_make(&made, "a", 1, 2, key.public_key));
    memset(key.public_key, 0, sizeof key.public_key);
    CHECK_STATUS(ACD_ERR_BAD_KEY, acd_note_key_make(&made, "a", 1, 1, key.public_key));
}

/* Ed25519 has one signature for a key and a text: what we sign is what another signer would have. */
static void lines_are_signed_for_verifiers(void)
{
    static char note[2048] = "Text\n\n";
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    acd_note_key keys[2];
    acd_note_signature found;
    size_t len = strlen(note);
    sample_key(public_key, secret_key, 6);
    for (uint8_t i = 0; i < 2; i++) {
        size_t line_len = 0;
        uint8_t type = i == 0 ? ACD_NOTE_ED25519 : ACD_NOTE_COSIGNATURE;
        CHECK_STATUS(ACD_OK, acd_note_key_make(&keys[i], "a.example", 9, type, public_key));
        CHECK_STATUS(ACD_ERR_NO_SPACE,
                     acd_note_sign(note + len, 80, &line_len, &keys[i], 77, note, 5, secret_key));
        CHECK_STATUS(ACD_OK, acd_note_sign(note + len, ACD_NOTE_LINE_MAX, &line_len, &keys[i], 77, note, 5,
                                           secret_key));
        len += line_len;
    }
    for (uint8_t i = 0; i < 2; i++) {
        CHECK_STATUS(ACD_OK, acd_note_find(&found, note, len, &keys[i]));
        CHECK(found.is_there && found.text_len == 5 && found.time == (i == 0 ? 0 : 77));
    }
    CHECK_STATUS(ACD_OK, acd_note_key_make(&keys[0], "b.example", 9, ACD_NOTE_ED25519, public_key));
    CHECK_STATUS(ACD_OK, acd_note_find(&found, note, len, &keys[0]));
    CHECK(!found.is_there);
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_note_sign(note, sizeof note, &len, &keys[0], 0, "a", 1, secret_key));
    CHECK_STATUS(ACD_ERR_MISUSE,
                 acd_note_sign(note, sizeof note, &len, &keys[0], UINT64_MAX, "a\n", 2, secret_key));
}

static void signatures_of_other_keys_are_passed_over(void)
{
    CHECK_STATUS(ACD_OK, verify(TEXT "\n" OTHER LINE OTHER));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify(TEXT "\n" OTHER));
    /* The same name with another id, and the same id with another name, are other keys. */
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify(TEXT "\n" DASH "example.com/foo AAAAAAAA\n"));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify(TEXT "\n" DASH "example.com/fox Uw2QOkn8srV1\n"));
}

static void a_bad_signature_by_the_key_spoils_the_note(void)
{
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify("Another message.\n\n" LINE));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify(TEXT "\n" LINE DASH "example.com/foo Uw2QOkn8srV1\n"));
}

static void the_text_may_have_empty_lines(void)
{
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t blob[4 + 64];
    char vkey[512];
    char encoded[128];
    char note[1024];
    acd_note_key key;
    size_t text_len = 0;
    static const char text[] = "One\n\nTwo\n";
    sample_key(public_key, secret_key, 6);
    make_vkey(vkey, "l\xc3\xa4nge.example", 1, 6, blob);
    CHECK_STATUS(ACD_OK, parse(&key, vkey));
    acd_ed25519_sign(blob + 4, text, strlen(text), secret_key);
    base64(encoded, blob, sizeof blob);
    snprintf(note, sizeof note, "%s\n" DASH "l\xc3\xa4nge.example %s\n", text, encoded);
    CHECK_STATUS(ACD_OK, acd_note_verify(&text_len, note, strlen(note), &key));
    CHECK(text_len == strlen(text));
}

static void malformed_notes_are_refused(void)
{
    static const char *const malformed[] = {"",
                                            "\n",
                                            "\n\n",
                                            TEXT,
                                            TEXT "\n",
                                            TEXT LINE,
                                            LINE,
                                            TEXT "\nexample.com/foo AAAAAAAA\n", /* no dash */
                                            TEXT "\n" DASH "example.com/foo\n",  /* no signature */
                                            TEXT "\n" DASH " AAAAAAAA\n",        /* no name */
                                            TEXT "\n" DASH "a+b AAAAAAAA\n",     /* plus in the name */
                                            TEXT "\n" DASH "a\xc2\xa0"
                                                 "b AAAAAAAA\n", /* a Unicode space in the name */
                                            TEXT "\n" DASH "a\xe3\x80\x80"
                                                 "b AAAAAAAA\n",
                                            TEXT "\n" DASH "a AAAA AAAA\n", /* a space in the signature */
                                            TEXT "\n" DASH "a \n",
                                            TEXT "\n" DASH "a AAAAAA\n", /* not a multiple of four */
                                            TEXT "\n" DASH "a AAAAAA=A\n",
                                            TEXT "\n" DASH "a AAAAA===\n",
                                            TEXT "\n" DASH "a AAAAAA==\n", /* only a key id */
                                            TEXT "\n" DASH "a AAAA_AAA\n",
                                            TEXT "\n" DASH
                                                 "a AAAAAAAA\n\nx\n", /* text after the last empty line */
                                            "tab\there\n\n" LINE,
                                            "return\r\n\n" LINE};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        acd_status status = verify(malformed[i]);
        if (status != ACD_ERR_MALFORMED) {
            fprintf(stderr, "note %u\n", (unsigned)i);
        }
        CHECK_STATUS(ACD_ERR_MALFORMED, status);
    }
    CHECK_STATUS(ACD_ERR_NOT_SHORTEST, verify(TEXT "\n" DASH "a AAAAAAB=\n")); /* spare bits set */
    CHECK_STATUS(ACD_ERR_UTF8, verify("\xff\n\n" LINE));
    /* Without the last newline the line is cut short. */
    CHECK_STATUS(ACD_ERR_MALFORMED, verify(TEXT "\n" DASH "a AAAAAAAA"));
}

static void sizes_are_bounded(void)
{
    char note[8192] = TEXT "\n";
    char *large = calloc(1, ACD_NOTE_SIZE_MAX + 2u);
    acd_note_key key;
    size_t text_len = 0;
    for (unsigned i = 0; i + 1 < ACD_NOTE_SIGNATURES_MAX; i++) {
        strcat(note, OTHER);
    }
    strcat(note, LINE);
    CHECK_STATUS(ACD_OK, verify(note));
    strcat(note, OTHER);
    CHECK_STATUS(ACD_ERR_TOO_LARGE, verify(note));
    memset(large, 'a', ACD_NOTE_SIZE_MAX + 1u);
    CHECK_STATUS(ACD_ERR_TOO_LARGE, verify(large));
    large[ACD_NOTE_KEY_NAME_MAX + 1u] = '+';
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_note_key_parse(&key, large, 400));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_note_verify(&text_len, NULL, 1, &key));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_note_verify(&text_len, "a", 1, NULL));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_note_key_parse(&key, NULL, 1));
    free(large);
}

static void malformed_keys_are_refused(void)
{
    acd_note_key key;
    char vkey[512];
    uint8_t id[4];
    static const char *const malformed[] = {
        "",
        "example.com/foo",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "a+530d903a",
        "a+530d903a-AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* upper case */
        "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        CHECK_STATUS(ACD_ERR_MALFORMED, parse(&key, malformed[i]));
    }
    CHECK_STATUS(ACD_ERR_MISMATCH,
                 parse(&key, "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"));
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE,
                 parse(&key, "a+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q=="));
    make_vkey(vkey, "a.example", 2, 6, id);
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE, parse(&key, vkey));
    CHECK_STATUS(ACD_ERR_UTF8, parse(&key, "\xff+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"));
}

static void a_key_of_small_order_is_refused(void)
{
    uint8_t material[33] = {1, 1};
    uint8_t hash[ACD_HASH_SIZE];
    char encoded[64];
    char vkey[512];
    acd_note_key key;
    const acd_hash_part parts[] = {{"a\n", 2}, {material, sizeof material}};
    acd_sha256_parts(hash, parts, 2);
    base64(encoded, material, sizeof material);
    snprintf(vkey, sizeof vkey, "a+%02x%02x%02x%02x+%s", hash[0], hash[1], hash[2], hash[3], encoded);
    CHECK_STATUS(ACD_ERR_BAD_KEY, parse(&key, vkey));
}

/* A note with one cosignature; `text_len` letters of text. */
static acd_status cosigned(uint64_t time, const char *time_text, size_t text_len, size_t cut)
{
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t blob[4 + 8 + 64];
    char vkey[512];
    char encoded[128];
    char signed_text[4096 + 64];
    char note[4096];
    acd_note_key key;
    size_t found_len = 0;
    sample_key(public_key, secret_key, 6);
    make_vkey(vkey, "witness.example/w1", 4, 6, blob);
    CHECK_STATUS(ACD_OK, parse(&key, vkey));
    CHECK(key.type == 4);
    for (size_t i = 0; i < 8; i++) {
        blob[4 + i] = (uint8_t)(time >> (56 - 8 * i));
    }
    memset(note, 'c', text_len);
    note[text_len - 1] = '\n';
    note[text_len] = '\0';
    snprintf(signed_text, sizeof signed_text, "cosignature/v1\ntime %s\n%s", time_text, note);
    acd_ed25519_sign(blob + 12, signed_text, strlen(signed_text), secret_key);
    base64(encoded, blob, sizeof blob - cut);
    snprintf(note + text_len, sizeof note - text_len, "\n" DASH "witness.example/w1 %s\n", encoded);
    acd_status status = acd_note_verify(&found_len, note, strlen(note), &key);
    CHECK(found_len == (status == ACD_OK ? text_len : 0));
    return status;
}

static void a_cosignature_covers_its_time_and_the_text(void)
{
    CHECK_STATUS(ACD_OK, cosigned(1679315147, "1679315147", 100, 0));
    CHECK_STATUS(ACD_OK, cosigned(0, "0", 100, 0));
    CHECK_STATUS(ACD_OK, cosigned((UINT64_C(1) << 63) - 1, "9223372036854775807", 1024, 0));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, cosigned(1679315147, "1679315148", 100, 0));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, cosigned(1679315147, "1679315147", 100, 8));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, cosigned(UINT64_C(1) << 63, "9223372036854775808", 100, 0));
    CHECK_STATUS(ACD_ERR_TOO_LARGE, cosigned(1, "1", 1025, 0));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    RUN(the_example_of_the_specification_holds);
    RUN(keys_are_made_and_written_as_they_are_read);
    RUN(lines_are_signed_for_verifiers);
    RUN(signatures_of_other_keys_are_passed_over);
    RUN(a_bad_signature_by_the_key_spoils_the_note);
    RUN(the_text_may_have_empty_lines);
    RUN(malformed_notes_are_refused);
    RUN(sizes_are_bounded);
    RUN(malformed_keys_are_refused);
    RUN(a_key_of_small_order_is_refused);
    RUN(a_cosignature_covers_its_time_and_the_text);
    return TEST_RESULT();
}
