/* acd_cose.c: tagged COSE_Sign1 with Ed25519, parsed, verified and signed in place.
 * Source: RFC 9052 s. 4.2 and 4.4, RFC 9053 s. 2.2, RFC 9596; the bytes are drawn in acd/cose.h.
 *
 * Invariants: one encoding per message; the type and the signer's key are under the signature; verifying
 * restores every byte that it changed.
 */
#include "acd/cose.h"
#include <string.h>
#include "acd/cbor.h"
#include "acd_internal.h"

#define HEADER_ALGORITHM 1
#define HEADER_KEY_ID 4
#define HEADER_TYPE 16
#define ALGORITHM_EDDSA (-8)

#define MESSAGE_START_SIZE 2u /* d2 84 */
#define SIGNED_START_SIZE 12u /* 84 6a "Signature1" */
#define TYPE_NAME_MAX 23u     /* so that its head is one byte, and the protected header's two */

static const uint8_t message_start[MESSAGE_START_SIZE] = {0xd2, 0x84};
static const uint8_t signed_start[SIGNED_START_SIZE] = {0x84, 0x6a, 'S', 'i', 'g', 'n',
                                                        'a',  't',  'u', 'r', 'e', '1'};
#define EMPTY_MAP 0xa0u
#define EMPTY_BYTES 0x40u

_Static_assert(ACD_SIGN1_PREFIX + MESSAGE_START_SIZE == SIGNED_START_SIZE, "the prefix is the difference");

/* MARK: Parsing */

static acd_status expect(acd_cbor_reader *reader, acd_cbor_kind kind, acd_cbor_item *item)
{
    ACD_TRY(acd_cbor_next(reader, item));
    return item->kind == kind ? ACD_OK : ACD_ERR_FIELD_KIND;
}

static acd_status expect_header(acd_cbor_reader *reader, uint64_t label)
{
    acd_cbor_item item;
    ACD_TRY(expect(reader, ACD_CBOR_UINT, &item));
    return item.number == label ? ACD_OK : ACD_ERR_UNKNOWN_FIELD;
}

/* Reads {1: -8, 4: key id, 16: type}, which has no other encoding. */
static acd_status parse_protected(acd_sign1 *out, const uint8_t *bytes, size_t len)
{
    acd_cbor_reader reader;
    acd_cbor_item item;
    ACD_TRY(acd_cbor_check(bytes, len));
    acd_cbor_reader_init(&reader, bytes, len);
    ACD_TRY(expect(&reader, ACD_CBOR_MAP, &item));
    if (item.number != 3u) {
        return item.number < 3u ? ACD_ERR_MISSING_FIELD : ACD_ERR_UNKNOWN_FIELD;
    }
    ACD_TRY(expect_header(&reader, HEADER_ALGORITHM));
    ACD_TRY(expect(&reader, ACD_CBOR_NEGATIVE, &item));
    if (item.number != (uint64_t)(-1 - ALGORITHM_EDDSA)) {
        return ACD_ERR_FIELD_RANGE;
    }
    ACD_TRY(expect_header(&reader, HEADER_KEY_ID));
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    if (item.number != ACD_PUBLIC_KEY_SIZE) {
        return ACD_ERR_FIELD_RANGE;
    }
    out->key_id = item.bytes;
    ACD_TRY(expect_header(&reader, HEADER_TYPE));
    ACD_TRY(expect(&reader, ACD_CBOR_TEXT, &item));
    out->type = acd_message_type_named(item.bytes, (size_t)item.number);
    if (out->type == ACD_NONE) {
        return ACD_ERR_UNKNOWN_TYPE;
    }
    return acd_message_info_of(out->type)->signers != 0 ? ACD_OK : ACD_ERR_UNEXPECTED_TYPE;
}

acd_status acd_sign1_parse(acd_sign1 *out, const void *bytes, size_t len)
{
    if (out == NULL || acd_is_lacking(bytes, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len > ACD_MESSAGE_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    acd_sign1 read;
    acd_cbor_reader reader;
    acd_cbor_item item;
    memset(&read, 0, sizeof read);
    read.bytes = bytes;
    read.len = len;
    acd_cbor_reader_init(&reader, bytes, len);
    ACD_TRY(acd_cbor_next(&reader, &item));
    if (item.kind != ACD_CBOR_TAG) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_cbor_next(&reader, &item));
    if (item.kind != ACD_CBOR_ARRAY || item.number != 4u) {
        return ACD_ERR_MALFORMED;
    }
    read.protected_bstr = reader.at;
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    read.protected_bstr_len = (size_t)(reader.at - read.protected_bstr);
    ACD_TRY(parse_protected(&read, item.bytes, (size_t)item.number));
    ACD_TRY(expect(&reader, ACD_CBOR_MAP, &item));
    if (item.number != 0) {
        return ACD_ERR_UNKNOWN_FIELD; /* an unprotected header */
    }
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    read.payload = item.bytes;
    read.payload_len = (size_t)item.number;
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    if (item.number != ACD_SIGNATURE_SIZE) {
        return ACD_ERR_FIELD_RANGE;
    }
    read.signature = item.bytes;
    ACD_TRY(acd_cbor_finish(&reader));
    *out = read;
    return ACD_OK;
}

acd_status acd_sign1_parse_structure(acd_sign1 *out, const void *bytes, size_t len)
{
    acd_cbor_reader reader;
    acd_cbor_item item;
    if (len < SIGNED_START_SIZE || memcmp(bytes, signed_start, sizeof signed_start) != 0) {
        return ACD_ERR_MALFORMED;
    }
    acd_cbor_reader_init(&reader, (const uint8_t *)bytes + SIGNED_START_SIZE, len - SIGNED_START_SIZE);
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    ACD_TRY(parse_protected(out, item.bytes, (size_t)item.number));
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    if (item.number != 0) {
        return ACD_ERR_FIELD_RANGE; /* external_aad */
    }
    ACD_TRY(expect(&reader, ACD_CBOR_BYTES, &item));
    out->payload = item.bytes;
    out->payload_len = (size_t)item.number;
    return acd_cbor_finish(&reader);
}

/* MARK: Verifying */

acd_status acd_sign1_verify_in_place(const acd_sign1 *parsed, uint8_t *message)
{
    if (parsed == NULL || message == NULL) {
        return ACD_ERR_MISUSE;
    }
    uint8_t saved[ACD_SIGN1_PREFIX];
    uint8_t *start = message - ACD_SIGN1_PREFIX;
    uint8_t *middle = message + MESSAGE_START_SIZE + parsed->protected_bstr_len;
    memcpy(saved, start, sizeof saved);
    memcpy(start, signed_start, sizeof signed_start);
    *middle = EMPTY_BYTES; /* external_aad in the place of the unprotected header */
    size_t signed_len = ACD_SIGN1_PREFIX + parsed->len - ACD_SIGN1_TAILROOM;
    acd_status status = acd_ed25519_verify(parsed->signature, start, signed_len, parsed->key_id);
    *middle = EMPTY_MAP;
    memcpy(message, message_start, sizeof message_start);
    memcpy(start, saved, sizeof saved);
    return status;
}

acd_status acd_sign1_verify(const acd_sign1 *parsed, void *scratch, size_t scratch_cap)
{
    if (parsed == NULL || scratch == NULL) {
        return ACD_ERR_MISUSE;
    }
    if (scratch_cap < ACD_SIGN1_PREFIX || scratch_cap - ACD_SIGN1_PREFIX < parsed->len) {
        return ACD_ERR_NO_SPACE;
    }
    uint8_t *message = (uint8_t *)scratch + ACD_SIGN1_PREFIX;
    memset(scratch, 0, ACD_SIGN1_PREFIX); /* what is saved and restored must not be indeterminate */
    memcpy(message, parsed->bytes, parsed->len);
    return acd_sign1_verify_in_place(parsed, message);
}

/* MARK: Signing */

/* Writes <protected>, the middle byte and the payload's head, which stand before the payload. */
static acd_status put_before_payload(uint8_t *out, size_t out_cap, size_t *out_len, size_t *middle,
                                     const char *type_name, const uint8_t *key_id, size_t payload_len)
{
    size_t name_len = strlen(type_name);
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out, out_cap);
    /* a3 01 27 04 58 20 <key id> 10 6x <type>: 40 bytes and the name, under a head of two bytes, 58 xx. */
    size_t protected_len = 40u + name_len;
    uint8_t bstr_head[2] = {0x58, (uint8_t)protected_len};
    acd_cbor_put_raw(&writer, bstr_head, sizeof bstr_head);
    acd_cbor_put_map(&writer, 3);
    acd_cbor_put_int(&writer, HEADER_ALGORITHM);
    acd_cbor_put_int(&writer, ALGORITHM_EDDSA);
    acd_cbor_put_int(&writer, HEADER_KEY_ID);
    acd_cbor_put_bytes(&writer, key_id, ACD_PUBLIC_KEY_SIZE);
    acd_cbor_put_int(&writer, HEADER_TYPE);
    acd_cbor_put_text(&writer, type_name, name_len);
    *middle = writer.len;
    const uint8_t empty = EMPTY_BYTES;
    acd_cbor_put_raw(&writer, &empty, 1);
    /* Only the head of the payload: a byte string's head with nothing after it yet. */
    uint8_t head[5] = {0x5a, 0, (uint8_t)(payload_len >> 16 & 0xffu), (uint8_t)(payload_len >> 8 & 0xffu),
                       (uint8_t)(payload_len & 0xffu)};
    if (payload_len < 24u) {
        head[4] = (uint8_t)(EMPTY_BYTES | payload_len);
        acd_cbor_put_raw(&writer, head + 4, 1);
    } else if (payload_len <= UINT8_MAX) {
        head[3] = 0x58;
        acd_cbor_put_raw(&writer, head + 3, 2);
    } else if (payload_len <= UINT16_MAX) {
        head[2] = 0x59;
        acd_cbor_put_raw(&writer, head + 2, 3);
    } else {
        acd_cbor_put_raw(&writer, head, sizeof head);
    }
    return acd_cbor_writer_finish(&writer, out_len);
}

acd_status acd_sign1_begin(uint8_t *buffer, size_t cap, size_t *signed_offset, size_t *signed_len,
                           size_t payload_len, acd_message_type type,
                           const uint8_t public_key[ACD_PUBLIC_KEY_SIZE])
{
    const acd_message_info *info = acd_message_info_of(type);
    if (buffer == NULL || signed_offset == NULL || signed_len == NULL || public_key == NULL || info == NULL ||
        info->signers == 0 || strlen(info->name) > TYPE_NAME_MAX) {
        return ACD_ERR_MISUSE;
    }
    if (payload_len > ACD_MESSAGE_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if (cap < payload_len + ACD_SIGN1_OVERHEAD) {
        return ACD_ERR_NO_SPACE;
    }
    uint8_t before[ACD_SIGN1_HEADROOM];
    size_t before_len = 0;
    size_t middle = 0;
    ACD_TRY(put_before_payload(before, sizeof before, &before_len, &middle, info->name, public_key,
                               payload_len));
    if (MESSAGE_START_SIZE + before_len + payload_len + ACD_SIGN1_TAILROOM > ACD_MESSAGE_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    /* 12 + 65 + 1 + 5 bytes at most: within the headroom. */
    uint8_t *body = buffer + ACD_SIGN1_HEADROOM - before_len;
    memcpy(body, before, before_len);
    memcpy(body - SIGNED_START_SIZE, signed_start, sizeof signed_start);
    *signed_offset = ACD_SIGN1_HEADROOM - before_len - SIGNED_START_SIZE;
    *signed_len = SIGNED_START_SIZE + before_len + payload_len;
    return ACD_OK;
}

acd_status acd_sign1_finish(uint8_t *buffer, size_t cap, size_t *out_offset, size_t *out_len,
                            size_t signed_offset, size_t signed_len,
                            const uint8_t signature[ACD_SIGNATURE_SIZE])
{
    if (buffer == NULL || out_offset == NULL || out_len == NULL || signature == NULL ||
        signed_len < SIGNED_START_SIZE + 2u || signed_offset > cap ||
        cap - signed_offset < signed_len + ACD_SIGN1_TAILROOM) {
        return ACD_ERR_MISUSE;
    }
    uint8_t *body = buffer + signed_offset + SIGNED_START_SIZE; /* 58 xx <protected> 40 ... */
    const size_t middle = 2u + body[1];
    if (middle >= signed_len - SIGNED_START_SIZE || body[middle] != EMPTY_BYTES) {
        return ACD_ERR_MISUSE;
    }
    uint8_t *tail = buffer + signed_offset + signed_len;
    tail[0] = 0x58;
    tail[1] = ACD_SIGNATURE_SIZE;
    memcpy(tail + 2, signature, ACD_SIGNATURE_SIZE);
    memcpy(body - MESSAGE_START_SIZE, message_start, sizeof message_start);
    body[middle] = EMPTY_MAP;
    *out_offset = signed_offset + ACD_SIGN1_PREFIX;
    *out_len = signed_len - ACD_SIGN1_PREFIX + ACD_SIGN1_TAILROOM;
    return ACD_OK;
}

acd_status acd_sign1_sign_in_place(uint8_t *buffer, size_t cap, size_t *out_offset, size_t *out_len,
                                   size_t payload_len, acd_message_type type,
                                   const uint8_t secret_key[ACD_SECRET_KEY_SIZE])
{
    size_t offset = 0;
    size_t len = 0;
    uint8_t signature[ACD_SIGNATURE_SIZE];
    if (out_offset == NULL || out_len == NULL || secret_key == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(acd_sign1_begin(buffer, cap, &offset, &len, payload_len, type, secret_key + ACD_SEED_SIZE));
    acd_ed25519_sign(signature, buffer + offset, len, secret_key);
    return acd_sign1_finish(buffer, cap, out_offset, out_len, offset, len, signature);
}
