/* acd_fields.h: how the fields of a message are written down in the table of messages. Part of
 * acd_message_table.c, which alone includes it. */
#ifndef ACD_FIELDS_H
#define ACD_FIELDS_H

#include "acd/cose.h"
#include "acd/crypto.h"
#include "acd/message.h"

#define REQUIRED 1
#define OPTIONAL 0

/* The limits of nearly all fields, so that a device carries them once. */
static const acd_range any_none = {0, 0};
static const acd_range any_truth = {0, 1};
static const acd_range any_time = {1, ACD_TIME_MAX};
static const acd_range any_amount = {0, ACD_AMOUNT_MAX};
static const acd_range any_id = {16, 16};
static const acd_range any_hash = {32, 32};

#define FIELD(key, kind, req, sub, cmin, cmax, range, name) \
    {(key), (kind), (req), (sub), (cmin), (cmax), (range), (name)}
#define RANGE(min, max) (&(const acd_range){(min), (max)})

#define UINT(key, req, min, max, name) FIELD(key, ACD_FIELD_UINT, req, ACD_NONE, 0, 0, RANGE(min, max), name)
#define BOOL(key, req, name) FIELD(key, ACD_FIELD_BOOL, req, ACD_NONE, 0, 0, &any_truth, name)
#define TIME(key, req, name) FIELD(key, ACD_FIELD_UINT, req, ACD_NONE, 0, 0, &any_time, name)
#define BYTES(key, req, min, max, name) \
    FIELD(key, ACD_FIELD_BYTES, req, ACD_NONE, 0, 0, RANGE(min, max), name)
#define HASH(key, req, name) FIELD(key, ACD_FIELD_BYTES, req, ACD_NONE, 0, 0, &any_hash, name)
#define ID(key, req, name) FIELD(key, ACD_FIELD_BYTES, req, ACD_NONE, 0, 0, &any_id, name)
#define TEXT(key, req, min, max, name) FIELD(key, ACD_FIELD_TEXT, req, ACD_NONE, 0, 0, RANGE(min, max), name)
#define MONEY(key, req, name) FIELD(key, ACD_FIELD_MONEY, req, ACD_NONE, 0, 0, &any_amount, name)
#define MAP(key, req, sub, name) FIELD(key, ACD_FIELD_MAP, req, sub, 0, 0, &any_none, name)
#define MESSAGE(key, req, sub, max, name) FIELD(key, ACD_FIELD_MESSAGE, req, sub, 0, 0, RANGE(64, max), name)
#define BYTES_LIST(key, req, cmin, cmax, min, max, name) \
    FIELD(key, ACD_FIELD_BYTES_LIST, req, ACD_NONE, cmin, cmax, RANGE(min, max), name)
#define HASHES(key, req, cmin, cmax, name) \
    FIELD(key, ACD_FIELD_BYTES_LIST, req, ACD_NONE, cmin, cmax, &any_hash, name)
#define UINT_LIST(key, req, cmin, cmax, min, max, name) \
    FIELD(key, ACD_FIELD_UINT_LIST, req, ACD_NONE, cmin, cmax, RANGE(min, max), name)
#define MAP_LIST(key, req, cmin, cmax, sub, name) \
    FIELD(key, ACD_FIELD_MAP_LIST, req, sub, cmin, cmax, &any_none, name)
#define MESSAGE_LIST(key, req, cmin, cmax, max, name) \
    FIELD(key, ACD_FIELD_MESSAGE_LIST, req, ACD_NONE, cmin, cmax, RANGE(64, max), name)

#define RSA_MIN 256u /* bytes of a modulus or signature: RSA-2048 ... */
#define RSA_MAX 512u /* ... to RSA-4096 */
#define SECONDS_MAX UINT64_C(315576000) /* ten years */

/* What P3 and its kin say, and P2 and its kin: the same, to which bank, by which tokens. `value` is what is
 * locked; fields stand in ascending order, so that B is in the middle. */
#define TERMS_HEAD \
    ID(ACD_KEY_N, REQUIRED, "n"), \
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"), \
    HASH(ACD_KEY_ARCHIVE, REQUIRED, "A")
#define TERMS_TAIL(value) \
    HASH(ACD_KEY_PSEUDONYM, REQUIRED, "P"), \
    MONEY(ACD_KEY_VALUE, REQUIRED, value), \
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"), \
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"), \
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"), \
    HASH(ACD_KEY_HX, REQUIRED, "hx")
#define LOCK_FIELDS(value) TERMS_HEAD, TERMS_TAIL(value)
#define REQUEST_FIELDS(value) \
    TERMS_HEAD, \
    HASH(ACD_KEY_BANK, REQUIRED, "B"), \
    TERMS_TAIL(value), \
    MAP_LIST(ACD_P2_TOKENS, REQUIRED, 1, ACD_TOKENS_MAX, ACD_TOKEN_INPUT, "tokens")

/* What every abort says. */
#define ABORT_FIELDS \
    ID(ACD_KEY_N, REQUIRED, "n"), \
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"), \
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"), \
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"), \
    HASH(ACD_KEY_LOCK, REQUIRED, "L"), \
    TIME(ACD_KEY_AT, REQUIRED, "at"), \
    UINT(ACD_KEY_REASON, REQUIRED, 1, 255, "failed")

#endif
