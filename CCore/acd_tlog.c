/* acd_tlog.c: leaves and checkpoints of the archive's log, and whether a policy's quorum has cosigned one.
 * Source: C2SP tlog-checkpoint, tlog-cosignature, tlog-policy; docs/adr/0009.
 *
 * Invariants: a size has one spelling; a checkpoint counts only under a log that the policy names as its
 * origin says; times come from cosignatures that hold, and from nothing else.
 */
#include "acd/tlog.h"
#include <string.h>
#include "acd_tlog_internal.h"
#include "acd/merkle.h"

#define LEAF_AT 2u
#define LEAF_SUBJECT 10u
#define LEAF_LOCK 42u
#define LEAF_BODY 74u
_Static_assert(LEAF_BODY + ACD_HASH_SIZE == ACD_LEAF_SIZE, "the leaf has no gap");

#define ROOT_LEN 44u /* 32 bytes as base64 */
#define SIZE_LIMIT (UINT64_C(1) << 63)

/* MARK: Leaves */

void acd_leaf_write(uint8_t out[ACD_LEAF_SIZE], const acd_leaf *leaf)
{
    out[0] = ACD_LEAF_VERSION;
    out[1] = leaf->kind;
    acd_write_u64(out + LEAF_AT, leaf->at);
    memcpy(out + LEAF_SUBJECT, leaf->subject, ACD_HASH_SIZE);
    memcpy(out + LEAF_LOCK, leaf->lock, ACD_HASH_SIZE);
    memcpy(out + LEAF_BODY, leaf->body, ACD_HASH_SIZE);
}

acd_status acd_leaf_read(acd_leaf *out, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    if (out == NULL || acd_is_lacking(bytes, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len != ACD_LEAF_SIZE) {
        return len < ACD_LEAF_SIZE ? ACD_ERR_TRUNCATED : ACD_ERR_TRAILING;
    }
    if (in[0] != ACD_LEAF_VERSION) {
        return ACD_ERR_VERSION;
    }
    if (in[1] < ACD_LEAF_COMMIT || in[1] > ACD_LEAF_DELIVERY) {
        return ACD_ERR_FIELD_RANGE;
    }
    out->kind = in[1];
    out->at = acd_read_u64(in + LEAF_AT);
    memcpy(out->subject, in + LEAF_SUBJECT, ACD_HASH_SIZE);
    memcpy(out->lock, in + LEAF_LOCK, ACD_HASH_SIZE);
    memcpy(out->body, in + LEAF_BODY, ACD_HASH_SIZE);
    return ACD_OK;
}

void acd_leaf_transaction(uint8_t out[ACD_HASH_SIZE], const uint8_t merchant[ACD_PUBLIC_KEY_SIZE],
                          const uint8_t n[16])
{
    static const char domain[] = "acd-subject\x01";
    const acd_hash_part parts[] = {{domain, sizeof domain - 1}, {merchant, ACD_PUBLIC_KEY_SIZE}, {n, 16}};
    acd_sha256_parts(out, parts, 3);
}

acd_status acd_leaf_hash(uint8_t out[ACD_HASH_SIZE], const acd_leaf *leaf)
{
    uint8_t bytes[ACD_LEAF_SIZE];
    if (out == NULL || leaf == NULL) {
        return ACD_ERR_MISUSE;
    }
    acd_leaf_write(bytes, leaf);
    return acd_merkle_leaf_hash(out, acd_hash_sodium, bytes, sizeof bytes);
}

/* MARK: Lines */

int acd_line_next(acd_line *out, const char *text, size_t len, size_t *at)
{
    const char *newline = *at < len ? memchr(text + *at, '\n', len - *at) : NULL;
    if (newline == NULL) {
        return 0;
    }
    out->text = text + *at;
    out->len = (size_t)(newline - out->text);
    *at += out->len + 1u;
    return 1;
}

acd_status acd_line_hash(uint8_t out[ACD_HASH_SIZE], const acd_line *line)
{
    size_t len = 0;
    if (line->len != ROOT_LEN) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_base64_decode(out, ACD_HASH_SIZE, &len, line->text, line->len));
    return len == ACD_HASH_SIZE ? ACD_OK : ACD_ERR_MALFORMED;
}

/* MARK: Checkpoints */

acd_status acd_checkpoint_read(acd_checkpoint *out, const char *text, size_t len)
{
    acd_checkpoint read;
    acd_line line;
    size_t at = 0;
    uint8_t empty[ACD_HASH_SIZE];
    if (out == NULL || acd_is_lacking(text, len)) {
        return ACD_ERR_MISUSE;
    }
    if (!acd_line_next(&line, text, len, &at) || line.len == 0) {
        return ACD_ERR_MALFORMED;
    }
    read.origin = line.text;
    read.origin_len = line.len;
    if (!acd_line_next(&line, text, len, &at)) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_decimal_read(&read.size, line.text, line.len));
    if (read.size >= SIZE_LIMIT) {
        return ACD_ERR_TOO_LARGE;
    }
    if (!acd_line_next(&line, text, len, &at)) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_line_hash(read.root, &line));
    while (acd_line_next(&line, text, len, &at)) { /* extension lines */
        if (line.len == 0) {
            return ACD_ERR_MALFORMED;
        }
    }
    acd_sha256(empty, NULL, 0);
    if (at != len || (read.size == 0 && !acd_equal(read.root, empty, sizeof empty))) {
        return ACD_ERR_MALFORMED;
    }
    *out = read;
    return ACD_OK;
}

acd_status acd_checkpoint_write(char *out, size_t out_cap, size_t *out_len, const acd_checkpoint *checkpoint)
{
    if (acd_is_lacking(out, out_cap) || out_len == NULL || checkpoint == NULL ||
        checkpoint->origin_len == 0 || acd_is_lacking(checkpoint->origin, checkpoint->origin_len) ||
        memchr(checkpoint->origin, '\n', checkpoint->origin_len) != NULL || checkpoint->size >= SIZE_LIMIT) {
        return ACD_ERR_MISUSE;
    }
    char digits[ACD_DECIMAL_MAX];
    size_t digit_count = acd_decimal_write(digits, checkpoint->size);
    size_t head = checkpoint->origin_len + 1u + digit_count + 1u;
    size_t len = head + ROOT_LEN + 1u;
    if (len > ACD_CHECKPOINT_TEXT_MAX || checkpoint->origin_len > ACD_CHECKPOINT_TEXT_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if (out_cap < len) {
        return ACD_ERR_NO_SPACE;
    }
    memcpy(out, checkpoint->origin, checkpoint->origin_len);
    out[checkpoint->origin_len] = '\n';
    memcpy(out + checkpoint->origin_len + 1u, digits, digit_count);
    out[head - 1u] = '\n';
    acd_base64_encode(out + head, checkpoint->root, ACD_HASH_SIZE);
    out[len - 1u] = '\n';
    *out_len = len;
    return ACD_OK;
}

/* MARK: Quorum */

acd_status acd_seal_find(acd_note_signature *out, const acd_seal *seal, const acd_note_key *key)
{
    if (seal->note != NULL) {
        return acd_note_find(out, seal->note, seal->note_len, key);
    }
    *out = (acd_note_signature){seal->text_len, 0, 0};
    size_t at = 0;
    for (size_t i = 0; i < seal->blob_count; i++) { /* their lengths were checked when they were read */
        const uint8_t *blob = seal->blobs + at + 1u;
        size_t len = seal->blobs[at];
        uint64_t time = 0;
        if (acd_read_u32(blob) == key->id) {
            ACD_TRY(acd_note_blob_verify(&time, blob, len, seal->text, seal->text_len, key));
            out->time = out->is_there ? out->time : time;
            out->is_there = 1;
        }
        at += 1u + len;
    }
    return ACD_OK;
}

/* The witnesses of `who` whose time is at most (or at least) `time`. */
static uint64_t who_by(uint64_t who, const uint64_t times[ACD_POLICY_NAMES_MAX], uint64_t time, int at_most)
{
    uint64_t out = 0;
    for (size_t i = 0; i < ACD_POLICY_NAMES_MAX; i++) {
        int counts = at_most ? times[i] <= time : times[i] >= time;
        out |= (uint64_t)(counts && (who >> i & 1u) != 0) << i;
    }
    return out;
}

static acd_status set_times(acd_cosigned *out, uint64_t who, const uint64_t times[ACD_POLICY_NAMES_MAX],
                            const acd_policy *policy)
{
    out->reached = UINT64_MAX;
    out->fresh = 0;
    for (size_t i = 0; i < policy->name_count; i++) {
        if ((who >> i & 1u) == 0) {
            continue;
        }
        if (times[i] < out->reached && acd_policy_holds(policy, who_by(who, times, times[i], 1))) {
            out->reached = times[i];
        }
        if (times[i] > out->fresh && acd_policy_holds(policy, who_by(who, times, times[i], 0))) {
            out->fresh = times[i];
        }
    }
    return ACD_OK;
}

acd_status acd_seal_count(acd_cosigned *out, const acd_seal *seal, const acd_policy *policy)
{
    uint64_t times[ACD_POLICY_NAMES_MAX] = {0};
    uint64_t who = 0;
    for (size_t i = 0; i < policy->name_count; i++) {
        acd_note_key key;
        acd_note_signature found;
        if (policy->names[i].vkey.len == 0) {
            continue;
        }
        ACD_TRY(acd_policy_witness(&key, policy, i));
        ACD_TRY(acd_seal_find(&found, seal, &key));
        if (found.is_there) {
            times[i] = found.time;
            who |= UINT64_C(1) << i;
        }
    }
    if (!acd_policy_holds(policy, who)) {
        return ACD_ERR_AUTHENTICATION;
    }
    if (policy->is_none) {
        out->reached = out->fresh = 0;
        return ACD_OK;
    }
    return set_times(out, who, times, policy);
}

acd_status acd_checkpoint_verify(acd_checkpoint *out, acd_cosigned *cosigned, const char *note, size_t len,
                                 const acd_policy *policy)
{
    if (out == NULL || cosigned == NULL || acd_is_lacking(note, len) || policy == NULL) {
        return ACD_ERR_MISUSE;
    }
    acd_checkpoint read;
    acd_cosigned seen = {0, 0, 0, 0};
    const acd_seal seal = {.note = note, .note_len = len};
    ACD_TRY(acd_note_split(&seen.text_len, note, len));
    ACD_TRY(acd_checkpoint_read(&read, note, seen.text_len));
    for (size_t i = 0; i < policy->log_count; i++) {
        acd_note_key key;
        acd_note_signature found;
        ACD_TRY(acd_policy_log(&key, policy, i));
        if (key.name_len != read.origin_len || memcmp(key.name, read.origin, key.name_len) != 0) {
            continue;
        }
        ACD_TRY(acd_seal_find(&found, &seal, &key));
        if (found.is_there) {
            seen.log = i;
            ACD_TRY(acd_seal_count(&seen, &seal, policy));
            *out = read;
            *cosigned = seen;
            return ACD_OK;
        }
    }
    return ACD_ERR_UNTRUSTED;
}
