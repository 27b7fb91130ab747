/* acd_note.c: verification of signed notes with Ed25519, and of Ed25519 cosignatures on them.
 * Source: C2SP signed-note, C2SP tlog-cosignature ("Ed25519 signed message"), RFC 4648 s. 4.
 *
 * Invariants: the whole note is judged, signatures of other keys included; a signature line that names the
 * key must hold, or the note is refused. Nothing is copied but one signature, and for a cosignature the text.
 */
#include "acd/note.h"
#include <string.h>
#include "acd_internal.h"

#define TYPE_ED25519 0x01u
#define TYPE_COSIGNATURE 0x04u
#define KEY_ID_SIZE 4u
#define TIMESTAMP_SIZE 8u
#define SIGNATURE_MAX (KEY_ID_SIZE + TIMESTAMP_SIZE + ACD_SIGNATURE_SIZE)
#define VKEY_MATERIAL_SIZE (1u + ACD_PUBLIC_KEY_SIZE)

/* What a cosigner signs is longer than the note's text by a header, so the text has to be copied. Checkpoints
 * are three short lines; a longer text than this cannot be verified against a cosigner's key. */
#define COSIGNED_TEXT_MAX 1024u
#define COSIGNED_HEADER_MAX 64u

/* MARK: Text */

/* The Unicode spaces (White_Space) beyond ASCII, in UTF-8. */
static const char *const wide_spaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80",
                                          "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84",
                                          "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
                                          "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
                                          "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

static int has_wide_space_at(const char *at, size_t left)
{
    for (size_t i = 0; i < sizeof wide_spaces / sizeof wide_spaces[0]; i++) {
        size_t len = strlen(wide_spaces[i]);
        if (left >= len && memcmp(at, wide_spaces[i], len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A key name: not empty, UTF-8 without spaces, control characters and plus. */
static acd_status check_name(const char *name, size_t len)
{
    if (len == 0) {
        return ACD_ERR_MALFORMED;
    }
    if (len > ACD_NOTE_KEY_NAME_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    ACD_TRY(acd_utf8_check((const uint8_t *)name, len));
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)name[i];
        if (byte <= ' ' || byte == '+' || (byte >= 0x80u && has_wide_space_at(name + i, len - i))) {
            return ACD_ERR_MALFORMED;
        }
    }
    return ACD_OK;
}

static int base64_digit(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    return found == NULL ? -1 : (int)(found - alphabet);
}

/* Decodes padded base64, the one spelling only: the spare bits of a last group must be zero. Keeps the first
 * `cap` bytes, counts all. Public data: no need for constant time. */
static acd_status base64_decode(uint8_t *out, size_t cap, size_t *out_len, const char *text, size_t len)
{
    if (len == 0 || len % 4u != 0) {
        return ACD_ERR_MALFORMED;
    }
    size_t padding = text[len - 1u] != '=' ? 0 : text[len - 2u] != '=' ? 1u : 2u;
    size_t digits = len - padding;
    size_t count = 0;
    uint32_t bits = 0; /* a sliding window; only the low 14 bits are ever read */
    unsigned bit_count = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0) {
            return ACD_ERR_MALFORMED;
        }
        bits = (bits & 0xffu) << 6 | (uint32_t)digit;
        bit_count += 6u;
        if (bit_count >= 8u) {
            bit_count -= 8u;
            if (count < cap) {
                out[count] = (uint8_t)(bits >> bit_count & 0xffu);
            }
            count++;
        }
    }
    if ((bits & ((1u << bit_count) - 1u)) != 0) {
        return ACD_ERR_NOT_SHORTEST;
    }
    *out_len = count;
    return ACD_OK;
}

static uint32_t read_id(const uint8_t bytes[KEY_ID_SIZE])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* MARK: Verifier keys */

static acd_status parse_hex_id(uint32_t *id, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;
    for (size_t i = 0; i < 2u * KEY_ID_SIZE; i++) {
        const char *found = hex[i] == '\0' ? NULL : strchr(digits, hex[i]);
        if (found == NULL) {
            return ACD_ERR_MALFORMED;
        }
        value = value << 4 | (uint32_t)(found - digits);
    }
    *id = value;
    return ACD_OK;
}

acd_status acd_note_key_parse(acd_note_key *out, const char *vkey, size_t len)
{
    if (out == NULL || acd_is_lacking(vkey, len)) {
        return ACD_ERR_MISUSE;
    }
    const char *plus = len == 0 ? NULL : memchr(vkey, '+', len);
    if (plus == NULL) {
        return ACD_ERR_MALFORMED;
    }
    acd_note_key key;
    key.name = vkey;
    key.name_len = (size_t)(plus - vkey);
    ACD_TRY(check_name(key.name, key.name_len));
    const char *hex = plus + 1;
    size_t left = len - key.name_len - 1u;
    if (left < 2u * KEY_ID_SIZE + 1u || hex[2u * KEY_ID_SIZE] != '+') {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(parse_hex_id(&key.id, hex));
    const char *base64 = hex + 2u * KEY_ID_SIZE + 1u;
    uint8_t material[VKEY_MATERIAL_SIZE];
    size_t material_len = 0;
    ACD_TRY(base64_decode(material, sizeof material, &material_len, base64, left - 2u * KEY_ID_SIZE - 1u));
    if (material_len != sizeof material || (material[0] != TYPE_ED25519 && material[0] != TYPE_COSIGNATURE)) {
        return ACD_ERR_UNKNOWN_TYPE;
    }
    key.type = material[0];
    memcpy(key.public_key, material + 1, ACD_PUBLIC_KEY_SIZE);
    uint8_t hash[ACD_HASH_SIZE];
    const acd_hash_part parts[] = {{key.name, key.name_len}, {"\n", 1}, {material, sizeof material}};
    acd_sha256_parts(hash, parts, 3);
    if (read_id(hash) != key.id) {
        return ACD_ERR_MISMATCH;
    }
    ACD_TRY(acd_public_key_check(key.public_key));
    *out = key;
    return ACD_OK;
}

/* MARK: Notes */

/* Finds the last empty line; everything before it, its own newline excluded, is the text. */
static acd_status split(size_t *text_len, const char *note, size_t len)
{
    if (len > ACD_NOTE_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    ACD_TRY(acd_utf8_check((const uint8_t *)note, len));
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)note[i] < ' ' && note[i] != '\n') {
            return ACD_ERR_MALFORMED;
        }
    }
    for (size_t i = len; i >= 2u; i--) {
        if (note[i - 1u] == '\n' && note[i - 2u] == '\n') {
            *text_len = i - 1u;
            return i < len && note[len - 1u] == '\n' ? ACD_OK : ACD_ERR_MALFORMED;
        }
    }
    return ACD_ERR_MALFORMED;
}

/* "cosignature/v1\ntime <decimal>\n"; returns its length. */
static size_t form_cosigned_header(char out[COSIGNED_HEADER_MAX], const uint8_t timestamp[TIMESTAMP_SIZE])
{
    static const char start[] = "cosignature/v1\ntime ";
    char digits[20]; /* 2^64 - 1 has 20 */
    size_t count = 0;
    uint64_t value = 0;
    for (size_t i = 0; i < TIMESTAMP_SIZE; i++) {
        value = value << 8 | timestamp[i];
    }
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    size_t len = sizeof start - 1u;
    memcpy(out, start, len);
    while (count > 0) {
        out[len++] = digits[--count];
    }
    out[len++] = '\n';
    return len;
}

static acd_status verify_cosignature(const uint8_t *timestamped, const char *text, size_t text_len,
                                     const acd_note_key *key)
{
    char cosigned[COSIGNED_HEADER_MAX + COSIGNED_TEXT_MAX];
    if (text_len > COSIGNED_TEXT_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if ((timestamped[0] & 0x80u) != 0) {
        return ACD_ERR_AUTHENTICATION; /* over 2^63 - 1 */
    }
    size_t header_len = form_cosigned_header(cosigned, timestamped);
    memcpy(cosigned + header_len, text, text_len);
    return acd_ed25519_verify(timestamped + TIMESTAMP_SIZE, cosigned, header_len + text_len, key->public_key);
}

/* One signature line, "— name base64", without its newline. *by_key becomes 1 if it is the key's. */
static acd_status check_line(int *by_key, const char *line, size_t len, const char *text, size_t text_len,
                             const acd_note_key *key)
{
    static const char dash[] = "\xe2\x80\x94 ";
    size_t dash_len = sizeof dash - 1u;
    if (len < dash_len || memcmp(line, dash, dash_len) != 0) {
        return ACD_ERR_MALFORMED;
    }
    const char *name = line + dash_len;
    const char *space = memchr(name, ' ', len - dash_len);
    if (space == NULL) {
        return ACD_ERR_MALFORMED;
    }
    size_t name_len = (size_t)(space - name);
    ACD_TRY(check_name(name, name_len));
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len = 0;
    ACD_TRY(base64_decode(signature, sizeof signature, &signature_len, space + 1,
                          len - dash_len - name_len - 1u));
    if (signature_len <= KEY_ID_SIZE) {
        return ACD_ERR_MALFORMED;
    }
    if (name_len != key->name_len || memcmp(name, key->name, name_len) != 0 ||
        read_id(signature) != key->id) {
        return ACD_OK;
    }
    *by_key = 1;
    size_t expected = KEY_ID_SIZE + ACD_SIGNATURE_SIZE + (key->type == TYPE_COSIGNATURE ? TIMESTAMP_SIZE : 0);
    if (signature_len != expected) {
        return ACD_ERR_AUTHENTICATION;
    }
    if (key->type == TYPE_COSIGNATURE) {
        return verify_cosignature(signature + KEY_ID_SIZE, text, text_len, key);
    }
    return acd_ed25519_verify(signature + KEY_ID_SIZE, text, text_len, key->public_key);
}

acd_status acd_note_verify(size_t *text_len, const char *note, size_t len, const acd_note_key *key)
{
    if (text_len == NULL || acd_is_lacking(note, len) || key == NULL) {
        return ACD_ERR_MISUSE;
    }
    size_t signed_len = 0;
    ACD_TRY(split(&signed_len, note, len));
    size_t at = signed_len + 1u;
    size_t lines = 0;
    int by_key = 0;
    while (at < len) { /* every line ends in a newline: the note does */
        const char *line = note + at;
        size_t line_len = (size_t)((const char *)memchr(line, '\n', len - at) - line);
        if (++lines > ACD_NOTE_SIGNATURES_MAX) {
            return ACD_ERR_TOO_LARGE;
        }
        ACD_TRY(check_line(&by_key, line, line_len, note, signed_len, key));
        at += line_len + 1u;
    }
    if (!by_key) {
        return ACD_ERR_AUTHENTICATION;
    }
    *text_len = signed_len;
    return ACD_OK;
}
