/* acd_card_pin.c: the counter PIN (81), the payment PIN (82) and the PUK (83). Source: docs/SPEC.md, "Card",
 * PINs; ISO/IEC 7816-4:2013 s. 11.5.
 *
 * Invariants: a try is taken away, durably, before anything is compared, outside of any other change of the
 * storage, and given back only after the comparison held. What is compared and what form it has is found out
 * without a branch or an index that depends on it; only the outcome is looked at, by acd_equal.
 */
#include <string.h>
#include "acd_card_internal.h"

#define REFERENCE_FIRST 0x81u
#define SALT_SIZE 16u
#define RECORD_SIZE (1u + SALT_SIZE + ACD_HASH_SIZE)
#define DIGITS_MIN 6u /* of a PIN */
#define PUK_DIGITS_MIN 8u
#define PAD 0xffu

static const uint8_t default_pin[ACD_CARD_PIN_SIZE] = {'1', '2', '3', '4', '5', '6',
                                                       PAD, PAD, PAD, PAD, PAD, PAD};
static const uint8_t default_puk[ACD_CARD_PIN_SIZE] = {'1', '2', '3', '4', '5', '6',
                                                       '7', '8', PAD, PAD, PAD, PAD};

static const uint8_t *default_of(card_pin pin)
{
    return pin == CARD_PUK ? default_puk : default_pin;
}

/* MARK: Secrets */

/* Whether `pin` is digits, enough of them, then padding, and not the default. Constant time. */
static int is_acceptable(const uint8_t pin[ACD_CARD_PIN_SIZE], card_pin which)
{
    static const uint8_t zero = 0;
    const uint32_t least = which == CARD_PUK ? PUK_DIGITS_MIN : DIGITS_MIN;
    uint32_t digits = 0;
    uint32_t padded = 0; /* 1 from the first byte of padding on */
    uint32_t bad = 0;
    for (size_t i = 0; i < ACD_CARD_PIN_SIZE; i++) {
        const uint32_t value = (uint32_t)pin[i] - '0'; /* wraps below '0' */
        const uint32_t is_digit = (value - 10u) >> 31 & ~(value >> 31) & 1u;
        const uint32_t is_pad = ((uint32_t)pin[i] - PAD) >> 31 ^ 1u; /* PAD is the largest byte */
        bad |= (is_digit | is_pad) ^ 1u;
        bad |= is_digit & padded;
        padded |= is_pad;
        digits += is_digit;
    }
    bad |= (digits - least) >> 31; /* fewer than least: the difference wraps */
    const uint8_t verdict = (uint8_t)bad;
    return acd_equal(&verdict, &zero, 1) && !acd_equal(pin, default_of(which), ACD_CARD_PIN_SIZE);
}

static void verifier_of(uint8_t out[ACD_HASH_SIZE], card_pin which, const uint8_t salt[SALT_SIZE],
                        const uint8_t pin[ACD_CARD_PIN_SIZE])
{
    uint8_t salted[1 + SALT_SIZE];
    salted[0] = (uint8_t)which;
    memcpy(salted + 1, salt, SALT_SIZE);
    const acd_hash_part parts[] = {{"acd-card-pin", 12}, {salted, sizeof salted}, {pin, ACD_CARD_PIN_SIZE}};
    acd_sha256_parts(out, parts, 3);
}

static acd_status matches(acd_card *card, int *equal, card_pin which, const uint8_t pin[ACD_CARD_PIN_SIZE])
{
    card_record record;
    uint8_t stored[RECORD_SIZE]; /* secret */
    uint8_t verifier[ACD_HASH_SIZE];
    int found = 0;
    ACD_TRY(acd_card_log_last(card, &record, &found, CARD_RECORD_PIN, (int)which));
    if (!found) {
        *equal = acd_equal(pin, default_of(which), ACD_CARD_PIN_SIZE);
        return ACD_OK;
    }
    if (record.len != RECORD_SIZE) {
        return ACD_ERR_MALFORMED;
    }
    acd_status status = acd_card_read(card, record.at, stored, sizeof stored);
    if (status == ACD_OK) {
        verifier_of(verifier, which, stored + 1, pin);
        *equal = acd_equal(verifier, stored + 1 + SALT_SIZE, ACD_HASH_SIZE);
    }
    acd_wipe(stored, sizeof stored);
    acd_wipe(verifier, sizeof verifier);
    return status;
}

/* MARK: Trying */

/* Compares after a try was taken away. SW_OK, SW_TRIES + left, or SW_BLOCKED. The try is not given back yet.
 */
static uint16_t try_pin(acd_card *card, card_pin which, const uint8_t pin[ACD_CARD_PIN_SIZE])
{
    unsigned left = 0;
    int equal = 0;
    CARD_TRY(acd_card_tries_left(card, &left, which));
    if (left == 0) {
        return SW_BLOCKED;
    }
    CARD_TRY(acd_card_tries_burn(card, which));
    CARD_TRY(matches(card, &equal, which, pin));
    if (equal) {
        return SW_OK;
    }
    return left > 1u ? (uint16_t)(SW_TRIES + left - 1u) : SW_BLOCKED;
}

static acd_status store_pin(acd_card *card, card_pin which, const uint8_t pin[ACD_CARD_PIN_SIZE])
{
    uint8_t record[RECORD_SIZE]; /* secret */
    record[0] = (uint8_t)which;
    if (card->ports.random(card->ports.random_state, record + 1, SALT_SIZE) != 0) {
        card->failed = 1;
        return ACD_ERR_MISUSE;
    }
    verifier_of(record + 1 + SALT_SIZE, which, record + 1, pin);
    const acd_hash_part part = {record, sizeof record};
    const acd_status status = acd_card_log_append(card, CARD_RECORD_PIN, &part, 1);
    acd_wipe(record, sizeof record);
    return status;
}

static void forget(acd_card *card, card_pin which)
{
    card->verified &= (uint8_t)~(1u << which);
}

/* The PIN that P2 names; the last one allowed is `last`. */
static int pin_of(uint8_t p2, card_pin last, card_pin *which)
{
    if (p2 < REFERENCE_FIRST || p2 > REFERENCE_FIRST + (unsigned)last) {
        return 0;
    }
    *which = (card_pin)(p2 - REFERENCE_FIRST);
    return 1;
}

/* MARK: What others ask */

int acd_card_is_verified(const acd_card *card, card_pin pin)
{
    return (card->verified >> pin & 1) != 0;
}

acd_status acd_card_pin_is_default(acd_card *card, int *is_default, card_pin pin)
{
    card_record record;
    int found = 0;
    ACD_TRY(acd_card_log_last(card, &record, &found, CARD_RECORD_PIN, (int)pin));
    *is_default = !found;
    return ACD_OK;
}

uint16_t acd_card_may_sign(acd_card *card, card_pin pin)
{
    int is_default = 0;
    if (!acd_card_is_verified(card, pin)) {
        return SW_SECURITY;
    }
    CARD_TRY(acd_card_pin_is_default(card, &is_default, pin));
    if (is_default) {
        return SW_DEFAULT;
    }
    CARD_TRY(acd_card_pin_is_default(card, &is_default, CARD_PUK));
    return is_default ? SW_DEFAULT : SW_OK;
}

/* MARK: Commands */

/* VERIFY: 00 20 00 81|82 PIN; without data: the state; with P1 = FF: not verified any more. */
uint16_t acd_card_verify(acd_card *card, const card_command *command)
{
    card_pin which;
    unsigned left = 0;
    if (!pin_of(command->p2, CARD_PIN_PAYMENT, &which)) {
        return SW_NO_REFERENCE;
    }
    if (command->p1 == 0xff) {
        if (command->len != 0) {
            return SW_LENGTH;
        }
        forget(card, which);
        return SW_OK;
    }
    if (command->p1 != 0) {
        return SW_P1P2;
    }
    if (command->len == 0) {
        CARD_TRY(acd_card_tries_left(card, &left, which));
        if (acd_card_is_verified(card, which)) {
            return SW_OK;
        }
        return left > 0 ? (uint16_t)(SW_TRIES + left) : SW_BLOCKED;
    }
    if (command->len != ACD_CARD_PIN_SIZE) {
        return SW_LENGTH;
    }
    forget(card, which);
    CARD_REQUIRE(try_pin(card, which, command->data));
    CARD_TRY(acd_card_tries_settle(card, which));
    card->verified |= (uint8_t)(1u << which);
    return SW_OK;
}

/* CHANGE REFERENCE DATA: 00 24 00 81|82|83 old || new. */
uint16_t acd_card_change_pin(acd_card *card, const card_command *command)
{
    card_pin which;
    if (command->p1 != 0) {
        return SW_P1P2;
    }
    if (!pin_of(command->p2, CARD_PUK, &which)) {
        return SW_NO_REFERENCE;
    }
    if (command->len != 2u * ACD_CARD_PIN_SIZE) {
        return SW_LENGTH;
    }
    if (!is_acceptable(command->data + ACD_CARD_PIN_SIZE, which)) {
        return SW_DATA;
    }
    forget(card, which);
    CARD_REQUIRE(try_pin(card, which, command->data));
    CARD_TRY(store_pin(card, which, command->data + ACD_CARD_PIN_SIZE));
    CARD_TRY(acd_card_tries_settle(card, which));
    return SW_OK;
}

/* RESET RETRY COUNTER: 00 2C 00 81|82 PUK || new PIN. */
uint16_t acd_card_unblock(acd_card *card, const card_command *command)
{
    card_pin which;
    if (command->p1 != 0) {
        return SW_P1P2;
    }
    if (!pin_of(command->p2, CARD_PIN_PAYMENT, &which)) {
        return SW_NO_REFERENCE;
    }
    if (command->len != 2u * ACD_CARD_PIN_SIZE) {
        return SW_LENGTH;
    }
    if (!is_acceptable(command->data + ACD_CARD_PIN_SIZE, which)) {
        return SW_DATA;
    }
    forget(card, which);
    CARD_REQUIRE(try_pin(card, CARD_PUK, command->data));
    /* In this order: a power cut leaves the PIN as it was, or new and still blocked, never old and free. */
    CARD_TRY(store_pin(card, which, command->data + ACD_CARD_PIN_SIZE));
    CARD_TRY(acd_card_tries_settle(card, which));
    CARD_TRY(acd_card_tries_settle(card, CARD_PUK));
    return SW_OK;
}
