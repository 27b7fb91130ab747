/* acd_vector.c: reads and runs the files of Tests/Vectors. Invariants: an unknown key is an error, so that a
 * misspelt vector cannot pass unread. */
#include "acd_vector.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

static int set_text(char *out, size_t cap, const char *value)
{
    if (strlen(value) >= cap) {
        return 0;
    }
    strcpy(out, value);
    return 1;
}

static int set(vector *out, const char *key, const char *value)
{
    if (strcmp(key, "name") == 0) {
        return set_text(out->name, sizeof out->name, value);
    }
    if (strcmp(key, "rule") == 0) {
        return set_text(out->rule, sizeof out->rule, value);
    }
    if (strcmp(key, "expect") == 0) {
        return set_text(out->expect, sizeof out->expect, value);
    }
    if (strcmp(key, "what") == 0) {
        return set_text(out->what, sizeof out->what, value);
    }
    if (strcmp(key, "check") == 0) {
        return set_text(out->check, sizeof out->check, value);
    }
    if (strcmp(key, "diagnostic") == 0) {
        return 1; /* for people */
    }
    if (strcmp(key, "now") == 0) {
        out->now = strtoull(value, NULL, 10);
        return out->now != 0;
    }
    if (strcmp(key, "hex") == 0) {
        out->bytes = sample_hex(value);
        return 1;
    }
    if (strcmp(key, "trust") == 0) {
        out->trust = sample_hex(value);
        return 1;
    }
    if (strcmp(key, "authority") == 0) {
        out->authority = sample_hex(value);
        return out->authority.len == ACD_PUBLIC_KEY_SIZE;
    }
    return 0;
}

/* Joins the lines that begin with a space to the line before them, and gives each "key: value" to set(). */
static int parse(vector *out, char *text)
{
    while (*text != '\0') {
        char *end = text;
        while (*end != '\0' && (end[0] != '\n' || end[1] == ' ')) {
            end++;
        }
        char *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        if (*text != '\0') {
            char *colon = strchr(text, ':');
            if (colon == NULL) {
                return 0;
            }
            *colon = '\0';
            char *value = colon + 1;
            while (isspace((unsigned char)*value)) {
                value++;
            }
            if (!set(out, text, value)) {
                fprintf(stderr, "bad line with key '%s'\n", text);
                return 0;
            }
        }
        text = next;
    }
    return out->name[0] != '\0' && out->rule[0] != '\0' && out->expect[0] != '\0' && out->what[0] != '\0';
}

int vector_read(vector *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    char *text = (char *)sample_alloc(FILE_MAX + 1u);
    size_t len = fread(text, 1, FILE_MAX, file);
    fclose(file);
    memset(out, 0, sizeof *out);
    return len < FILE_MAX && parse(out, text);
}

/* Decodes a map and, when that holds, demands its encoding back byte for byte. */
static acd_status run_map(acd_message_type type, const uint8_t *bytes, size_t len)
{
    acd_value values[ACD_FIELDS_MAX];
    memset(values, 0, sizeof values);
    acd_status status = acd_map_decode(values, ACD_FIELDS_MAX, type, bytes, len);
    if (status != ACD_OK) {
        return status;
    }
    sample again = sample_encode(type, values);
    return again.len == len && memcmp(again.bytes, bytes, len) == 0 ? ACD_OK : ACD_ERR_MISMATCH;
}

static acd_status run_sign1(sample in)
{
    acd_sign1 parsed;
    acd_status status = acd_sign1_parse(&parsed, in.bytes, in.len);
    if (status == ACD_OK) {
        size_t cap = in.len + ACD_SIGN1_PREFIX;
        status = acd_sign1_verify(&parsed, sample_alloc(cap), cap);
    }
    return status == ACD_OK ? run_map(parsed.type, parsed.payload, parsed.payload_len) : status;
}

static acd_status run_receipt(const vector *in, const char **check)
{
    acd_receipt_facts facts;
    acd_receipt_check failed = ACD_CHECK_NONE;
    size_t cap = in->bytes.len > in->trust.len ? in->bytes.len : in->trust.len;
    cap = (cap > ACD_RECEIPT_SCRATCH_MIN ? cap : ACD_RECEIPT_SCRATCH_MIN) + ACD_SIGN1_PREFIX;
    acd_status status = acd_receipt_verify(&facts, &failed, in->bytes.bytes, in->bytes.len, in->trust.bytes,
                                           in->trust.len, in->authority.len > 0 ? in->authority.bytes : NULL,
                                           in->now, sample_alloc(cap), cap);
    *check = acd_receipt_check_name(failed);
    return status;
}

acd_status vector_run(const vector *in, const char **check)
{
    *check = NULL;
    if (strcmp(in->what, "cbor") == 0) {
        return acd_cbor_check(in->bytes.bytes, in->bytes.len);
    }
    if (strcmp(in->what, "sign1") == 0) {
        return run_sign1(in->bytes);
    }
    if (strcmp(in->what, "receipt") == 0) {
        return run_receipt(in, check);
    }
    if (strncmp(in->what, "map ", 4) == 0) {
        acd_message_type type = acd_message_type_named(in->what + 4, strlen(in->what + 4));
        return run_map(type, in->bytes.bytes, in->bytes.len);
    }
    return ACD_ERR_MISUSE;
}
