/* acd_internal.h: what the core's files share and no caller sees. */
#ifndef ACD_INTERNAL_H
#define ACD_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "acd/cbor.h"
#include "acd/cose.h"
#include "acd/crypto.h"
#include "acd/note.h"
#include "acd/status.h"

/* Returns from the enclosing function unless `call` came to ACD_OK. */
#define ACD_TRY(call) \
    do { \
        const acd_status try_status = (call); \
        if (try_status != ACD_OK) { \
            return try_status; \
        } \
    } while (0)

/* A pointer and its length travel together: NULL only with length 0. */
static inline int acd_is_lacking(const void *bytes, size_t len)
{
    return bytes == NULL && len != 0;
}

/* acd_utf8_check is ACD_OK for well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong). */
ACD_MUST_CHECK acd_status acd_utf8_check(const uint8_t *text, size_t len);

/* acd_cbor_head_size is the length of the shortest head for `value`. */
size_t acd_cbor_head_size(uint64_t value);

/* MARK: Signed messages (acd_cose.c) */

/* acd_sign1_parse_structure takes the Sig_structure of a message apart: what is signed, with an empty
 * external_aad. Only type, key_id and payload of *out are set, and hold only with ACD_OK. */
ACD_MUST_CHECK acd_status acd_sign1_parse_structure(acd_sign1 *out, const void *bytes, size_t len);

/* MARK: Base64 (RFC 4648 s. 4). Public data: not in constant time. */

/* acd_base64_decode takes padded base64 in its one spelling: the spare bits of a last group must be zero. It
 * keeps the first `cap` bytes and counts all. */
ACD_MUST_CHECK acd_status acd_base64_decode(uint8_t *out, size_t cap, size_t *out_len, const char *text,
                                            size_t len);
/* The length of `len` bytes as base64; len <= SIZE_MAX / 2. */
size_t acd_base64_size(size_t len);
/* Writes acd_base64_size(len) characters. */
void acd_base64_encode(char *out, const uint8_t *bytes, size_t len);

/* MARK: Decimal numbers as in notes: ASCII, without leading zeros */

#define ACD_DECIMAL_MAX 20u /* digits of 2^64 - 1 */

ACD_MUST_CHECK acd_status acd_decimal_read(uint64_t *out, const char *text, size_t len);
/* Writes at most ACD_DECIMAL_MAX digits; returns how many. */
size_t acd_decimal_write(char out[ACD_DECIMAL_MAX], uint64_t value);

/* MARK: A walk from a leaf to the root of its tree (RFC 9162 s. 2.1.3.2), hash by hash */

typedef struct acd_path {
    uint64_t node_index;
    uint64_t last_index;
    uint8_t hash[ACD_HASH_SIZE];
} acd_path;

ACD_MUST_CHECK acd_status acd_path_begin(acd_path *path, const uint8_t leaf_hash[ACD_HASH_SIZE],
                                         uint64_t index, uint64_t size);
ACD_MUST_CHECK acd_status acd_path_step(acd_path *path, const uint8_t sibling[ACD_HASH_SIZE]);
/* ACD_OK if the walk has reached the top: `hash` is the root then. */
ACD_MUST_CHECK acd_status acd_path_end(const acd_path *path);

/* MARK: Notes */

#define ACD_KEY_ID_SIZE 4u

/* The key id, the time of a cosignature and the signature: what a signature line has as base64. */
#define ACD_SIGNATURE_BLOB_MAX (ACD_KEY_ID_SIZE + 8u + ACD_SIGNATURE_SIZE)

uint32_t acd_read_u32(const uint8_t bytes[4]);
uint64_t acd_read_u64(const uint8_t bytes[8]);
void acd_write_u64(uint8_t out[8], uint64_t value);

/* acd_note_blob_verify verifies one signature of `key`; *time is a cosignature's, else 0. */
ACD_MUST_CHECK acd_status acd_note_blob_verify(uint64_t *time, const uint8_t *blob, size_t blob_len,
                                               const char *text, size_t text_len, const acd_note_key *key);
/* acd_note_key_reread is acd_note_key_parse for a key that was parsed before: its point is not checked. */
ACD_MUST_CHECK acd_status acd_note_key_reread(acd_note_key *out, const char *vkey, size_t len);
/* Where a note's text ends, its final newline included; the note is UTF-8 without control characters. */
ACD_MUST_CHECK acd_status acd_note_split(size_t *text_len, const char *note, size_t len);
/* Reads the signature line at *at of a note that was split, and goes behind it. */
ACD_MUST_CHECK acd_status acd_note_blob_next(uint8_t blob[ACD_SIGNATURE_BLOB_MAX], size_t *blob_len,
                                             size_t *at, const char *note, size_t len);
ACD_MUST_CHECK acd_status acd_note_line_write(char *out, size_t out_cap, size_t *out_len,
                                              const acd_note_key *key, const uint8_t *blob, size_t blob_len);

#endif
