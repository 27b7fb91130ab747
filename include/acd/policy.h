/* acd/policy.h: which logs count, and which cosignatures suffice (C2SP tlog-policy).
 *
 * A policy is text: lines of "log <vkey> [<url>]", "witness <name> <vkey> [<url>]", "group <name> all|any|<k>
 * <name>..." and one "quorum <name>|none". Logs have keys of type 0x01 and witnesses of type 0x04; a policy
 * with a key of another type is refused, since a quorum that cannot be counted is none.
 * Stack: less than 1 KiB beyond libsodium's. No heap. */
#ifndef ACD_POLICY_H
#define ACD_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include "acd/note.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_POLICY_SIZE_MAX 16384u
#define ACD_POLICY_LOGS_MAX 32u
#define ACD_POLICY_WITNESSES_MAX 32u
#define ACD_POLICY_GROUPS_MAX 32u
#define ACD_POLICY_NAMES_MAX (ACD_POLICY_WITNESSES_MAX + ACD_POLICY_GROUPS_MAX)

/* A piece of the policy's text. */
typedef struct acd_policy_span {
    uint16_t at;
    uint16_t len;
} acd_policy_span;

/* A witness or a group, in the order of the text. */
typedef struct acd_policy_name {
    uint64_t members; /* a group's: a bit for each name before it; 0 for a witness */
    acd_policy_span name;
    acd_policy_span vkey; /* a witness's */
    uint8_t threshold;    /* a group's: how many members it takes */
} acd_policy_name;

/* acd_policy borrows the text. Less than 2.5 KiB. */
typedef struct acd_policy {
    const char *text;
    acd_policy_span logs[ACD_POLICY_LOGS_MAX]; /* their vkeys */
    acd_policy_name names[ACD_POLICY_NAMES_MAX];
    uint8_t log_count;
    uint8_t name_count;
    uint8_t quorum;    /* an index into names */
    uint8_t is_none;   /* "quorum none": no cosignature is needed */
} acd_policy;

/* acd_policy_read checks everything that the specification says of a policy, keys and their ids included:
 * ACD_ERR_MALFORMED for what is no policy, ACD_ERR_DUPLICATE_KEY for a name or public key given twice,
 * ACD_ERR_MISMATCH for a name that is not defined before, or is a member twice, ACD_ERR_TOO_LARGE beyond the
 * limits above, and what acd_note_key_parse says of a key. Where it fails, *out is not to be used. */
ACD_MUST_CHECK acd_status acd_policy_read(acd_policy *out, const char *text, size_t len);

/* The key of log `index` < log_count. */
ACD_MUST_CHECK acd_status acd_policy_log(acd_note_key *out, const acd_policy *policy, size_t index);
/* The key of name `index` < name_count; ACD_ERR_MISMATCH if that is a group. */
ACD_MUST_CHECK acd_status acd_policy_witness(acd_note_key *out, const acd_policy *policy, size_t index);

/* acd_policy_holds says whether the witnesses whose bits are set (bit i: name i) are a quorum: 1 or 0. Bits
 * of groups and beyond name_count count for nothing. */
ACD_MUST_CHECK int acd_policy_holds(const acd_policy *policy, uint64_t witnesses);

#ifdef __cplusplus
}
#endif
#endif
