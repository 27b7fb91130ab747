/* acd/card.h: the smart card: an ISO 7816-4 application that holds token keys, pseudonyms and receipts, on
 * the caller's memory and storage. What it answers to, bit for bit, is docs/SPEC.md, "Card".
 *
 *   acd_card_format once in a card's life  ->  acd_card_init at every power-up  ->  acd_card_apdu ...
 *
 * The card signs what it has parsed itself: authorizations, requests and acknowledgements after the payment
 * PIN, and at a counter only D2, after the counter PIN, for a receipt that it holds. Secrets do not leave it.
 * It allocates nothing, reads no clock and does no I/O but by its ports. Nothing has to be released;
 * acd_card_wipe clears the memory before it is given back.
 */
#ifndef ACD_CARD_H
#define ACD_CARD_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/message.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_CARD_AID_SIZE 7u
#define ACD_CARD_PIN_SIZE 12u          /* a PIN or PUK as it is sent: digits, then FF up to this size */
#define ACD_CARD_SUMMARY_SIZE 100u     /* behind each signature: what was signed */
#define ACD_CARD_RECEIPTS_MAX 254u     /* record numbers 1..254 */
#define ACD_CARD_WORKSPACE_MIN 2048u   /* a payment with one token, and everything that is shorter */
#define ACD_CARD_WORKSPACE_SIZE 20480u /* the longest payment, 32 tokens, each signing (docs/SPEC.md) */
#define ACD_CARD_RESPONSE_MIN 258u     /* out_cap of acd_card_apdu, for short commands */
#define ACD_CARD_PAGE_SIZE_MIN 128u
#define ACD_CARD_PAGES_MIN 8u

/* acd_card_aid is F0 41 43 44 01 00 01. */
extern const uint8_t acd_card_aid[ACD_CARD_AID_SIZE];

/* MARK: Ports
 *
 * Each function returns 0, or another value on failure: then the command fails with 6581, and from there on
 * all do, until acd_card_init reads anew what is there. */

/* Storage of page_count pages of page_size bytes, read as one row of bytes. An erased byte reads FF; between
 * two erasures of its page the card writes each byte once at most. So it fits flash, EEPROM and files alike.
 *
 * Power may fail at any byte of a write or an erase: what was not committed may be there in part, in any
 * part. `commit` returns when all before it is durable; nothing after it becomes durable earlier. */
typedef struct acd_card_storage {
    void *state;
    uint32_t page_size;
    uint32_t page_count;
    int (*read)(void *state, uint32_t at, void *out, uint32_t len);
    int (*write)(void *state, uint32_t at, const void *bytes, uint32_t len);
    int (*erase)(void *state, uint32_t page);
    int (*commit)(void *state);
} acd_card_storage;

typedef enum acd_card_key_kind { ACD_CARD_TOKEN_KEY = 1, ACD_CARD_PSEUDONYM = 2 } acd_card_key_kind;

/* What a signature is about. */
typedef enum acd_card_purpose {
    ACD_CARD_PAY = 1,         /* P2, E2, JA2 or JB2: money for this merchant */
    ACD_CARD_EXCHANGE = 2,    /* X1: tokens for fresh ones */
    ACD_CARD_ACKNOWLEDGE = 3, /* S_p(P1) or E5 */
    ACD_CARD_REQUEST = 4,     /* N1 */
    ACD_CARD_QUERY = 5,       /* a status query */
    ACD_CARD_COLLECT = 6      /* D2 */
} acd_card_purpose;

/* What the card is about to sign. Members that the message does not have are zero. */
typedef struct acd_card_shown {
    acd_card_purpose purpose;
    acd_message_type type; /* inside a CoSign: the type that is wrapped */
    uint8_t n[ACD_TRANSACTION_ID_SIZE];
    uint8_t merchant[ACD_PUBLIC_KEY_SIZE];
    char currency[4]; /* 3 letters and NUL, or empty */
    uint64_t amount;  /* minor units */
    uint64_t expiration;
    uint8_t content[ACD_HASH_SIZE];     /* H(type's name || 00 || payload) */
    uint8_t kiosk[ACD_PUBLIC_KEY_SIZE]; /* D2: K ... */
    uint64_t intent;                    /* ... acd_intent ... */
    const uint8_t *parcel;
    size_t parcel_len; /* ... and D1's parcel, borrowed, UTF-8, not terminated */
} acd_card_shown;

typedef struct acd_card_ports {
    acd_card_storage storage;
    /* Fills `out` with random bytes fit for keys. */
    void *random_state;
    int (*random)(void *state, void *out, size_t len);
    /* Shows what is about to be signed; 0: the holder agrees. NULL: a card without display or button, whose
     * PIN is the agreement. Another value refuses this signature with 6400 and nothing is kept of it. */
    void *show_state;
    int (*show)(void *state, const acd_card_shown *shown);
} acd_card_ports;

/* MARK: The card */

typedef struct acd_card_key { /* which of the card's keys */
    uint8_t kind;             /* acd_card_key_kind, 0: none */
    uint32_t index;
} acd_card_key;

/* At most 256 bytes. The members are the card's own. Nothing in it is secret between two calls, the workspace
 * neither. */
typedef struct acd_card {
    acd_card_ports ports;
    uint8_t *workspace;
    size_t workspace_cap;
    /* Storage: where the log is, and the page of tries. */
    uint32_t log_at, log_end, log_generation;
    uint32_t tries_page, tries_generation;
    uint8_t failed; /* a port failed: nothing more until acd_card_init */
    /* The session. */
    uint8_t selected;
    uint8_t verified; /* bit 0: counter PIN, bit 1: payment PIN */
    acd_card_key key; /* by MANAGE SECURITY ENVIRONMENT */
    /* A command in parts. */
    uint8_t chaining, chain_ins, chain_p1, chain_p2;
    uint32_t chain_len;
    uint32_t used; /* bytes of workspace to be wiped */
    /* What GET RESPONSE has still to give. */
    uint8_t response_stored; /* in storage, else in the workspace */
    uint32_t response_at, response_len;
} acd_card;

/* acd_card_format makes the storage that of a new card: no keys, no receipts, default PINs. All that was
 * there is erased. If power fails in it, it is called again: acd_card_init accepts nothing half-formatted. */
ACD_MUST_CHECK acd_status acd_card_format(const acd_card_ports *ports);

/* acd_card_init powers the card up: it finds its storage's state, finishes what a power cut interrupted, and
 * opens a session in which no PIN was given. `workspace`, at least ACD_CARD_WORKSPACE_MIN bytes, belongs to
 * the card from here on; longer commands need a larger one and get 6700 in a smaller. ACD_ERR_MALFORMED:
 * never formatted, or damaged. ACD_ERR_MISUSE also where a port failed. */
ACD_MUST_CHECK acd_status acd_card_init(acd_card *card, const acd_card_ports *ports, void *workspace,
                                        size_t workspace_cap);

/* acd_card_reset is a reset without loss of power: the session ends, no PIN is given any more. */
void acd_card_reset(acd_card *card);

/* acd_card_apdu answers one command APDU, short or extended, whatever its bytes are. `out` gets the response
 * APDU, two bytes at least; data beyond out_cap - 2 waits for GET RESPONSE. `in` may be `out`. The caller
 * wipes `in`, which may hold a PIN. */
ACD_MUST_CHECK acd_status acd_card_apdu(acd_card *card, void *out, size_t out_cap, size_t *out_len,
                                        const void *in, size_t in_len);

/* acd_card_wipe clears the card's memory and its workspace, not its storage. */
void acd_card_wipe(acd_card *card);

#ifdef __cplusplus
}
#endif
#endif
