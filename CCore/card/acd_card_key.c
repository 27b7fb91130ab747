/* acd_card_key.c: the keys. Source: docs/SPEC.md, "Card", Keys.
 *
 * All keys come from one root that the card drew itself: seed = HKDF-Expand(root, purpose || index). So there
 * is no limit to their number, and nothing to be kept of each. Token keys and pseudonyms have different
 * purposes: no key is both.
 *
 * Invariants: a key's number is durable before its public half leaves; the root and secret keys stand on the
 * stack only while they are used, and are wiped on every path.
 */
#include <string.h>
#include "acd_card_internal.h"

#define COUNTS_SIZE 8u
#define INDEX_MAX UINT32_C(0x7fffffff)
#define KEY_REFERENCE_SIZE 5u /* kind(1) || index(4) */
#define P1_GENERATE 0x80u
#define P1_READ 0x81u

/* MARK: What is there */

acd_status acd_card_counts_read(acd_card *card, card_counts *counts)
{
    card_record record;
    uint8_t bytes[COUNTS_SIZE];
    int found = 0;
    *counts = (card_counts){0, 0};
    ACD_TRY(acd_card_log_last(card, &record, &found, CARD_RECORD_COUNTS, -1));
    if (found) {
        ACD_TRY(acd_card_read(card, record.at, bytes, sizeof bytes));
        *counts = (card_counts){acd_card_get32(bytes), acd_card_get32(bytes + 4)};
    }
    return ACD_OK;
}

uint16_t acd_card_key_exists(acd_card *card, acd_card_key key)
{
    card_counts counts;
    CARD_TRY(acd_card_counts_read(card, &counts));
    const uint32_t count = key.kind == ACD_CARD_TOKEN_KEY   ? counts.tokens
                           : key.kind == ACD_CARD_PSEUDONYM ? counts.pseudonyms
                                                            : 0;
    return key.index < count ? SW_OK : SW_NO_REFERENCE;
}

/* Draws the root unless there is one. */
static acd_status make_root(acd_card *card)
{
    card_record record;
    uint8_t root[ACD_SEED_SIZE]; /* secret */
    int found = 0;
    ACD_TRY(acd_card_log_last(card, &record, &found, CARD_RECORD_ROOT, -1));
    if (found) {
        return ACD_OK;
    }
    if (card->ports.random(card->ports.random_state, root, sizeof root) != 0) {
        card->failed = 1;
        return ACD_ERR_MISUSE;
    }
    const acd_hash_part part = {root, sizeof root};
    const acd_status status = acd_card_log_append(card, CARD_RECORD_ROOT, &part, 1);
    acd_wipe(root, sizeof root);
    return status;
}

/* MARK: Derivation */

acd_status acd_card_key_derive(acd_card *card, uint8_t public_key[ACD_PUBLIC_KEY_SIZE],
                               uint8_t secret_key[ACD_SECRET_KEY_SIZE], acd_card_key key)
{
    card_record record;
    uint8_t root[ACD_SEED_SIZE]; /* secret */
    uint8_t seed[ACD_SEED_SIZE]; /* secret */
    uint8_t index[8] = {0};
    int found = 0;
    ACD_TRY(acd_card_log_last(card, &record, &found, CARD_RECORD_ROOT, -1));
    if (!found || record.len != sizeof root) {
        return ACD_ERR_MALFORMED;
    }
    const char *purpose = key.kind == ACD_CARD_TOKEN_KEY ? "acd card: token " : "acd card: pseudonym ";
    acd_card_put32(index + 4, key.index);
    const acd_hash_part info[] = {{purpose, strlen(purpose)}, {index, sizeof index}};
    acd_status status = acd_card_read(card, record.at, root, sizeof root);
    if (status == ACD_OK) {
        status = acd_hkdf_expand(seed, sizeof seed, root, info, 2);
    }
    if (status == ACD_OK) {
        acd_key_from_seed(public_key, secret_key, seed);
    }
    acd_wipe(root, sizeof root);
    acd_wipe(seed, sizeof seed);
    return status;
}

static uint16_t respond_key(acd_card *card, acd_card_key key)
{
    uint8_t response[4 + ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    acd_card_put32(response, key.index);
    const acd_status status = acd_card_key_derive(card, response + 4, secret_key, key);
    acd_wipe(secret_key, sizeof secret_key);
    CARD_TRY(status);
    acd_card_respond(card, response, sizeof response);
    return SW_OK;
}

/* MARK: Commands */

static uint16_t generate(acd_card *card, uint8_t kind)
{
    card_counts counts;
    uint8_t bytes[COUNTS_SIZE];
    CARD_TRY(acd_card_counts_read(card, &counts));
    uint32_t *count = kind == ACD_CARD_TOKEN_KEY ? &counts.tokens : &counts.pseudonyms;
    const acd_card_key key = {kind, *count};
    if (*count >= INDEX_MAX) {
        return SW_FULL;
    }
    CARD_TRY(make_root(card));
    ++*count;
    acd_card_put32(bytes, counts.tokens);
    acd_card_put32(bytes + 4, counts.pseudonyms);
    const acd_hash_part part = {bytes, sizeof bytes};
    CARD_TRY(acd_card_log_append(card, CARD_RECORD_COUNTS, &part, 1));
    return respond_key(card, key);
}

/* GENERATE ASYMMETRIC KEY PAIR: 00 47 80 00 kind -> index || public key; 00 47 81 00 kind || index -> the
 * same of a key that is there. */
uint16_t acd_card_generate(acd_card *card, const card_command *command)
{
    if ((command->p1 != P1_GENERATE && command->p1 != P1_READ) || command->p2 != 0) {
        return SW_P1P2;
    }
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_PAYMENT));
    if (command->len != (command->p1 == P1_GENERATE ? 1u : KEY_REFERENCE_SIZE)) {
        return SW_LENGTH;
    }
    const uint8_t kind = command->data[0];
    if (kind != ACD_CARD_TOKEN_KEY && kind != ACD_CARD_PSEUDONYM) {
        return SW_DATA;
    }
    if (command->p1 == P1_GENERATE) {
        return generate(card, kind);
    }
    const acd_card_key key = {kind, acd_card_get32(command->data + 1)};
    CARD_REQUIRE(acd_card_key_exists(card, key));
    return respond_key(card, key);
}

/* MANAGE SECURITY ENVIRONMENT, SET for signing: 00 22 41 B6 84 05 kind index: what the next signatures use.
 */
uint16_t acd_card_select_key(acd_card *card, const card_command *command)
{
    if (command->p1 != 0x41 || command->p2 != 0xb6) {
        return SW_P1P2;
    }
    if (command->len != 2u + KEY_REFERENCE_SIZE) {
        return SW_LENGTH;
    }
    if (command->data[0] != 0x84 || command->data[1] != KEY_REFERENCE_SIZE) {
        return SW_DATA;
    }
    const acd_card_key key = {command->data[2], acd_card_get32(command->data + 3)};
    card->key = (acd_card_key){0, 0};
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_PAYMENT)); /* else it would tell how many keys there are */
    CARD_REQUIRE(acd_card_key_exists(card, key));
    card->key = key;
    return SW_OK;
}
