/* acd/cbor.h: strict deterministic CBOR (RFC 8949 s. 4.2.1), a pull decoder and an encoder.
 *
 * Only what the messages need: unsigned and negative integers, byte and text strings, arrays, maps with
 * integer keys in -24..23, tag 18, false, true, null. No floats, no other tags, no indefinite lengths,
 * nothing that is not the shortest form. What the decoder accepts has exactly one encoding.
 *
 * Both contexts keep a sticky status: after the first error every call is a no-op that returns the error,
 * so a caller may check once at the end.
 */
#ifndef ACD_CBOR_H
#define ACD_CBOR_H

#include <stddef.h>
#include <stdint.h>
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_CBOR_DEPTH_MAX 16u /* containers open at once, in acd_cbor_skip and acd_cbor_check */

/* MARK: Decoder */

typedef enum acd_cbor_kind {
    ACD_CBOR_UINT = 0,
    ACD_CBOR_NEGATIVE = 1, /* value is -1 - number */
    ACD_CBOR_BYTES = 2,
    ACD_CBOR_TEXT = 3,
    ACD_CBOR_ARRAY = 4,
    ACD_CBOR_MAP = 5,
    ACD_CBOR_TAG = 6,
    ACD_CBOR_SIMPLE = 7    /* number is 20 false, 21 true, 22 null */
} acd_cbor_kind;

typedef struct acd_cbor_item {
    acd_cbor_kind kind;
    uint64_t number;       /* value, element or pair count, tag, or string length */
    const uint8_t *bytes;  /* strings: content, `number` bytes, borrowed from the input */
} acd_cbor_item;

typedef struct acd_cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
    acd_status status;
} acd_cbor_reader;

void acd_cbor_reader_init(acd_cbor_reader *reader, const void *bytes, size_t len);

/* acd_cbor_next reads one head (and a string's content). It does not descend: after an array or map the items
 * follow. */
ACD_MUST_CHECK acd_status acd_cbor_next(acd_cbor_reader *reader, acd_cbor_item *item);

/* acd_cbor_skip passes over one whole item, checking it fully: shortest forms, UTF-8, and the order and
 * uniqueness of integer map keys. On success *bytes and *len are its encoding, borrowed from the input. */
ACD_MUST_CHECK acd_status acd_cbor_skip(acd_cbor_reader *reader, const uint8_t **bytes, size_t *len);

/* acd_cbor_finish is ACD_OK if nothing failed and nothing is left over. */
ACD_MUST_CHECK acd_status acd_cbor_finish(const acd_cbor_reader *reader);

/* acd_cbor_check is ACD_OK if the bytes are exactly one deterministic item of this dialect. */
ACD_MUST_CHECK acd_status acd_cbor_check(const void *bytes, size_t len);

/* MARK: Encoder */

typedef struct acd_cbor_writer {
    uint8_t *out;
    size_t cap;
    size_t len;            /* written so far; on ACD_ERR_NO_SPACE, what would have been needed up to there */
    acd_status status;
} acd_cbor_writer;

void acd_cbor_writer_init(acd_cbor_writer *writer, void *out, size_t cap);
void acd_cbor_put_uint(acd_cbor_writer *writer, uint64_t value);
void acd_cbor_put_int(acd_cbor_writer *writer, int64_t value);
void acd_cbor_put_bytes(acd_cbor_writer *writer, const void *bytes, size_t len);
void acd_cbor_put_text(acd_cbor_writer *writer, const void *utf8, size_t len); /* must be UTF-8 */
void acd_cbor_put_bool(acd_cbor_writer *writer, int value);
void acd_cbor_put_null(acd_cbor_writer *writer);
void acd_cbor_put_array(acd_cbor_writer *writer, uint64_t count);
/* The keys then come in ascending encoded order: the caller's duty. */
void acd_cbor_put_map(acd_cbor_writer *writer, uint64_t pairs);
void acd_cbor_put_tag(acd_cbor_writer *writer, uint64_t tag);
/* One item, already encoded. */
void acd_cbor_put_raw(acd_cbor_writer *writer, const void *encoded, size_t len);
ACD_MUST_CHECK acd_status acd_cbor_writer_finish(const acd_cbor_writer *writer, size_t *out_len);

#ifdef __cplusplus
}
#endif
#endif
