/* acd/base45.h: Base45 (RFC 9285), the densest text that QR codes carry in alphanumeric mode. */
#ifndef ACD_BASE45_H
#define ACD_BASE45_H

#include <stddef.h>
#include <stdint.h>
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_BASE45_ENCODED_SIZE(len) (((len) / 2u) * 3u + ((len) % 2u) * 2u)

/* Writes exactly ACD_BASE45_ENCODED_SIZE(len) characters, no terminator. */
ACD_MUST_CHECK acd_status acd_base45_encode(char *out, size_t out_cap, size_t *out_len, const void *bytes,
                                            size_t len);
/* Refuses characters outside the alphabet, impossible lengths and values over 65,535 or 255. */
ACD_MUST_CHECK acd_status acd_base45_decode(uint8_t *out, size_t out_cap, size_t *out_len, const char *text,
                                            size_t len);

#ifdef __cplusplus
}
#endif
#endif
