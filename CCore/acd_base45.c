/* acd_base45.c: Base45. Source: RFC 9285 s. 4.
 *
 * Invariants: two bytes are three characters, least significant first, and a last single byte is two; every
 * text that is accepted has one meaning, and every string of bytes one text.
 */
#include "acd/base45.h"
#include "acd_internal.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

#define BASE 45u
_Static_assert(sizeof alphabet == BASE + 1u, "45 characters");

acd_status acd_base45_encode(char *out, size_t out_cap, size_t *out_len, const void *bytes, size_t len)
{
    if (out_len == NULL || acd_is_lacking(bytes, len) || acd_is_lacking(out, len)) {
        return ACD_ERR_MISUSE;
    }
    if (len > SIZE_MAX / 3u || out_cap < ACD_BASE45_ENCODED_SIZE(len)) {
        return ACD_ERR_NO_SPACE;
    }
    const uint8_t *in = bytes;
    size_t written = 0;
    size_t i = 0;
    for (; len - i >= 2u; i += 2u) {
        unsigned value = (unsigned)in[i] << 8 | in[i + 1u];
        out[written++] = alphabet[value % BASE];
        out[written++] = alphabet[value / BASE % BASE];
        out[written++] = alphabet[value / (BASE * BASE)]; /* 65,535 / 2,025 = 32 */
    }
    if (i < len) {
        out[written++] = alphabet[in[i] % BASE];
        out[written++] = alphabet[in[i] / BASE];
    }
    *out_len = written;
    return ACD_OK;
}

/* The value of `count` characters, least significant first. */
static acd_status read_digits(unsigned *value, const char *text, size_t count)
{
    unsigned sum = 0;
    for (size_t i = count; i > 0; i--) {
        unsigned digit = 0;
        while (digit < BASE && alphabet[digit] != text[i - 1u]) {
            digit++;
        }
        if (digit == BASE) {
            return ACD_ERR_MALFORMED;
        }
        sum = sum * BASE + digit; /* < 45^3 */
    }
    *value = sum;
    return ACD_OK;
}

acd_status acd_base45_decode(uint8_t *out, size_t out_cap, size_t *out_len, const char *text, size_t len)
{
    if (out_len == NULL || acd_is_lacking(text, len) || acd_is_lacking(out, out_cap)) {
        return ACD_ERR_MISUSE;
    }
    if (len % 3u == 1u) {
        return ACD_ERR_TRUNCATED;
    }
    size_t pairs = len / 3u;
    size_t needed = pairs * 2u + (len % 3u) / 2u;
    if (out_cap < needed) {
        return ACD_ERR_NO_SPACE;
    }
    unsigned value = 0;
    for (size_t i = 0; i < pairs; i++) {
        ACD_TRY(read_digits(&value, text + 3u * i, 3));
        if (value > UINT16_MAX) {
            return ACD_ERR_FIELD_RANGE;
        }
        out[2u * i] = (uint8_t)(value >> 8);
        out[2u * i + 1u] = (uint8_t)(value & 0xffu);
    }
    if (len % 3u == 2u) {
        ACD_TRY(read_digits(&value, text + 3u * pairs, 2));
        if (value > UINT8_MAX) {
            return ACD_ERR_FIELD_RANGE;
        }
        out[2u * pairs] = (uint8_t)value;
    }
    *out_len = needed;
    return ACD_OK;
}
