/* acd_receipt_hash.c: the hashes that a receipt's messages hold, each with its purpose in front. Source:
 * docs/SPEC.md, "Hashes".
 */
#include "acd/receipt.h"
#include "acd_internal.h"

void acd_key_commitment(uint8_t hx[ACD_HASH_SIZE], acd_mode mode, const uint8_t merchant[ACD_PUBLIC_KEY_SIZE],
                        const uint8_t n[ACD_TRANSACTION_ID_SIZE], const uint8_t x[ACD_HASH_SIZE])
{
    const uint8_t mode_byte = (uint8_t)mode;
    const acd_hash_part parts[] = {{"acd-hx", 6},
                                   {&mode_byte, 1},
                                   {merchant, ACD_PUBLIC_KEY_SIZE},
                                   {n, ACD_TRANSACTION_ID_SIZE},
                                   {x, ACD_HASH_SIZE}};
    acd_sha256_parts(hx, parts, sizeof parts / sizeof parts[0]);
}

void acd_description_hash(uint8_t out[ACD_HASH_SIZE], const uint8_t salt[ACD_HASH_SIZE], const char *text,
                          size_t len)
{
    const acd_hash_part parts[] = {{"acd-description", 15}, {salt, ACD_HASH_SIZE}, {text, len}};
    acd_sha256_parts(out, parts, sizeof parts / sizeof parts[0]);
}

void acd_token_message(uint8_t out[ACD_HASH_SIZE], const uint8_t token_key[ACD_PUBLIC_KEY_SIZE],
                       const uint8_t serial[ACD_HASH_SIZE])
{
    const acd_hash_part parts[] = {
        {"acd-token", 9}, {token_key, ACD_PUBLIC_KEY_SIZE}, {serial, ACD_HASH_SIZE}};
    acd_sha256_parts(out, parts, sizeof parts / sizeof parts[0]);
}
