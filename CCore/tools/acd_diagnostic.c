/* acd_diagnostic.c: CBOR in diagnostic notation. Source: RFC 8949 s. 8.
 * Invariants: no recursion; open containers are kept in an array, as in acd_cbor_skip. Text is printed as it
 * stands, quotes and backslashes escaped. */
#include "acd_diagnostic.h"

typedef struct level {
    uint64_t remaining;
    int is_map;
    char close;
} level;

static void print_text(FILE *file, const acd_cbor_item *item)
{
    fputc('"', file);
    for (uint64_t i = 0; i < item->number; i++) {
        if (item->bytes[i] == '"' || item->bytes[i] == '\\') {
            fputc('\\', file);
        }
        fputc(item->bytes[i], file);
    }
    fputc('"', file);
}

static void print_negative(FILE *file, uint64_t number)
{
    if (number == UINT64_MAX) {
        fputs("-18446744073709551616", file);
    } else {
        fprintf(file, "-%llu", (unsigned long long)number + 1u);
    }
}

/* Prints a scalar, or the opening of a container; returns how many items the container holds, 0 for none. */
static void print_head(FILE *file, const acd_cbor_item *item)
{
    switch (item->kind) {
    case ACD_CBOR_UINT: fprintf(file, "%llu", (unsigned long long)item->number); return;
    case ACD_CBOR_NEGATIVE: print_negative(file, item->number); return;
    case ACD_CBOR_TEXT: print_text(file, item); return;
    case ACD_CBOR_ARRAY: fputc('[', file); return;
    case ACD_CBOR_MAP: fputc('{', file); return;
    case ACD_CBOR_TAG: fprintf(file, "%llu(", (unsigned long long)item->number); return;
    case ACD_CBOR_SIMPLE:
        fputs(item->number == 20u ? "false" : item->number == 21u ? "true" : "null", file);
        return;
    case ACD_CBOR_BYTES:
        fputs("h'", file);
        for (uint64_t i = 0; i < item->number; i++) {
            fprintf(file, "%02x", (unsigned)item->bytes[i]);
        }
        fputc('\'', file);
        return;
    }
}

void diagnostic_print(FILE *file, const void *bytes, size_t len)
{
    level levels[ACD_CBOR_DEPTH_MAX];
    size_t depth = 0;
    acd_cbor_reader reader;
    if (acd_cbor_check(bytes, len) != ACD_OK) {
        fputs("invalid", file);
        return;
    }
    acd_cbor_reader_init(&reader, bytes, len);
    do {
        acd_cbor_item item;
        if (acd_cbor_next(&reader, &item) != ACD_OK) {
            return;
        }
        print_head(file, &item);
        if (item.kind == ACD_CBOR_ARRAY) {
            levels[depth++] = (level){item.number, 0, ']'};
        } else if (item.kind == ACD_CBOR_MAP) {
            levels[depth++] = (level){2u * item.number, 1, '}'};
        } else if (item.kind == ACD_CBOR_TAG) {
            levels[depth++] = (level){1, 0, ')'};
        }
        int opened = item.kind == ACD_CBOR_ARRAY || item.kind == ACD_CBOR_MAP || item.kind == ACD_CBOR_TAG;
        while (depth > 0 && levels[depth - 1u].remaining == 0) {
            fputc(levels[--depth].close, file);
            opened = 0;
        }
        if (depth > 0) {
            level *in = &levels[depth - 1u];
            if (!opened) {
                fputs(in->is_map && in->remaining % 2u == 1u ? ": " : ", ", file);
            }
            in->remaining--;
        }
    } while (depth > 0 || reader.at < reader.end);
}
