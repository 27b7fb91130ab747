/* acd_proof.c: proofs that a leaf is in a log, as text and packed.
 * Source: C2SP tlog-proof; RFC 9162 s. 2.1.3.2; docs/adr/0009 for the packed form.
 *
 * Invariants: the path is walked as it is read, nothing of it is kept; a packed proof can say nothing about
 * root, origin or names, so nothing of those can be false in it.
 */
#include <string.h>
#include "acd/tlog.h"
#include "acd_tlog_internal.h"

#define PACKED_HEAD 17u /* index, size, number of hashes */
#define PACKED_SIZE_LIMIT (UINT64_C(1) << 56)

static const char first_line[] = "c2sp.org/tlog-proof@v1\n";
static const char index_word[] = "index ";
static const char extra_word[] = "extra ";

static int starts_with(const acd_line *line, const char *word)
{
    size_t len = strlen(word);
    return line->len >= len && memcmp(line->text, word, len) == 0;
}

static int is_text(const void *proof, size_t len)
{
    return len >= sizeof first_line - 1u && memcmp(proof, first_line, sizeof first_line - 1u) == 0;
}

/* MARK: Text */

/* What stands before the path, and where path and checkpoint begin. */
typedef struct proof_text {
    const char *text;
    size_t len;
    uint64_t index;
    size_t path_at;
    size_t note_at;
} proof_text;

static acd_status read_extra(const acd_line *line)
{
    size_t len = 0;
    size_t word = strlen(extra_word);
    return acd_base64_decode(NULL, 0, &len, line->text + word, line->len - word);
}

static acd_status read_text(proof_text *out, const char *text, size_t len)
{
    acd_line line;
    size_t at = 0;
    size_t word = strlen(index_word);
    if (!acd_line_next(&line, text, len, &at) || !acd_line_next(&line, text, len, &at)) {
        return ACD_ERR_MALFORMED;
    }
    if (starts_with(&line, extra_word)) {
        ACD_TRY(read_extra(&line));
        if (!acd_line_next(&line, text, len, &at)) {
            return ACD_ERR_MALFORMED;
        }
    }
    if (!starts_with(&line, index_word)) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(acd_decimal_read(&out->index, line.text + word, line.len - word));
    out->text = text;
    out->len = len;
    out->path_at = at;
    do {
        if (!acd_line_next(&line, text, len, &at)) {
            return ACD_ERR_MALFORMED;
        }
    } while (line.len > 0);
    out->note_at = at;
    return ACD_OK;
}

static acd_status walk_text(acd_path *path, const proof_text *proof, const uint8_t *leaf_hash, uint64_t size)
{
    acd_line line;
    uint8_t sibling[ACD_HASH_SIZE];
    size_t at = proof->path_at;
    ACD_TRY(acd_path_begin(path, leaf_hash, proof->index, size));
    while (acd_line_next(&line, proof->text, proof->len, &at) && line.len > 0) {
        ACD_TRY(acd_line_hash(sibling, &line));
        ACD_TRY(acd_path_step(path, sibling));
    }
    return acd_path_end(path);
}

static acd_status verify_text(acd_proof_facts *facts, const char *text, size_t len, const uint8_t *leaf_hash,
                              const acd_policy *policy)
{
    proof_text proof;
    acd_checkpoint checkpoint;
    acd_path path;
    ACD_TRY(read_text(&proof, text, len));
    ACD_TRY(acd_checkpoint_verify(&checkpoint, &facts->cosigned, text + proof.note_at, len - proof.note_at,
                                  policy));
    ACD_TRY(walk_text(&path, &proof, leaf_hash, checkpoint.size));
    if (!acd_equal(path.hash, checkpoint.root, sizeof path.hash)) {
        return ACD_ERR_AUTHENTICATION;
    }
    facts->index = proof.index;
    facts->size = checkpoint.size;
    memcpy(facts->root, path.hash, sizeof facts->root);
    return ACD_OK;
}

/* MARK: Packed */

typedef struct packed_proof {
    uint64_t index;
    uint64_t size;
    const uint8_t *hashes;
    size_t hash_count;
    const uint8_t *blobs;
    size_t blob_count;
} packed_proof;

static acd_status read_packed(packed_proof *out, const uint8_t *bytes, size_t len)
{
    if (len < PACKED_HEAD) {
        return ACD_ERR_TRUNCATED;
    }
    out->index = acd_read_u64(bytes);
    out->size = acd_read_u64(bytes + 8);
    out->hash_count = bytes[16];
    out->hashes = bytes + PACKED_HEAD;
    if (out->hash_count > ACD_PROOF_HASHES_MAX || out->size >= PACKED_SIZE_LIMIT) {
        return ACD_ERR_FIELD_RANGE;
    }
    size_t at = PACKED_HEAD + out->hash_count * ACD_HASH_SIZE;
    if (at >= len) {
        return ACD_ERR_TRUNCATED;
    }
    out->blob_count = bytes[at++];
    out->blobs = bytes + at;
    if (out->blob_count > ACD_NOTE_SIGNATURES_MAX) {
        return ACD_ERR_FIELD_RANGE;
    }
    for (size_t i = 0; i < out->blob_count; i++) {
        if (at >= len || len - at - 1u < bytes[at]) {
            return ACD_ERR_TRUNCATED;
        }
        if (bytes[at] <= ACD_KEY_ID_SIZE || bytes[at] > ACD_SIGNATURE_BLOB_MAX) {
            return ACD_ERR_FIELD_RANGE;
        }
        at += 1u + bytes[at];
    }
    return at == len ? ACD_OK : ACD_ERR_TRAILING;
}

/* The root, and the text of the checkpoint that a log of this name would have signed. */
static acd_status checkpoint_of(char text[ACD_CHECKPOINT_TEXT_MAX], size_t *text_len,
                                acd_checkpoint *checkpoint, const acd_note_key *log)
{
    checkpoint->origin = log->name;
    checkpoint->origin_len = log->name_len;
    return acd_checkpoint_write(text, ACD_CHECKPOINT_TEXT_MAX, text_len, checkpoint);
}

static acd_status verify_packed(acd_proof_facts *facts, const packed_proof *proof, const uint8_t *leaf_hash,
                                const acd_policy *policy)
{
    acd_path path;
    char text[ACD_CHECKPOINT_TEXT_MAX];
    ACD_TRY(acd_path_begin(&path, leaf_hash, proof->index, proof->size));
    for (size_t i = 0; i < proof->hash_count; i++) {
        ACD_TRY(acd_path_step(&path, proof->hashes + i * ACD_HASH_SIZE));
    }
    ACD_TRY(acd_path_end(&path));
    acd_checkpoint checkpoint = {.size = proof->size};
    memcpy(checkpoint.root, path.hash, sizeof path.hash);
    acd_seal seal = {.text = text, .blobs = proof->blobs, .blob_count = proof->blob_count};
    for (size_t i = 0; i < policy->log_count; i++) {
        acd_note_key key;
        acd_note_signature found;
        ACD_TRY(acd_policy_log(&key, policy, i));
        ACD_TRY(checkpoint_of(text, &seal.text_len, &checkpoint, &key));
        ACD_TRY(acd_seal_find(&found, &seal, &key));
        if (found.is_there) {
            facts->index = proof->index;
            facts->size = proof->size;
            memcpy(facts->root, path.hash, sizeof facts->root);
            facts->cosigned = (acd_cosigned){.log = i};
            return acd_seal_count(&facts->cosigned, &seal, policy);
        }
    }
    return ACD_ERR_UNTRUSTED;
}

/* MARK: The calls */

acd_status acd_proof_verify(acd_proof_facts *facts, const void *proof, size_t len,
                            const uint8_t leaf_hash[ACD_HASH_SIZE], const acd_policy *policy)
{
    acd_proof_facts found;
    packed_proof packed;
    if (facts == NULL || acd_is_lacking(proof, len) || leaf_hash == NULL || policy == NULL) {
        return ACD_ERR_MISUSE;
    }
    if (len > ACD_PROOF_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    memset(&found, 0, sizeof found);
    if (is_text(proof, len)) {
        ACD_TRY(verify_text(&found, proof, len, leaf_hash, policy));
    } else {
        ACD_TRY(read_packed(&packed, proof, len));
        ACD_TRY(verify_packed(&found, &packed, leaf_hash, policy));
    }
    *facts = found;
    return ACD_OK;
}

acd_status acd_proof_check_final(const acd_proof_facts *facts, uint64_t at, uint64_t lifetime,
                                 uint64_t skew_seconds, uint64_t now, uint64_t age_seconds)
{
    if (facts == NULL) {
        return ACD_ERR_MISUSE;
    }
    const acd_cosigned *seen = &facts->cosigned;
    /* Differences only: sums could overflow. */
    if ((seen->reached < at && at - seen->reached > skew_seconds) || seen->reached >= lifetime) {
        return ACD_ERR_MISMATCH;
    }
    int is_old = age_seconds != 0 && now > seen->fresh && now - seen->fresh > age_seconds;
    return is_old ? ACD_ERR_EXPIRED : ACD_OK;
}

/* MARK: Outcomes */

int acd_policy_covers(const acd_policy *policy, const uint8_t key[ACD_PUBLIC_KEY_SIZE])
{
    int found = 0;
    for (size_t index = 0; policy != NULL && index < policy->log_count; index++) {
        acd_note_key log;
        found |= acd_policy_log(&log, policy, index) == ACD_OK &&
                 acd_equal(log.public_key, key, ACD_PUBLIC_KEY_SIZE);
    }
    return found;
}

acd_status acd_outcome_verify(acd_proof_facts *facts, const void *proof, size_t len, const acd_leaf *leaf,
                              uint64_t lifetime, const uint8_t signer[ACD_PUBLIC_KEY_SIZE],
                              const acd_policy *policy, uint64_t skew_seconds)
{
    if (facts == NULL || leaf == NULL || signer == NULL || policy == NULL) {
        return ACD_ERR_MISUSE;
    }
    {
        uint8_t hash[ACD_HASH_SIZE];
        ACD_TRY(acd_leaf_hash(hash, leaf));
        ACD_TRY(acd_proof_verify(facts, proof, len, hash, policy));
    }
    acd_note_key log;
    ACD_TRY(acd_policy_log(&log, policy, facts->cosigned.log));
    if (!acd_equal(log.public_key, signer, ACD_PUBLIC_KEY_SIZE)) {
        return ACD_ERR_UNTRUSTED;
    }
    return policy->is_none ? ACD_OK : acd_proof_check_final(facts, leaf->at, lifetime, skew_seconds, 0, 0);
}

/* MARK: From one form to the other */

/* Bytes written one behind the other; without room nothing more is written, and `is_full` stays. */
typedef struct output {
    uint8_t *bytes;
    size_t cap;
    size_t len;
    int is_full;
} output;

static void put(output *out, const void *bytes, size_t len)
{
    if (out->is_full || out->cap - out->len < len) {
        out->is_full = 1;
        return;
    }
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void put_u64(output *out, uint64_t value)
{
    uint8_t bytes[8];
    acd_write_u64(bytes, value);
    put(out, bytes, sizeof bytes);
}

static void put_count(output *out, size_t place, uint8_t count)
{
    if (!out->is_full) {
        out->bytes[place] = count;
    }
}

static acd_status pack_path(output *out, const proof_text *proof)
{
    acd_line line;
    uint8_t hash[ACD_HASH_SIZE];
    size_t at = proof->path_at;
    size_t place = out->len;
    uint8_t count = 0;
    put(out, &count, 1);
    while (acd_line_next(&line, proof->text, proof->len, &at) && line.len > 0) {
        ACD_TRY(acd_line_hash(hash, &line));
        if (++count > ACD_PROOF_HASHES_MAX) {
            return ACD_ERR_TOO_LARGE;
        }
        put(out, hash, sizeof hash);
    }
    put_count(out, place, count);
    return ACD_OK;
}

static acd_status pack_signatures(output *out, const char *note, size_t len, size_t text_len)
{
    uint8_t blob[ACD_SIGNATURE_BLOB_MAX];
    size_t place = out->len;
    uint8_t count = 0;
    put(out, &count, 1);
    for (size_t at = text_len + 1u; at < len;) {
        size_t blob_len = 0;
        ACD_TRY(acd_note_blob_next(blob, &blob_len, &at, note, len));
        if (blob_len > sizeof blob) {
            continue;
        }
        if (++count > ACD_NOTE_SIGNATURES_MAX) {
            return ACD_ERR_TOO_LARGE;
        }
        const uint8_t length = (uint8_t)blob_len;
        put(out, &length, 1);
        put(out, blob, blob_len);
    }
    put_count(out, place, count);
    return ACD_OK;
}

acd_status acd_proof_pack(void *out, size_t out_cap, size_t *out_len, const char *proof, size_t len)
{
    proof_text text;
    acd_checkpoint checkpoint;
    size_t text_len = 0;
    if (acd_is_lacking(out, out_cap) || out_len == NULL || acd_is_lacking(proof, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len > ACD_PROOF_SIZE_MAX) {
        return ACD_ERR_TOO_LARGE;
    }
    if (!is_text(proof, len)) {
        return ACD_ERR_MALFORMED;
    }
    ACD_TRY(read_text(&text, proof, len));
    const char *note = proof + text.note_at;
    size_t note_len = len - text.note_at;
    ACD_TRY(acd_note_split(&text_len, note, note_len));
    ACD_TRY(acd_checkpoint_read(&checkpoint, note, text_len));
    if (checkpoint.size >= PACKED_SIZE_LIMIT) {
        return ACD_ERR_TOO_LARGE;
    }
    output packed = {out, out_cap, 0, 0};
    put_u64(&packed, text.index);
    put_u64(&packed, checkpoint.size);
    ACD_TRY(pack_path(&packed, &text));
    ACD_TRY(pack_signatures(&packed, note, note_len, text_len));
    *out_len = packed.is_full ? *out_len : packed.len;
    return packed.is_full ? ACD_ERR_NO_SPACE : ACD_OK;
}

/* The signature line of a key, if the packed proof has one. */
static acd_status put_line(output *out, const packed_proof *proof, const acd_note_key *key)
{
    char line[ACD_NOTE_LINE_MAX];
    size_t line_len = 0;
    size_t at = 0;
    for (size_t i = 0; i < proof->blob_count; i++) {
        const uint8_t *blob = proof->blobs + at + 1u;
        if (acd_read_u32(blob) == key->id) {
            ACD_TRY(acd_note_line_write(line, sizeof line, &line_len, key, blob, proof->blobs[at]));
            put(out, line, line_len);
        }
        at += 1u + proof->blobs[at];
    }
    return ACD_OK;
}

static void put_path(output *out, const packed_proof *proof)
{
    char digits[ACD_DECIMAL_MAX];
    char line[44];
    put(out, first_line, sizeof first_line - 1u);
    put(out, index_word, sizeof index_word - 1u);
    put(out, digits, acd_decimal_write(digits, proof->index));
    for (size_t i = 0; i < proof->hash_count; i++) {
        acd_base64_encode(line, proof->hashes + i * ACD_HASH_SIZE, ACD_HASH_SIZE);
        put(out, "\n", 1);
        put(out, line, sizeof line);
    }
    put(out, "\n\n", 2);
}

acd_status acd_proof_unpack(char *out, size_t out_cap, size_t *out_len, const void *packed, size_t len,
                            const uint8_t leaf_hash[ACD_HASH_SIZE], const acd_policy *policy)
{
    packed_proof proof;
    acd_proof_facts facts;
    acd_note_key key;
    char text[ACD_CHECKPOINT_TEXT_MAX];
    size_t text_len = 0;
    if (acd_is_lacking(out, out_cap) || out_len == NULL) {
        return ACD_ERR_MISUSE;
    }
    ACD_TRY(acd_proof_verify(&facts, packed, len, leaf_hash, policy));
    ACD_TRY(read_packed(&proof, packed, len));
    ACD_TRY(acd_policy_log(&key, policy, facts.cosigned.log));
    acd_checkpoint checkpoint = {.size = facts.size};
    memcpy(checkpoint.root, facts.root, sizeof checkpoint.root);
    ACD_TRY(checkpoint_of(text, &text_len, &checkpoint, &key));
    output written = {(uint8_t *)out, out_cap, 0, 0};
    put_path(&written, &proof);
    put(&written, text, text_len);
    put(&written, "\n", 1);
    ACD_TRY(put_line(&written, &proof, &key));
    for (size_t i = 0; i < policy->name_count; i++) {
        if (policy->names[i].vkey.len > 0) {
            ACD_TRY(acd_policy_witness(&key, policy, i));
            ACD_TRY(put_line(&written, &proof, &key));
        }
    }
    *out_len = written.is_full ? *out_len : written.len;
    return written.is_full ? ACD_ERR_NO_SPACE : ACD_OK;
}
