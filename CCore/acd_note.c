/* acd_note.c: signed notes with Ed25519, and Ed25519 cosignatures on them: made and verified.
 * Source: C2SP signed-note, C2SP tlog-cosignature ("Ed25519 signed message").
 *
 * Invariants: the whole note is judged, signatures of other keys included; a signature line that names the
 * key must hold, or the note is refused. Nothing is copied but one signature, and for a cosignature the text.
 */
#include "acd/note.h"
#include <string.h>
#include "acd_internal.h"

#define TIMESTAMP_SIZE 8u
#define VKEY_MATERIAL_SIZE (1u + ACD_PUBLIC_KEY_SIZE)
#define HEX_ID_LEN (2u * ACD_KEY_ID_SIZE)

/* What a cosigner signs is longer than the note's text by a header, so the text has to be copied. Checkpoints
 * are three short lines; a longer text than this cannot be verified against a cosigner's key. */
#define COSIGNED_TEXT_MAX 1024u
#define COSIGNED_HEADER_MAX 64u

static const char dash[] = "\xe2\x80\x94 "; /* how a signature line begins */
#define DASH_LEN (sizeof dash - 1u)
_Static_assert(ACD_NOTE_VKEY_MAX == ACD_NOTE_KEY_NAME_MAX + 1u + HEX_ID_LEN + 1u + 44u, "as the header says");
_Static_assert(ACD_NOTE_LINE_MAX == DASH_LEN + ACD_NOTE_KEY_NAME_MAX + 1u + 104u + 1u, "as the header says");

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

/* MARK: Verifier keys */

static acd_status parse_hex_id(uint32_t *id, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;
    for (size_t i = 0; i < HEX_ID_LEN; i++) {
        const char *found = hex[i] == '\0' ? NULL : strchr(digits, hex[i]);
        if (found == NULL) {
            return ACD_ERR_MALFORMED;
        }
        value = value << 4 | (uint32_t)(found - digits);
    }
    *id = value;
    return ACD_OK;
}

/* The key id by its definition: the first bytes of H(name || newline || type || public key). */
static uint32_t id_of(const char *name, size_t name_len, const uint8_t material[VKEY_MATERIAL_SIZE])
{
    uint8_t hash[ACD_HASH_SIZE];
    const acd_hash_part parts[] = {{name, name_len}, {"\n", 1}, {material, VKEY_MATERIAL_SIZE}};
    acd_sha256_parts(hash, parts, 3);
    return acd_read_u32(hash);
}

static int is_known_type(uint8_t type)
{
    return type == ACD_NOTE_ED25519 || type == ACD_NOTE_COSIGNATURE;
}

acd_status acd_note_key_reread(acd_note_key *out, const char *vkey, size_t len)
{
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
    if (left < HEX_ID_LEN + 1u || hex[HEX_ID_LEN] != '+') {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(parse_hex_id(&key.id, hex));
    uint8_t material[VKEY_MATERIAL_SIZE];
    size_t material_len = 0;
    ACD_TRY(acd_base64_decode(material, sizeof material, &material_len, hex + HEX_ID_LEN + 1u,
                              left - HEX_ID_LEN - 1u));
    if (material_len != sizeof material || !is_known_type(material[0])) {
        return ACD_ERR_UNKNOWN_TYPE;
    }
    key.type = material[0];
    memcpy(key.public_key, material + 1, ACD_PUBLIC_KEY_SIZE);
    if (id_of(key.name, key.name_len, material) != key.id) {
        return ACD_ERR_MISMATCH;
    }
    *out = key;
    return ACD_OK;
}

acd_status acd_note_key_parse(acd_note_key *out, const char *vkey, size_t len)
{
    if (out == NULL || acd_is_lacking(vkey, len)) {
        return ACD_ERR_MISUSE;
    }
    acd_note_key key;
    ACD_TRY(acd_note_key_reread(&key, vkey, len));
    ACD_TRY(acd_public_key_check(key.public_key));
    *out = key;
    return ACD_OK;
}

acd_status acd_note_key_make(acd_note_key *out, const char *name, size_t name_len, uint8_t type,
                             const uint8_t public_key[ACD_PUBLIC_KEY_SIZE])
{
    if (out == NULL || acd_is_lacking(name, name_len) || public_key == NULL) {
        return ACD_ERR_MISUSE;
    }
    uint8_t material[VKEY_MATERIAL_SIZE];
    ACD_TRY(check_name(name, name_len));
    if (!is_known_type(type)) {
        return ACD_ERR_UNKNOWN_TYPE;
    }
    ACD_TRY(acd_public_key_check(public_key));
    material[0] = type;
    memcpy(material + 1, public_key, ACD_PUBLIC_KEY_SIZE);
    *out = (acd_note_key){.name = name, .name_len = name_len, .type = type};
    out->id = id_of(name, name_len, material);
    memcpy(out->public_key, public_key, ACD_PUBLIC_KEY_SIZE);
    return ACD_OK;
}

acd_status acd_note_key_write(char *out, size_t out_cap, size_t *out_len, const acd_note_key *key)
{
    static const char digits[] = "0123456789abcdef";
    if (acd_is_lacking(out, out_cap) || out_len == NULL || key == NULL) {
        return ACD_ERR_MISUSE;
    }
    size_t len = key->name_len + 1u + HEX_ID_LEN + 1u + acd_base64_size(VKEY_MATERIAL_SIZE);
    if (out_cap < len) {
        return ACD_ERR_NO_SPACE;
    }
    uint8_t material[VKEY_MATERIAL_SIZE];
    char *at = out + key->name_len;
    memcpy(out, key->name, key->name_len);
    *at++ = '+';
    for (unsigned i = 0; i < HEX_ID_LEN; i++) {
        *at++ = digits[key->id >> (28u - 4u * i) & 15u];
    }
    *at++ = '+';
    material[0] = key->type;
    memcpy(material + 1, key->public_key, ACD_PUBLIC_KEY_SIZE);
    acd_base64_encode(at, material, sizeof material);
    *out_len = len;
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

/* "cosignature/v1\ntime <decimal>\n" and the text; returns their length. text_len <= COSIGNED_TEXT_MAX. */
static size_t form_cosigned(char out[COSIGNED_HEADER_MAX + COSIGNED_TEXT_MAX], uint64_t time,
                            const char *text, size_t text_len)
{
    static const char start[] = "cosignature/v1\ntime ";
    size_t len = sizeof start - 1u;
    memcpy(out, start, len);
    len += acd_decimal_write(out + len, time);
    out[len++] = '\n';
    memcpy(out + len, text, text_len);
    return len + text_len;
}

static acd_status verify_cosignature(uint64_t *time, const uint8_t *timestamped, const char *text,
                                     size_t text_len, const acd_note_key *key)
{
    char cosigned[COSIGNED_HEADER_MAX + COSIGNED_TEXT_MAX];
    if (text_len > COSIGNED_TEXT_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    *time = acd_read_u64(timestamped);
    if (*time > INT64_MAX) {
        return ACD_ERR_AUTHENTICATION;
    }
    size_t len = form_cosigned(cosigned, *time, text, text_len);
    return acd_ed25519_verify(timestamped + TIMESTAMP_SIZE, cosigned, len, key->public_key);
}

acd_status acd_note_blob_verify(uint64_t *time, const uint8_t *blob, size_t blob_len, const char *text,
                                size_t text_len, const acd_note_key *key)
{
    int is_cosignature = key->type == ACD_NOTE_COSIGNATURE;
    size_t expected = ACD_KEY_ID_SIZE + ACD_SIGNATURE_SIZE + (is_cosignature ? TIMESTAMP_SIZE : 0);
    if (blob_len != expected) {
        return ACD_ERR_AUTHENTICATION;
    }
    if (is_cosignature) {
        return verify_cosignature(time, blob + ACD_KEY_ID_SIZE, text, text_len, key);
    }
    *time = 0;
    return acd_ed25519_verify(blob + ACD_KEY_ID_SIZE, text, text_len, key->public_key);
}

/* One signature line, "— name base64", without its newline. */
typedef struct signature_line {
    const char *name;
    size_t name_len;
    uint8_t blob[ACD_SIGNATURE_BLOB_MAX]; /* its beginning, if it is longer */
    size_t blob_len;
} signature_line;

static acd_status read_line(signature_line *out, const char *line, size_t len)
{
    if (len < DASH_LEN || memcmp(line, dash, DASH_LEN) != 0) {
        return ACD_ERR_MALFORMED;
    }
    out->name = line + DASH_LEN;
    const char *space = memchr(out->name, ' ', len - DASH_LEN);
    if (space == NULL) {
        return ACD_ERR_MALFORMED;
    }
    out->name_len = (size_t)(space - out->name);
    ACD_TRY(check_name(out->name, out->name_len));
    ACD_TRY(acd_base64_decode(out->blob, sizeof out->blob, &out->blob_len, space + 1,
                              len - DASH_LEN - out->name_len - 1u));
    return out->blob_len > ACD_KEY_ID_SIZE ? ACD_OK : ACD_ERR_MALFORMED;
}

acd_status acd_note_find(acd_note_signature *out, const char *note, size_t len, const acd_note_key *key)
{
    if (out == NULL || acd_is_lacking(note, len) || key == NULL) {
        return ACD_ERR_MISUSE;
    }
    acd_note_signature found = {0, 0, 0};
    size_t lines = 0;
    ACD_TRY(split(&found.text_len, note, len));
    for (size_t at = found.text_len + 1u; at < len;) { /* every line ends in a newline: the note does */
        size_t line_len = (size_t)((const char *)memchr(note + at, '\n', len - at) - (note + at));
        signature_line line;
        uint64_t time = 0;
        if (++lines > ACD_NOTE_SIGNATURES_MAX) {
            return ACD_ERR_TOO_LARGE;
        }
        ACD_TRY(read_line(&line, note + at, line_len));
        if (line.name_len == key->name_len && memcmp(line.name, key->name, line.name_len) == 0 &&
            acd_read_u32(line.blob) == key->id) {
            ACD_TRY(acd_note_blob_verify(&time, line.blob, line.blob_len, note, found.text_len, key));
            found.time = found.is_there ? found.time : time;
            found.is_there = 1;
        }
        at += line_len + 1u;
    }
    *out = found;
    return ACD_OK;
}

acd_status acd_note_verify(size_t *text_len, const char *note, size_t len, const acd_note_key *key)
{
    acd_note_signature found;
    if (text_len == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(acd_note_find(&found, note, len, key));
    if (!found.is_there) {
        return ACD_ERR_AUTHENTICATION;
    }
    *text_len = found.text_len;
    return ACD_OK;
}

acd_status acd_note_blob_next(uint8_t blob[ACD_SIGNATURE_BLOB_MAX], size_t *blob_len, size_t *at,
                              const char *note, size_t len)
{
    signature_line line;
    size_t line_len = (size_t)((const char *)memchr(note + *at, '\n', len - *at) - (note + *at));
    ACD_TRY(read_line(&line, note + *at, line_len));
    memcpy(blob, line.blob, sizeof line.blob);
    *blob_len = line.blob_len;
    *at += line_len + 1u;
    return ACD_OK;
}

acd_status acd_note_split(size_t *text_len, const char *note, size_t len)
{
    return split(text_len, note, len);
}

/* MARK: Signing */

acd_status acd_note_line_write(char *out, size_t out_cap, size_t *out_len, const acd_note_key *key,
                               const uint8_t *blob, size_t blob_len)
{
    size_t len = DASH_LEN + key->name_len + 1u + acd_base64_size(blob_len) + 1u;
    if (out_cap < len) {
        return ACD_ERR_NO_SPACE;
    }
    memcpy(out, dash, DASH_LEN);
    memcpy(out + DASH_LEN, key->name, key->name_len);
    out[DASH_LEN + key->name_len] = ' ';
    acd_base64_encode(out + DASH_LEN + key->name_len + 1u, blob, blob_len);
    out[len - 1u] = '\n';
    *out_len = len;
    return ACD_OK;
}

acd_status acd_note_sign(char *out, size_t out_cap, size_t *out_len, const acd_note_key *key, uint64_t time,
                         const char *text, size_t text_len, const uint8_t secret_key[ACD_SECRET_KEY_SIZE])
{
    if (acd_is_lacking(out, out_cap) || out_len == NULL || key == NULL || acd_is_lacking(text, text_len) ||
        secret_key == NULL || time > INT64_MAX) {
        return ACD_ERR_MISUSE;
    }
    if (text_len > COSIGNED_TEXT_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if (text_len == 0 || text[text_len - 1u] != '\n') {
        return ACD_ERR_MALFORMED;
    }
    uint8_t blob[ACD_SIGNATURE_BLOB_MAX];
    size_t len = ACD_KEY_ID_SIZE;
    for (size_t i = 0; i < ACD_KEY_ID_SIZE; i++) {
        blob[i] = (uint8_t)(key->id >> (24u - 8u * i) & 0xffu);
    }
    if (key->type == ACD_NOTE_COSIGNATURE) {
        char cosigned[COSIGNED_HEADER_MAX + COSIGNED_TEXT_MAX];
        acd_write_u64(blob + len, time);
        len += TIMESTAMP_SIZE;
        acd_ed25519_sign(blob + len, cosigned, form_cosigned(cosigned, time, text, text_len), secret_key);
    } else {
        acd_ed25519_sign(blob + len, text, text_len, secret_key);
    }
    return acd_note_line_write(out, out_cap, out_len, key, blob, len + ACD_SIGNATURE_SIZE);
}
