/* acd_base64.c: base64 and decimal numbers, as texts of notes have them, and big-endian numbers.
 * Source: RFC 4648 s. 4; C2SP tlog-checkpoint ("ASCII decimal with no leading zeroes").
 *
 * Invariants: each value has one spelling, and no other is read.
 */
#include <string.h>
#include "acd_internal.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    return found == NULL ? -1 : (int)(found - alphabet);
}

acd_status acd_base64_decode(uint8_t *out, size_t cap, size_t *out_len, const char *text, size_t len)
{
    if (len == 0 || len % 4u != 0) {
        return ACD_ERR_MALFORMED;
    }
    size_t padding = text[len - 1u] != '=' ? 0 : text[len - 2u] != '=' ? 1u : 2u;
    size_t digits = len - padding;
    size_t count = 0;
    uint32_t bits = 0; /* a sliding window; only the low 14 bits are ever read */
    unsigned bit_count = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0) {
            return ACD_ERR_MALFORMED;
        }
        bits = (bits & 0xffu) << 6 | (uint32_t)digit;
        bit_count += 6u;
        if (bit_count >= 8u) {
            bit_count -= 8u;
            if (count < cap) {
                out[count] = (uint8_t)(bits >> bit_count & 0xffu);
            }
            count++;
        }
    }
    if ((bits & ((1u << bit_count) - 1u)) != 0) {
        return ACD_ERR_NOT_SHORTEST;
    }
    *out_len = count;
    return ACD_OK;
}

size_t acd_base64_size(size_t len)
{
    return (len + 2u) / 3u * 4u;
}

void acd_base64_encode(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3u) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1u < len ? (uint32_t)bytes[i + 1u] << 8 : 0;
        group |= i + 2u < len ? bytes[i + 2u] : 0;
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63u];
        *out++ = i + 1u < len ? alphabet[group >> 6 & 63u] : '=';
        *out++ = i + 2u < len ? alphabet[group & 63u] : '=';
    }
}

acd_status acd_decimal_read(uint64_t *out, const char *text, size_t len)
{
    uint64_t value = 0;
    if (len == 0 || len > ACD_DECIMAL_MAX) {
        return ACD_ERR_MALFORMED;
    }
    if (text[0] == '0' && len > 1u) {
        return ACD_ERR_NOT_SHORTEST;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return ACD_ERR_MALFORMED;
        }
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10u) {
            return ACD_ERR_MALFORMED;
        }
        value = value * 10u + digit;
    }
    *out = value;
    return ACD_OK;
}

size_t acd_decimal_write(char out[ACD_DECIMAL_MAX], uint64_t value)
{
    char digits[ACD_DECIMAL_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1u - i];
    }
    return count;
}

uint32_t acd_read_u32(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint64_t acd_read_u64(const uint8_t bytes[8])
{
    return (uint64_t)acd_read_u32(bytes) << 32 | acd_read_u32(bytes + 4);
}

void acd_write_u64(uint8_t out[8], uint64_t value)
{
    for (size_t i = 0; i < 8u; i++) {
        out[i] = (uint8_t)(value >> (56u - 8u * i));
    }
}
