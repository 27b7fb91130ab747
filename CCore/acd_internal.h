/* acd_internal.h: what the core's files share and no caller sees. */
#ifndef ACD_INTERNAL_H
#define ACD_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "acd/cbor.h"
#include "acd/status.h"

/* Returns from the enclosing function unless `call` came to ACD_OK. */
#define ACD_TRY(call) \
    do { \
        const acd_status try_status = (call); \
        if (try_status != ACD_OK) { \
            return try_status; \
        } \
    } while (0)

/* A pointer and its length travel together: NULL only with length 0. */
static inline int acd_is_lacking(const void *bytes, size_t len)
{
    return bytes == NULL && len != 0;
}

/* acd_utf8_check is ACD_OK for well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong). */
ACD_MUST_CHECK acd_status acd_utf8_check(const uint8_t *text, size_t len);

/* acd_cbor_head_size is the length of the shortest head for `value`. */
size_t acd_cbor_head_size(uint64_t value);

#endif
