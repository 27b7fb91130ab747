/* acd/note.h: signed notes with Ed25519 (C2SP signed-note), verified. */
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
#define ACD_NOTE_SIGNATURES_MAX 16u
#define ACD_NOTE_KEY_NAME_MAX 255u

/* A verifier key, "<name>+<hex key id>+<base64 (type || public key)>". */
typedef struct acd_note_key {
    const char *name;
    size_t name_len;
    uint32_t id;
    uint8_t type;                          /* 0x01 Ed25519, 0x04 cosignature/v1 */
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
} acd_note_key;

/* acd_note_key_parse borrows the name from `vkey` and checks the key id against its definition. */
ACD_MUST_CHECK acd_status acd_note_key_parse(acd_note_key *out, const char *vkey, size_t len);

/* acd_note_verify succeeds if the note is well formed and carries a valid signature by `key`. On success
 * *text_len is the length of the signed text (from the note's start, its final newline included). */
ACD_MUST_CHECK acd_status acd_note_verify(size_t *text_len, const char *note, size_t len,
                                          const acd_note_key *key);

#ifdef __cplusplus
}
#endif
#endif
