/* acd_sample_log.c: see acd_sample_log.h. */
#include "acd_sample_log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "acd_internal.h"

#define ROOM 32768u

void sample_put(char *text, const char *format, ...)
{
    va_list arguments;
    size_t len = strlen(text);
    va_start(arguments, format);
    if (vsnprintf(text + len, ROOM - len, format, arguments) < 0) {
        abort();
    }
    va_end(arguments);
}

static acd_note_key key_of(const char *name, uint8_t type, uint8_t seed, uint8_t *secret_key)
{
    acd_note_key key;
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    sample_key(public_key, secret_key, seed);
    if (acd_note_key_make(&key, name, strlen(name), type, public_key) != ACD_OK) {
        abort();
    }
    return key;
}

void sample_vkey(char out[512], const char *name, uint8_t type, uint8_t seed)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    size_t len = 0;
    acd_note_key key = key_of(name, type, seed, secret_key);
    if (acd_note_key_write(out, 511, &len, &key) != ACD_OK) {
        abort();
    }
    out[len] = '\0';
}

void sample_put_signature(char *note, size_t text_len, const char *name, uint8_t type, uint8_t seed,
                          uint64_t time)
{
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    char line[ACD_NOTE_LINE_MAX + 1];
    size_t len = 0;
    acd_note_key key = key_of(name, type, seed, secret_key);
    if (acd_note_sign(line, ACD_NOTE_LINE_MAX, &len, &key, time, note, text_len, secret_key) != ACD_OK) {
        abort();
    }
    line[len] = '\0';
    sample_put(note, "%s", line);
}

void sample_policy_text(char *out, unsigned witnesses, unsigned quorum)
{
    sample_policy_text_of(out, SAMPLE_LOG_SEED, witnesses, quorum);
}

void sample_policy_text_of(char *out, uint8_t log_seed, unsigned witnesses, unsigned quorum)
{
    char vkey[512];
    out[0] = '\0';
    sample_vkey(vkey, SAMPLE_ORIGIN, ACD_NOTE_ED25519, log_seed);
    sample_put(out, "log %s https://" SAMPLE_ORIGIN "\n", vkey);
    for (unsigned i = 0; i < witnesses; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%u.example", i);
        sample_vkey(vkey, name, ACD_NOTE_COSIGNATURE, (uint8_t)(SAMPLE_WITNESS_SEED + i));
        sample_put(out, "witness w%u %s\n", i, vkey);
    }
    if (quorum == 0) {
        sample_put(out, "quorum none\n");
        return;
    }
    sample_put(out, "group all-of-them %u", quorum);
    for (unsigned i = 0; i < witnesses; i++) {
        sample_put(out, " w%u", i);
    }
    sample_put(out, "\nquorum all-of-them\n");
}

static unsigned path_len(uint64_t index, uint64_t size)
{
    unsigned count = 0;
    for (uint64_t last = size - 1; last != 0; index >>= 1, last >>= 1) {
        count += (index & 1u) != 0 || index != last; /* a last node without a sibling takes none */
    }
    return count;
}

void sample_proof_text(char *out, const sample_proof *proof, const uint8_t leaf_hash[ACD_HASH_SIZE])
{
    acd_path path;
    char hash_text[45] = {0};
    char *note = calloc(1, ROOM);
    snprintf(out, ROOM, "c2sp.org/tlog-proof@v1\n%s%s%sindex %llu\n", proof->extra ? "extra " : "",
             proof->extra ? proof->extra : "", proof->extra ? "\n" : "", (unsigned long long)proof->index);
    if (acd_path_begin(&path, leaf_hash, proof->index, proof->size) != ACD_OK) {
        abort();
    }
    for (unsigned i = 0; i < path_len(proof->index, proof->size); i++) {
        uint8_t sibling[ACD_HASH_SIZE];
        acd_sha256(sibling, &i, 1);
        acd_base64_encode(hash_text, sibling, sizeof sibling);
        sample_put(out, "%s\n", hash_text);
        if (acd_path_step(&path, sibling) != ACD_OK) {
            abort();
        }
    }
    if (acd_path_end(&path) != ACD_OK) {
        abort();
    }
    acd_base64_encode(hash_text, path.hash, sizeof path.hash);
    sample_put(note, "%s\n%llu\n%s\n", proof->origin, (unsigned long long)proof->size, hash_text);
    size_t text_len = strlen(note);
    sample_put(note, "\n");
    sample_put_signature(note, text_len, proof->log_name ? proof->log_name : proof->origin, ACD_NOTE_ED25519,
                         proof->log_seed, 0);
    for (unsigned i = 0; i < proof->cosignatures; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%u.example", i);
        sample_put_signature(note, text_len, name, ACD_NOTE_COSIGNATURE, (uint8_t)(SAMPLE_WITNESS_SEED + i),
                             proof->times[i]);
    }
    sample_put(out, "\n%s", note);
    free(note);
}
