/* acd_card_rig.h: a card for tests: its storage in memory, power that fails at a chosen byte, APDUs, and the
 * messages that it signs or holds. */
#ifndef ACD_CARD_RIG_H
#define ACD_CARD_RIG_H

#include "acd_sample.h"

#define RIG_STORAGE_MAX 524288u
#define RIG_NEVER UINT64_MAX

/* What is left after a cut of what was not committed. Always the byte at the cut is torn. */
typedef enum rig_loss {
    RIG_KEEPS_ALL,      /* all that was written before it */
    RIG_LOSES_BYTES,    /* each byte or not, as `seed` has it */
    RIG_KEEPS_THE_LAST, /* only the last write or erasure: later ones overtake earlier ones */
    RIG_LOSSES
} rig_loss;

/* Storage whose power fails at point `cut_at`: each byte written or erased is a point, each commit one more.
 */
typedef struct rig_storage {
    uint32_t page_size, page_count;
    uint64_t points, cut_at;
    uint32_t seed;
    rig_loss loss;
    uint32_t last_at, last_len; /* of the last write or erasure */
    uint8_t dead;
    uint8_t written_twice;            /* a byte was written again without an erasure */
    uint64_t commits, commits_at_pin; /* so far, and when a PIN's verifier was last read */
    uint8_t bytes[RIG_STORAGE_MAX];
    uint8_t durable[RIG_STORAGE_MAX];
} rig_storage;

typedef struct rig {
    rig_storage storage;
    uint32_t drawn; /* random blocks so far: deterministic */
    uint8_t random_fails;
    int show_says; /* what the holder answers */
    unsigned shown_count;
    acd_card_shown shown; /* the last one; its parcel is gone */
    uint8_t *tape;        /* NULL, or where every command is kept, each behind its length in two bytes */
    size_t tape_len, tape_cap;
    acd_card card;
    uint8_t workspace[ACD_CARD_WORKSPACE_SIZE];
    uint8_t out[ACD_CARD_WORKSPACE_SIZE];
    size_t out_len; /* without the status word */
} rig;

extern const uint8_t rig_counter_pin[ACD_CARD_PIN_SIZE], rig_payment_pin[ACD_CARD_PIN_SIZE],
    rig_puk[ACD_CARD_PIN_SIZE], rig_wrong_pin[ACD_CARD_PIN_SIZE];
extern const uint8_t rig_default_pin[ACD_CARD_PIN_SIZE], rig_default_puk[ACD_CARD_PIN_SIZE];

acd_card_ports rig_ports(rig *in);
/* A formatted card of 128 pages of 256 bytes, powered up. */
void rig_new(rig *out);
void rig_new_of(rig *out, uint32_t page_size, uint32_t page_count);
/* Power on, after a cut or not. */
acd_status rig_power(rig *in);
/* Own PINs and PUK, one token key and one pseudonym, nothing verified. */
void rig_personalise(rig *in, uint8_t token_key[32], uint8_t pseudonym[32]);

/* MARK: APDUs. Each returns the status word and leaves the data in `out`. */

uint16_t rig_send(rig *in, const void *apdu, size_t len);
/* Short if that does, else extended; le < 0: none; 256 or more: as many as there are. */
uint16_t rig_command(rig *in, uint8_t ins, uint8_t p1, uint8_t p2, const void *data, size_t len, long le);
/* In parts of at most `part` bytes, and all of the response by GET RESPONSE. */
uint16_t rig_chained(rig *in, uint8_t ins, uint8_t p1, uint8_t p2, const void *data, size_t len, size_t part);
uint16_t rig_select(rig *in);
uint16_t rig_verify(rig *in, uint8_t reference, const uint8_t pin[ACD_CARD_PIN_SIZE]);
uint16_t rig_change(rig *in, uint8_t reference, const uint8_t *old_pin, const uint8_t *new_pin);
uint16_t rig_unblock(rig *in, uint8_t reference, const uint8_t *puk, const uint8_t *new_pin);
uint16_t rig_use_key(rig *in, uint8_t kind, uint32_t index);
uint16_t rig_sign(rig *in, sample structure);
unsigned rig_tries(rig *in, uint8_t reference);

/* MARK: Messages */

/* The Sig_structure of a payload under a key, to be signed. */
sample rig_structure(acd_message_type type, sample payload, const uint8_t public_key[32]);
/* A payment (P2 or kin): `n` and `merchant` are the first bytes of n and M. */
sample rig_payment(acd_message_type type, uint8_t n, uint8_t merchant, uint64_t amount,
                   const uint8_t (*token_keys)[32], size_t count);
/* S_p(P1) or E5. */
sample rig_acknowledgement(acd_message_type type, uint8_t n, uint8_t hash);

typedef struct rig_sale {
    uint8_t n, p4_n;               /* first byte of n in P1 and P4 */
    uint8_t merchant, p4_merchant; /* seeds */
    const char *parcel, *description;
    const uint8_t *office;                        /* NULL: any */
    const uint8_t *collector;                     /* NULL: the pseudonym */
    uint8_t h_p1;                                 /* XORed into P4.hP1 */
    acd_message_type p5a_type;                    /* what P5a is signed as */
    uint8_t kiosk, intent;                        /* D1 ... */
    uint8_t d1_n, d1_merchant, d1_h_p1, d1_h_p5a; /* ... XORed into it */
    uint8_t d1_nonce;
    const char *d1_parcel;
    const uint8_t *d1_office;
} rig_sale;

rig_sale rig_sale_good(void);
void rig_sale_build(const rig_sale *sale, const uint8_t pseudonym[32], sample *receipt, sample *d1);
uint16_t rig_store(rig *in, uint8_t flags, uint32_t index, sample receipt);

#endif
