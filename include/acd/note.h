/* acd/note.h: signed notes with Ed25519 (C2SP signed-note) and cosignatures on them (C2SP tlog-cosignature,
 * cosignature/v1), made and verified. Stack: about 1.5 KiB beyond libsodium's. No heap. */
#ifndef ACD_NOTE_H
#define ACD_NOTE_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_NOTE_SIZE_MAX 65536u
#define ACD_NOTE_SIGNATURES_MAX 64u
#define ACD_NOTE_KEY_NAME_MAX 255u
#define ACD_NOTE_VKEY_MAX 309u /* name, "+", 8 hexadecimal digits, "+", 44 of base64 */
#define ACD_NOTE_LINE_MAX 365u /* dash, space, name, space, 76 bytes as base64, newline */

#define ACD_NOTE_ED25519 0x01u     /* signs the text */
#define ACD_NOTE_COSIGNATURE 0x04u /* signs the text with a time */

/* A verifier key, "<name>+<hex key id>+<base64 (type || public key)>". */
typedef struct acd_note_key {
    const char *name;
    size_t name_len;
    uint32_t id;
    uint8_t type; /* ACD_NOTE_ED25519 or ACD_NOTE_COSIGNATURE */
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
} acd_note_key;

/* acd_note_key_parse borrows the name from `vkey` and checks the key id against its definition. */
ACD_MUST_CHECK acd_status acd_note_key_parse(acd_note_key *out, const char *vkey, size_t len);

/* acd_note_key_make borrows the name; the id follows. */
ACD_MUST_CHECK acd_status acd_note_key_make(acd_note_key *out, const char *name, size_t name_len,
                                            uint8_t type, const uint8_t public_key[ACD_PUBLIC_KEY_SIZE]);

/* acd_note_key_write writes the verifier key, at most ACD_NOTE_VKEY_MAX characters, without a terminator. */
ACD_MUST_CHECK acd_status acd_note_key_write(char *out, size_t out_cap, size_t *out_len,
                                             const acd_note_key *key);

/* acd_note_sign writes the signature line of `key` over a text, with its newline, at most ACD_NOTE_LINE_MAX
 * bytes. The text ends in a newline and has at most 1024 bytes; a note is text, newline, lines. `time`
 * (seconds, < 2^63) counts for a cosignature only. `secret_key` is secret, and has to be the key's. */
ACD_MUST_CHECK acd_status acd_note_sign(char *out, size_t out_cap, size_t *out_len, const acd_note_key *key,
                                        uint64_t time, const char *text, size_t text_len,
                                        const uint8_t secret_key[ACD_SECRET_KEY_SIZE]);

/* What a note has of one key. */
typedef struct acd_note_signature {
    size_t text_len; /* the signed text, from the note's start, its final newline included */
    int is_there;
    uint64_t time;   /* of a cosignature, in seconds; of several by one key the first one's */
} acd_note_signature;

/* acd_note_find says whether a well-formed note carries signatures by `key`; a signature line that names it
 * and does not hold fails (ACD_ERR_AUTHENTICATION), a note without one does not. */
ACD_MUST_CHECK acd_status acd_note_find(acd_note_signature *out, const char *note, size_t len,
                                        const acd_note_key *key);

/* acd_note_verify succeeds if the note is well formed and carries a valid signature by `key`. On success
 * *text_len is the length of the signed text (from the note's start, its final newline included). */
ACD_MUST_CHECK acd_status acd_note_verify(size_t *text_len, const char *note, size_t len,
                                          const acd_note_key *key);

#ifdef __cplusplus
}
#endif
#endif
