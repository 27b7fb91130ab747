/* acd/tlog.h: the archive's transparency log, as a reader needs it: leaves, checkpoints, and proofs that a
 * leaf is in a log that a quorum of witnesses has seen.
 *
 * Sources: RFC 6962 s. 2.1, RFC 9162 s. 2.1.3.2; C2SP tlog-checkpoint, tlog-proof, tlog-cosignature,
 * tlog-policy; docs/adr/0009 for leaf and packed proof. Stack: less than 4 KiB beyond libsodium's. No heap.
 */
#ifndef ACD_TLOG_H
#define ACD_TLOG_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/policy.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* MARK: Leaves */

#define ACD_LEAF_SIZE 106u
#define ACD_LEAF_VERSION 1u

typedef enum acd_leaf_kind {
    ACD_LEAF_COMMIT = 1,
    ACD_LEAF_ABORT = 2,
    ACD_LEAF_ANNOUNCEMENT = 3,
    ACD_LEAF_REGISTRATION = 4,
    ACD_LEAF_PASSIVE = 5,
    ACD_LEAF_KEYS = 6,
    ACD_LEAF_REFUSAL = 7,
    ACD_LEAF_DELIVERY = 8
} acd_leaf_kind;

/* An entry of the log: what was published when, without what it says. */
typedef struct acd_leaf {
    uint8_t kind;                   /* acd_leaf_kind */
    uint64_t at;                    /* the archive's time, in seconds */
    uint8_t subject[ACD_HASH_SIZE]; /* of outcomes: acd_leaf_transaction */
    uint8_t lock[ACD_HASH_SIZE];    /* L of outcomes, else zero */
    uint8_t body[ACD_HASH_SIZE];    /* H(body) */
} acd_leaf;

/* acd_leaf_write writes "version || kind || at || subject || lock || body". */
void acd_leaf_write(uint8_t out[ACD_LEAF_SIZE], const acd_leaf *leaf);
/* acd_leaf_read refuses other versions (ACD_ERR_VERSION), kinds (ACD_ERR_FIELD_RANGE) and sizes. */
ACD_MUST_CHECK acd_status acd_leaf_read(acd_leaf *out, const void *bytes, size_t len);
/* acd_leaf_transaction writes H("acd-subject" || 1 || M || n). */
void acd_leaf_transaction(uint8_t out[ACD_HASH_SIZE], const uint8_t merchant[ACD_PUBLIC_KEY_SIZE],
                          const uint8_t n[16]);
/* acd_leaf_hash writes the leaf's hash in the tree, H(0x00 || leaf). */
ACD_MUST_CHECK acd_status acd_leaf_hash(uint8_t out[ACD_HASH_SIZE], const acd_leaf *leaf);

/* MARK: Checkpoints */

#define ACD_CHECKPOINT_TEXT_MAX 384u /* an origin of ACD_NOTE_KEY_NAME_MAX bytes, 20 digits, a root */

typedef struct acd_checkpoint {
    const char *origin; /* borrowed */
    size_t origin_len;
    uint64_t size; /* leaves; below 2^63 */
    uint8_t root[ACD_HASH_SIZE];
} acd_checkpoint;

/* acd_checkpoint_read reads a note's text (acd_note_verify says how long it is): three lines, extension lines
 * passed over. The empty tree has the root H(""). */
ACD_MUST_CHECK acd_status acd_checkpoint_read(acd_checkpoint *out, const char *text, size_t len);
/* acd_checkpoint_write writes the text, three lines, at most ACD_CHECKPOINT_TEXT_MAX bytes. */
ACD_MUST_CHECK acd_status acd_checkpoint_write(char *out, size_t out_cap, size_t *out_len,
                                               const acd_checkpoint *checkpoint);

/* What a policy's witnesses say of a checkpoint, by their own clocks, in seconds. */
typedef struct acd_cosigned {
    size_t log;       /* the policy's index of the log that signed */
    size_t text_len;  /* of the note's text */
    uint64_t reached; /* the first time by which a quorum had cosigned; 0 if the policy wants none */
    uint64_t fresh;   /* the last time from which on a quorum has cosigned; 0 if it wants none */
} acd_cosigned;

/* acd_checkpoint_verify checks a whole note: its origin is the name of a log of the policy, which signed it,
 * and a quorum cosigned it. A line that names a key of the policy and does not hold spoils it. */
ACD_MUST_CHECK acd_status acd_checkpoint_verify(acd_checkpoint *out, acd_cosigned *cosigned, const char *note,
                                                size_t len, const acd_policy *policy);

/* MARK: Proofs */

#define ACD_PROOF_SIZE_MAX 16384u
#define ACD_PROOF_HASHES_MAX 63u

typedef struct acd_proof_facts {
    uint64_t index;
    uint64_t size;
    uint8_t root[ACD_HASH_SIZE];
    acd_cosigned cosigned; /* text_len is 0 for a packed proof */
} acd_proof_facts;

/* acd_proof_verify checks that the leaf with this hash is in a log of the policy, under a checkpoint with a
 * quorum. `proof` is a tlog-proof (its "extra" is passed over) or the packed form:
 *
 *   index (8) || size (8) || count (1) || hashes || count (1) || (length (1) || key id (4) || signature)...
 *
 * big-endian, without names and root: origin and names are the policy's, the root follows. */
ACD_MUST_CHECK acd_status acd_proof_verify(acd_proof_facts *facts, const void *proof, size_t len,
                                           const uint8_t leaf_hash[ACD_HASH_SIZE], const acd_policy *policy);

/* acd_proof_pack turns a tlog-proof into the packed form. Signatures that no policy of ours reads (longer
 * than 76 bytes) are left out, and so is "extra". */
ACD_MUST_CHECK acd_status acd_proof_pack(void *out, size_t out_cap, size_t *out_len, const char *proof,
                                         size_t len);
/* acd_proof_unpack turns a packed proof that holds into a tlog-proof, with the signatures of the policy's
 * keys, the log's first. */
ACD_MUST_CHECK acd_status acd_proof_unpack(char *out, size_t out_cap, size_t *out_len, const void *packed,
                                           size_t len, const uint8_t leaf_hash[ACD_HASH_SIZE],
                                           const acd_policy *policy);

/* acd_proof_check_final decides fin() of an outcome whose proof holds: nobody cosigned it before `at` (less
 * `skew_seconds`), a quorum did before its lifetime's end (ACD_ERR_MISMATCH), and a quorum did in the last
 * `age_seconds` before `now` (ACD_ERR_EXPIRED; 0: at any time). */
ACD_MUST_CHECK acd_status acd_proof_check_final(const acd_proof_facts *facts, uint64_t at, uint64_t lifetime,
                                                uint64_t skew_seconds, uint64_t now, uint64_t age_seconds);

/* MARK: Outcomes */

/* acd_policy_covers says whether the policy names a log with this key: 1 or 0. If so, what that key's owner
 * publishes counts with a proof only. */
ACD_MUST_CHECK int acd_policy_covers(const acd_policy *policy, const uint8_t key[ACD_PUBLIC_KEY_SIZE]);

/* acd_outcome_verify decides fin() but for the checkpoint's age: the proof holds for the leaf, in the log of
 * the outcome's `signer` (else ACD_ERR_UNTRUSTED), and acd_proof_check_final holds. Under "quorum none" no
 * times are checked: nobody says any. */
ACD_MUST_CHECK acd_status acd_outcome_verify(acd_proof_facts *facts, const void *proof, size_t len,
                                             const acd_leaf *leaf, uint64_t lifetime,
                                             const uint8_t signer[ACD_PUBLIC_KEY_SIZE],
                                             const acd_policy *policy, uint64_t skew_seconds);

#ifdef __cplusplus
}
#endif
#endif
