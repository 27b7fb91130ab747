/* acd_tlog_internal.h: what checkpoints and proofs share. */
#ifndef ACD_TLOG_INTERNAL_H
#define ACD_TLOG_INTERNAL_H

#include "acd_internal.h"
#include "acd/tlog.h"

/* A line of a text, without its newline. */
typedef struct acd_line {
    const char *text;
    size_t len;
} acd_line;

/* Takes the line at *at and goes behind it; 0 if no newline is left. */
int acd_line_next(acd_line *out, const char *text, size_t len, size_t *at);
/* A line that is a hash in base64. */
ACD_MUST_CHECK acd_status acd_line_hash(uint8_t out[ACD_HASH_SIZE], const acd_line *line);

/* The signatures under a checkpoint: a whole note, or a text and packed signatures (`note` is NULL then). */
typedef struct acd_seal {
    const char *note;
    size_t note_len;
    const char *text;
    size_t text_len;
    const uint8_t *blobs;
    size_t blob_count;
} acd_seal;

/* acd_note_find over either form. */
ACD_MUST_CHECK acd_status acd_seal_find(acd_note_signature *out, const acd_seal *seal,
                                        const acd_note_key *key);
/* Sets `reached` and `fresh`; fails without a quorum. */
ACD_MUST_CHECK acd_status acd_seal_count(acd_cosigned *out, const acd_seal *seal, const acd_policy *policy);

#endif
