/* acd_card_internal.h: what the card's files share. Source: docs/SPEC.md, "Card"; ISO/IEC 7816-4:2013. */
#ifndef ACD_CARD_INTERNAL_H
#define ACD_CARD_INTERNAL_H

#include "acd/card.h"
#include "acd/cose.h"
#include "acd_internal.h"

/* MARK: Status words */

#define SW_OK 0x9000u
#define SW_MORE 0x6100u       /* + bytes that wait, 00: 256 or more */
#define SW_TRIES 0x63c0u      /* + tries left */
#define SW_NOT_AGREED 0x6400u /* the holder did not agree; nothing was changed */
#define SW_STORAGE 0x6581u    /* a port failed */
#define SW_LENGTH 0x6700u
#define SW_CHANNEL 0x6881u
#define SW_SECURE_MESSAGING 0x6882u
#define SW_CHAIN_EXPECTED 0x6883u
#define SW_NO_CHAINING 0x6884u
#define SW_SECURITY 0x6982u /* PIN not given */
#define SW_BLOCKED 0x6983u
#define SW_DEFAULT 0x6984u    /* PIN or PUK is still the default */
#define SW_CONDITIONS 0x6985u /* signed before with other content; no key selected */
#define SW_DATA 0x6a80u       /* not what this command takes, or not what this card signs */
#define SW_NOT_FOUND 0x6a82u  /* another application */
#define SW_NO_RECORD 0x6a83u
#define SW_FULL 0x6a84u
#define SW_P1P2 0x6a86u
#define SW_NO_REFERENCE 0x6a88u /* no such key, PIN or object */
#define SW_INSTRUCTION 0x6d00u
#define SW_CLASS 0x6e00u
#define SW_INTERNAL 0x6f00u

/* MARK: Commands */

#define CARD_DATA                                                                                            \
    ((uint32_t)16u) /* command data begins here in the workspace: ACD_SIGN1_PREFIX before it                 \
                     */
_Static_assert(CARD_DATA >= ACD_SIGN1_PREFIX, "room to verify in place");

typedef struct card_command {
    uint8_t ins, p1, p2;
    uint8_t *data; /* in the workspace */
    size_t len;
    int has_le;
    size_t le;
} card_command;

typedef enum card_pin { CARD_PIN_COUNTER = 0, CARD_PIN_PAYMENT = 1, CARD_PUK = 2, CARD_PINS = 3 } card_pin;

/* The handlers: a status word; a response is at workspace + response_at, response_len bytes. */
uint16_t acd_card_verify(acd_card *card, const card_command *command);
uint16_t acd_card_change_pin(acd_card *card, const card_command *command);
uint16_t acd_card_unblock(acd_card *card, const card_command *command);
uint16_t acd_card_generate(acd_card *card, const card_command *command);
uint16_t acd_card_select_key(acd_card *card, const card_command *command);
uint16_t acd_card_sign(acd_card *card, const card_command *command);
uint16_t acd_card_answer_challenge(acd_card *card, const card_command *command);
uint16_t acd_card_append_receipt(acd_card *card, const card_command *command);
uint16_t acd_card_read_receipt(acd_card *card, const card_command *command);
uint16_t acd_card_erase_receipt(acd_card *card, const card_command *command);
uint16_t acd_card_list_receipts(acd_card *card);
uint16_t acd_card_get_data(acd_card *card, const card_command *command);
uint16_t acd_card_terminate(acd_card *card, const card_command *command);

/* card_respond puts `len` bytes where responses are. They may stand in the workspace. */
void acd_card_respond(acd_card *card, const void *bytes, size_t len);
/* The status word for a failure below. */
uint16_t acd_card_status_word(acd_status status);

#define CARD_TRY(call)                                                                                       \
    do {                                                                                                     \
        const acd_status card_try = (call);                                                                  \
        if (card_try != ACD_OK) {                                                                            \
            return acd_card_status_word(card_try);                                                           \
        }                                                                                                    \
    } while (0)

/* Returns from the enclosing function unless `call` came to SW_OK. */
#define CARD_REQUIRE(call)                                                                                   \
    do {                                                                                                     \
        const uint16_t card_require = (call);                                                                \
        if (card_require != SW_OK) {                                                                         \
            return card_require;                                                                             \
        }                                                                                                    \
    } while (0)

/* MARK: PINs (acd_card_pin.c) */

int acd_card_is_verified(const acd_card *card, card_pin pin);
/* SW_OK if `pin` was given in this session and neither it nor the PUK is the default. */
uint16_t acd_card_may_sign(acd_card *card, card_pin pin);
acd_status acd_card_pin_is_default(acd_card *card, int *is_default, card_pin pin);

/* MARK: Keys (acd_card_key.c) */

typedef struct card_counts { /* how many keys there are */
    uint32_t tokens, pseudonyms;
} card_counts;

acd_status acd_card_counts_read(acd_card *card, card_counts *counts);
/* SW_OK if there is such a key. */
uint16_t acd_card_key_exists(acd_card *card, acd_card_key key);
/* Secret: the caller wipes `secret_key`. */
acd_status acd_card_key_derive(acd_card *card, uint8_t public_key[ACD_PUBLIC_KEY_SIZE],
                               uint8_t secret_key[ACD_SECRET_KEY_SIZE], acd_card_key key);

/* MARK: Tries (acd_card_tries.c): the counters of wrong PINs, apart from all else */

acd_status acd_card_tries_format(acd_card *card);
acd_status acd_card_tries_open(acd_card *card);
acd_status acd_card_tries_left(acd_card *card, unsigned *left, card_pin pin);
/* Takes a try away, durably, before anything is compared. */
acd_status acd_card_tries_burn(acd_card *card, card_pin pin);
/* Gives all tries back. */
acd_status acd_card_tries_settle(acd_card *card, card_pin pin);
/* Gives all tries of all PINs back: for a card that has just been wiped. */
acd_status acd_card_tries_reset(acd_card *card);

/* MARK: The log (acd_card_log.c): everything else that is kept */

typedef enum card_record_type {
    CARD_RECORD_ROOT = 1,    /* secret: 32 bytes, what all keys come from */
    CARD_RECORD_PIN = 2,     /* pin(1), salt(16), verifier(32): the last one of a PIN counts */
    CARD_RECORD_COUNTS = 3,  /* token keys(4), pseudonyms(4): the last one counts */
    CARD_RECORD_SIGNED = 4,  /* scope(32), content(32) */
    CARD_RECORD_RECEIPT = 5, /* number(1), ...: see acd_card_receipt.c */
    CARD_RECORD_ERASED = 6   /* number(1) of a receipt before it */
} card_record_type;

typedef struct card_record {
    uint8_t type;
    uint32_t at; /* of the body, in storage */
    uint32_t len;
} card_record;

acd_status acd_card_log_format(acd_card *card);
acd_status acd_card_log_open(acd_card *card);
/* Starts an empty log, then erases the old one. */
acd_status acd_card_log_clear(acd_card *card);

/* Walks the records: start with record->type = 0; *found is 0 after the last. */
acd_status acd_card_log_next(acd_card *card, card_record *record, int *found);
/* The last record of a type whose first byte is `tag`; tag < 0: any. */
acd_status acd_card_log_last(acd_card *card, card_record *record, int *found, card_record_type type, int tag);
/* Whether a later record takes this one's place. */
acd_status acd_card_log_is_stale(acd_card *card, const card_record *record, int *stale);
/* Appends one record, its body in up to two parts, durably or not at all. ACD_ERR_NO_SPACE: full. */
acd_status acd_card_log_append(acd_card *card, card_record_type type, const acd_hash_part *parts,
                               size_t part_count);
/* How many bytes of receipts and signatures there is room for. */
acd_status acd_card_log_room(acd_card *card, uint32_t *room);

/* MARK: Storage (acd_card_log.c): a failing port sets card->failed */

acd_status acd_card_read(acd_card *card, uint32_t at, void *out, size_t len);
acd_status acd_card_write(acd_card *card, uint32_t at, const void *bytes, size_t len);
acd_status acd_card_erase(acd_card *card, uint32_t page);
acd_status acd_card_commit(acd_card *card);

static inline void acd_card_put32(uint8_t out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static inline uint32_t acd_card_get32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

#endif
