/* acd_card_receipt.c: the receipts that the card holds, and D2, its answer at a counter. Source:
 * docs/SPEC.md, "Card", Receipts; "Receipt".
 *
 * Invariants: a receipt is stored whole or not at all, with the facts that D1 is held against, read from it
 * when it came. D2 is signed only with a key that the receipt lets collect, for a D1 that names this very
 * receipt, and once for each time the counter PIN was given. The card has neither trust list nor clock: it
 * checks that the receipt's parts belong together, not who signed them. That is the kiosk's.
 */
#include <string.h>
#include "acd_card_internal.h"

/* A receipt's record: number(1) || flags(1) || key index(4) || n(16) || M(32) || hP1(32) || hP5a(32) ||
 * length of parcel(1) || count of offices(1) || parcel || offices(32 each) || the receipt. */
#define AT_FLAGS 1u
#define AT_INDEX 2u
#define AT_N 6u
#define AT_MERCHANT 22u
#define AT_H_P1 54u
#define AT_H_P5A 86u
#define AT_PARCEL_LEN 118u
#define AT_OFFICES 119u
#define FACTS_SIZE 120u
#define PARCEL_MAX 35u
#define OFFICES_MAX 16u
#define FACTS_MAX (FACTS_SIZE + PARCEL_MAX + OFFICES_MAX * 32u)

#define FLAG_OPEN 0x01u     /* read without a PIN */
#define FLAG_COLLECTS 0x02u /* the card's key may collect: kept with the facts, not given by the command */
#define RECEIPT_SIZE_MAX 8192u
#define PREFIX_SIZE 5u /* flags(1) || pseudonym's index(4), before the receipt */
#define P2_NUMBERED 0x04u
#define LIST_ENTRY_SIZE 4u

/* The value of `key`: the table has it, whoever asks knows the type. */
static const acd_value *field(const acd_value *values, acd_message_type type, int key)
{
    return &values[acd_map_field(type, key)];
}

static acd_status parse_as(acd_sign1 *out, acd_message_type type, const acd_value *message)
{
    ACD_TRY(acd_sign1_parse(out, message->bytes, message->len));
    return out->type == type ? ACD_OK : ACD_ERR_UNEXPECTED_TYPE;
}

/* MARK: A receipt's facts */

typedef struct facts {
    uint8_t bytes[FACTS_MAX];
    size_t len;
    const uint8_t *public_key; /* the card's */
} facts;

static acd_status has_key(const acd_value *list, const uint8_t *key, int *has)
{
    acd_list walk;
    acd_value element;
    *has = 0;
    ACD_TRY(acd_list_begin(&walk, list));
    while (walk.remaining > 0) {
        ACD_TRY(acd_list_next(&walk, &element));
        *has |= memcmp(element.bytes, key, ACD_PUBLIC_KEY_SIZE) == 0; /* Not secret. */
    }
    return ACD_OK;
}

/* Reads parcel and offices, and whether the card's key may collect. The key has to be in the contract. */
static acd_status read_contract(facts *out, const acd_value *contract)
{
    acd_value values[16];
    acd_list walk;
    acd_value office;
    int collects = 0;
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_CONTRACT, contract->bytes,
                           contract->len));
    const acd_value *pseudonym = field(values, ACD_CONTRACT, ACD_KEY_PSEUDONYM);
    const acd_value *collectors = field(values, ACD_CONTRACT, ACD_CONTRACT_COLLECT_KEYS);
    const int is_pseudonym = memcmp(pseudonym->bytes, out->public_key, ACD_PUBLIC_KEY_SIZE) == 0;
    if (collectors->present) {
        ACD_TRY(has_key(collectors, out->public_key, &collects));
    } else {
        collects = is_pseudonym;
    }
    if (!collects && !is_pseudonym) {
        return ACD_ERR_MISMATCH;
    }
    out->bytes[AT_FLAGS] |= (uint8_t)(collects ? FLAG_COLLECTS : 0);
    const acd_value *parcel = field(values, ACD_CONTRACT, ACD_CONTRACT_PARCEL);
    const acd_value *offices = field(values, ACD_CONTRACT, ACD_CONTRACT_OFFICES);
    out->len = FACTS_SIZE;
    if (parcel->present) {
        out->bytes[AT_PARCEL_LEN] = (uint8_t)parcel->len;
        memcpy(out->bytes + out->len, parcel->bytes, parcel->len);
        out->len += parcel->len;
    }
    if (offices->present) {
        ACD_TRY(acd_list_begin(&walk, offices));
        out->bytes[AT_OFFICES] = (uint8_t)walk.remaining;
        while (walk.remaining > 0) {
            ACD_TRY(acd_list_next(&walk, &office));
            memcpy(out->bytes + out->len, office.bytes, ACD_PUBLIC_KEY_SIZE);
            out->len += ACD_PUBLIC_KEY_SIZE;
        }
    }
    return ACD_OK;
}

static acd_status read_p1(facts *out, const acd_value *message)
{
    acd_sign1 p1;
    acd_value values[6];
    ACD_TRY(parse_as(&p1, ACD_P1, message));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P1, p1.payload, p1.payload_len));
    memcpy(out->bytes + AT_N, field(values, ACD_P1, ACD_KEY_N)->bytes, ACD_TRANSACTION_ID_SIZE);
    memcpy(out->bytes + AT_MERCHANT, p1.key_id, ACD_PUBLIC_KEY_SIZE);
    acd_sha256(out->bytes + AT_H_P1, message->bytes, message->len);
    const acd_value contract = *field(values, ACD_P1, ACD_P1_CONTRACT);
    return read_contract(out, &contract);
}

/* P5a has to be that of P1: by merchant, n and hP1 in its P4. */
static acd_status read_p5a(facts *out, const acd_value *message)
{
    acd_sign1 signed_message;
    acd_value values[5];
    ACD_TRY(parse_as(&signed_message, ACD_P5A, message));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P5A, signed_message.payload,
                           signed_message.payload_len));
    acd_sha256(out->bytes + AT_H_P5A, message->bytes, message->len);
    const acd_value p4 = *field(values, ACD_P5A, ACD_P5A_P4);
    ACD_TRY(parse_as(&signed_message, ACD_P4, &p4));
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_P4, signed_message.payload,
                           signed_message.payload_len));
    const int same =
        memcmp(signed_message.key_id, out->bytes + AT_MERCHANT, ACD_PUBLIC_KEY_SIZE) == 0 &&
        memcmp(field(values, ACD_P4, ACD_KEY_N)->bytes, out->bytes + AT_N, ACD_TRANSACTION_ID_SIZE) == 0 &&
        memcmp(field(values, ACD_P4, ACD_KEY_H_P1)->bytes, out->bytes + AT_H_P1, ACD_HASH_SIZE) == 0;
    return same ? ACD_OK : ACD_ERR_MISMATCH;
}

static acd_status read_receipt(facts *out, const uint8_t *receipt, size_t len)
{
    acd_value values[5];
    ACD_TRY(acd_map_decode(values, sizeof values / sizeof values[0], ACD_RECEIPT, receipt, len));
    const acd_value p1 = *field(values, ACD_RECEIPT, ACD_RECEIPT_P1);
    const acd_value p5a = *field(values, ACD_RECEIPT, ACD_RECEIPT_P5A);
    ACD_TRY(read_p1(out, &p1));
    return read_p5a(out, &p5a);
}

/* MARK: Receipts that are there */

/* The next live receipt behind *record. */
static acd_status next_receipt(acd_card *card, card_record *record, int *found)
{
    int stale = 1;
    do {
        ACD_TRY(acd_card_log_next(card, record, found));
        if (*found && record->type == CARD_RECORD_RECEIPT) {
            ACD_TRY(acd_card_log_is_stale(card, record, &stale));
        }
    } while (*found && stale);
    return ACD_OK;
}

static acd_status find_numbered(acd_card *card, card_record *record, int *found, uint8_t number)
{
    uint8_t its_number = 0;
    *record = (card_record){0, 0, 0};
    do {
        ACD_TRY(next_receipt(card, record, found));
        if (*found) {
            ACD_TRY(acd_card_read(card, record->at, &its_number, 1));
        }
    } while (*found && its_number != number);
    return ACD_OK;
}

/* Where the receipt itself stands, behind its facts. */
static acd_status receipt_in(acd_card *card, const card_record *record, uint32_t *at, uint32_t *len)
{
    uint8_t counts[2]; /* of the parcel's bytes and of offices */
    ACD_TRY(acd_card_read(card, record->at + AT_PARCEL_LEN, counts, sizeof counts));
    const uint32_t before = FACTS_SIZE + counts[0] + counts[1] * ACD_PUBLIC_KEY_SIZE;
    *at = record->at + before;
    *len = record->len - before;
    return ACD_OK;
}

/* Whether the holder's own PIN was given: the default is nobody's. */
static int knows_a_pin(acd_card *card)
{
    return acd_card_may_sign(card, CARD_PIN_COUNTER) == SW_OK ||
           acd_card_may_sign(card, CARD_PIN_PAYMENT) == SW_OK;
}

/* The number that is free, and the receipt of the same P1 if it is there already. */
static acd_status place_for(acd_card *card, const facts *in, uint8_t *number, int *is_there)
{
    uint8_t taken[ACD_CARD_RECEIPTS_MAX / 8u + 1u] = {0};
    uint8_t head[AT_H_P1 + ACD_HASH_SIZE];
    card_record record = {0, 0, 0};
    int found = 0;
    *is_there = 0;
    for (;;) {
        ACD_TRY(next_receipt(card, &record, &found));
        if (!found) {
            break;
        }
        ACD_TRY(acd_card_read(card, record.at, head, sizeof head));
        taken[head[0] / 8u] |= (uint8_t)(1u << head[0] % 8u);
        if (memcmp(head + AT_H_P1, in->bytes + AT_H_P1, ACD_HASH_SIZE) == 0) {
            *number = head[0];
            *is_there = 1;
            return ACD_OK;
        }
    }
    for (unsigned each = 1; each <= ACD_CARD_RECEIPTS_MAX; each++) {
        if (((unsigned)taken[each / 8u] >> each % 8u & 1u) == 0) {
            *number = (uint8_t)each;
            return ACD_OK;
        }
    }
    return ACD_ERR_NO_SPACE;
}

/* MARK: Commands */

/* APPEND RECORD: 00 E2 00 00 flags || pseudonym's index || receipt -> number. The same receipt again: the
 * same number, and nothing else changes. */
uint16_t acd_card_append_receipt(acd_card *card, const card_command *command)
{
    facts read = {{0}, 0, NULL};
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t number = 0;
    int is_there = 0;
    if (command->p1 != 0 || command->p2 != 0) {
        return SW_P1P2;
    }
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_PAYMENT));
    if (command->len <= PREFIX_SIZE || command->len > PREFIX_SIZE + RECEIPT_SIZE_MAX) {
        return SW_LENGTH;
    }
    if ((command->data[0] & ~FLAG_OPEN) != 0) {
        return SW_DATA;
    }
    const acd_card_key key = {ACD_CARD_PSEUDONYM, acd_card_get32(command->data + 1)};
    CARD_REQUIRE(acd_card_key_exists(card, key));
    const acd_status derived = acd_card_key_derive(card, public_key, secret_key, key);
    acd_wipe(secret_key, sizeof secret_key);
    CARD_TRY(derived);
    read.public_key = public_key;
    read.bytes[AT_FLAGS] = command->data[0];
    memcpy(read.bytes + AT_INDEX, command->data + 1, 4);
    const uint8_t *receipt = command->data + PREFIX_SIZE;
    const size_t len = command->len - PREFIX_SIZE;
    if (read_receipt(&read, receipt, len) != ACD_OK) {
        return SW_DATA;
    }
    CARD_TRY(place_for(card, &read, &number, &is_there));
    if (!is_there) {
        read.bytes[0] = number;
        const acd_hash_part parts[] = {{read.bytes, read.len}, {receipt, len}};
        CARD_TRY(acd_card_log_append(card, CARD_RECORD_RECEIPT, parts, 2));
    }
    acd_card_respond(card, &number, 1);
    return SW_OK;
}

/* GET DATA 00 CA 01 00: number(1) || flags(1) || length(2) of each receipt; without a PIN, of the open ones.
 */
uint16_t acd_card_list_receipts(acd_card *card)
{
    card_record record = {0, 0, 0};
    uint32_t at = 0;
    uint32_t len = 0;
    size_t end = 0;
    int found = 0;
    for (;;) {
        uint8_t entry[LIST_ENTRY_SIZE];
        CARD_TRY(next_receipt(card, &record, &found));
        if (!found) {
            break;
        }
        CARD_TRY(acd_card_read(card, record.at, entry, 2));
        CARD_TRY(receipt_in(card, &record, &at, &len));
        entry[2] = (uint8_t)(len >> 8);
        entry[3] = (uint8_t)len;
        if (knows_a_pin(card) || (entry[AT_FLAGS] & FLAG_OPEN) != 0) {
            memcpy(card->workspace + end, entry, sizeof entry); /* 254 * 4 bytes: fits any workspace */
            end += sizeof entry;
        }
    }
    acd_card_respond(card, card->workspace, end);
    return SW_OK;
}

/* READ RECORD: 00 B2 number 04. */
uint16_t acd_card_read_receipt(acd_card *card, const card_command *command)
{
    card_record record;
    uint8_t flags = 0;
    uint32_t at = 0;
    uint32_t len = 0;
    int found = 0;
    if (command->p2 != P2_NUMBERED || command->p1 == 0) {
        return SW_P1P2;
    }
    if (command->len != 0) {
        return SW_LENGTH;
    }
    CARD_TRY(find_numbered(card, &record, &found, command->p1));
    if (found) {
        CARD_TRY(acd_card_read(card, record.at + AT_FLAGS, &flags, 1));
    }
    if (!knows_a_pin(card) && (flags & FLAG_OPEN) == 0) {
        return SW_SECURITY; /* also where there is none: without a PIN nobody learns how many there are */
    }
    if (!found) {
        return SW_NO_RECORD;
    }
    CARD_TRY(receipt_in(card, &record, &at, &len));
    card->response_stored = 1;
    card->response_at = at;
    card->response_len = len;
    return SW_OK;
}

/* ERASE RECORD: 00 0C number 04. */
uint16_t acd_card_erase_receipt(acd_card *card, const card_command *command)
{
    card_record record;
    int found = 0;
    if (command->p2 != P2_NUMBERED || command->p1 == 0) {
        return SW_P1P2;
    }
    if (command->len != 0) {
        return SW_LENGTH;
    }
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_PAYMENT));
    CARD_TRY(find_numbered(card, &record, &found, command->p1));
    if (!found) {
        return SW_NO_RECORD;
    }
    const acd_hash_part part = {&command->p1, 1};
    CARD_TRY(acd_card_log_append(card, CARD_RECORD_ERASED, &part, 1));
    return SW_OK;
}

/* MARK: D1 and D2 */

typedef struct challenge {
    acd_sign1 d1;
    acd_value values[10];
} challenge;

static const acd_value *of_d1(const challenge *in, int key)
{
    return field(in->values, ACD_D1, key);
}

/* Whether D1 names this receipt, its parcel, and one of its offices if it names any. */
static acd_status is_named(acd_card *card, const challenge *in, const card_record *record, int *named)
{
    uint8_t head[FACTS_SIZE + PARCEL_MAX];
    uint8_t office[ACD_PUBLIC_KEY_SIZE];
    const size_t head_len = record->len < sizeof head ? record->len : sizeof head; /* receipts are longer */
    ACD_TRY(acd_card_read(card, record->at, head, head_len));
    const acd_value *parcel = of_d1(in, ACD_D1_PARCEL);
    *named = memcmp(head + AT_N, of_d1(in, ACD_KEY_N)->bytes, ACD_TRANSACTION_ID_SIZE) == 0 &&
             memcmp(head + AT_MERCHANT, of_d1(in, ACD_KEY_MERCHANT)->bytes, ACD_PUBLIC_KEY_SIZE) == 0 &&
             memcmp(head + AT_H_P1, of_d1(in, ACD_KEY_H_P1)->bytes, ACD_HASH_SIZE) == 0 &&
             memcmp(head + AT_H_P5A, of_d1(in, ACD_D1_H_P5A)->bytes, ACD_HASH_SIZE) == 0 &&
             head[AT_PARCEL_LEN] == parcel->len &&
             memcmp(head + FACTS_SIZE, parcel->bytes, parcel->len) == 0 &&
             (head[AT_FLAGS] & FLAG_COLLECTS) != 0;
    int in_office = head[AT_OFFICES] == 0;
    for (uint32_t i = 0; i < head[AT_OFFICES] && *named; i++) {
        const uint32_t at = record->at + FACTS_SIZE + head[AT_PARCEL_LEN] + i * ACD_PUBLIC_KEY_SIZE;
        ACD_TRY(acd_card_read(card, at, office, sizeof office));
        in_office |= memcmp(office, of_d1(in, ACD_D1_OFFICE)->bytes, sizeof office) == 0;
    }
    *named = *named && in_office;
    return ACD_OK;
}

static int agrees(acd_card *card, const challenge *in)
{
    acd_card_shown shown;
    if (card->ports.show == NULL) {
        return 1;
    }
    memset(&shown, 0, sizeof shown);
    shown.purpose = ACD_CARD_COLLECT;
    shown.type = ACD_D2;
    memcpy(shown.n, of_d1(in, ACD_KEY_N)->bytes, sizeof shown.n);
    memcpy(shown.merchant, of_d1(in, ACD_KEY_MERCHANT)->bytes, sizeof shown.merchant);
    memcpy(shown.kiosk, in->d1.key_id, sizeof shown.kiosk);
    shown.intent = of_d1(in, ACD_D1_INTENT)->number;
    shown.parcel = of_d1(in, ACD_D1_PARCEL)->bytes;
    shown.parcel_len = of_d1(in, ACD_D1_PARCEL)->len;
    return card->ports.show(card->ports.show_state, &shown) == 0;
}

/* Signs D2 with the receipt's key and responds with the whole message. */
static uint16_t answer(acd_card *card, const challenge *in, const card_record *record)
{
    uint8_t hash[ACD_HASH_SIZE];
    uint8_t buffer[ACD_SIGN1_OVERHEAD + 64u];
    uint8_t public_key[ACD_PUBLIC_KEY_SIZE];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE]; /* secret */
    uint8_t index[4];
    acd_value values[2];
    size_t payload_len = 0;
    size_t offset = 0;
    size_t len = 0;
    acd_sha256(hash, in->d1.bytes, in->d1.len);
    values[acd_map_field(ACD_D2, ACD_KEY_H_REQUEST)] = (acd_value){1, 0, hash, sizeof hash};
    values[acd_map_field(ACD_D2, ACD_D2_INTENT)] = *of_d1(in, ACD_D1_INTENT);
    CARD_TRY(acd_map_encode(buffer + ACD_SIGN1_HEADROOM, sizeof buffer - ACD_SIGN1_OVERHEAD, &payload_len,
                            ACD_D2, values, 2));
    CARD_TRY(acd_card_read(card, record->at + AT_INDEX, index, sizeof index));
    const acd_card_key key = {ACD_CARD_PSEUDONYM, acd_card_get32(index)};
    acd_status status = acd_card_key_derive(card, public_key, secret_key, key);
    if (status == ACD_OK) {
        status =
            acd_sign1_sign_in_place(buffer, sizeof buffer, &offset, &len, payload_len, ACD_D2, secret_key);
    }
    acd_wipe(secret_key, sizeof secret_key);
    CARD_TRY(status);
    acd_card_respond(card, buffer + offset, len);
    return SW_OK;
}

/* INTERNAL AUTHENTICATE: 00 88 00 00 D1 -> D2. */
uint16_t acd_card_answer_challenge(acd_card *card, const card_command *command)
{
    challenge in;
    card_record record = {0, 0, 0};
    int found = 0;
    int named = 0;
    if (command->p1 != 0 || command->p2 != 0) {
        return SW_P1P2;
    }
    CARD_REQUIRE(acd_card_may_sign(card, CARD_PIN_COUNTER));
    if (acd_sign1_parse(&in.d1, command->data, command->len) != ACD_OK || in.d1.type != ACD_D1 ||
        acd_map_decode(in.values, sizeof in.values / sizeof in.values[0], ACD_D1, in.d1.payload,
                       in.d1.payload_len) != ACD_OK ||
        acd_sign1_verify_in_place(&in.d1, command->data) != ACD_OK) {
        return SW_DATA;
    }
    do {
        CARD_TRY(next_receipt(card, &record, &found));
        if (found) {
            CARD_TRY(is_named(card, &in, &record, &named));
        }
    } while (found && !named);
    if (!found) {
        return SW_NO_RECORD;
    }
    if (!agrees(card, &in)) {
        return SW_NOT_AGREED;
    }
    card->verified &= (uint8_t)~(1u << CARD_PIN_COUNTER); /* one PIN, one D2 */
    return answer(card, &in, &record);
}
