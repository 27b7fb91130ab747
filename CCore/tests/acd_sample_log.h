/* acd_sample_log.h: a log's keys, notes and proofs for tests, all from one-byte seeds: never for real use. */
#ifndef ACD_SAMPLE_LOG_H
#define ACD_SAMPLE_LOG_H

#include "acd_sample.h"

#define SAMPLE_LOG_SEED 40u
#define SAMPLE_WITNESS_SEED 50u /* witness i has the seed 50 + i */
#define SAMPLE_ORIGIN "archive.example/log"

/* Adds text behind a text; `text` has to have the room. */
void sample_put(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The vkey of a name, type and seed, as text. */
void sample_vkey(char out[512], const char *name, uint8_t type, uint8_t seed);
/* Adds the signature line of a name, type and seed over the first text_len bytes of the note. */
void sample_put_signature(char *note, size_t text_len, const char *name, uint8_t type, uint8_t seed,
                          uint64_t time);
/* "log …", witnesses w0 … w(count - 1), and a quorum of `quorum` of them; 0: none. */
void sample_policy_text(char *out, unsigned witnesses, unsigned quorum);
/* The same, of a log with another key. */
void sample_policy_text_of(char *out, uint8_t log_seed, unsigned witnesses, unsigned quorum);

/* A leaf's place in a log; the path's hashes are made up, the root follows from them. */
typedef struct sample_proof {
    uint64_t index;
    uint64_t size;
    const uint64_t *times; /* of witness 0 … cosignatures - 1 */
    unsigned cosignatures;
    uint8_t log_seed;
    const char *origin;
    const char *log_name; /* of the log's key; NULL: the origin */
    const char *extra; /* base64, or NULL */
} sample_proof;

/* A tlog-proof of the leaf with this hash. */
void sample_proof_text(char *out, const sample_proof *proof, const uint8_t leaf_hash[ACD_HASH_SIZE]);

#endif
