/* acd_card.c: the card's life and its commands: power-up, APDUs, command and response chaining, SELECT, GET
 * RESPONSE, GET DATA, wipe. Source: docs/SPEC.md, "Card"; ISO/IEC 7816-4:2013 s. 5, 7816-3:2006 s. 12.
 *
 * Invariants: every command's data is copied to the workspace, and wiped there before the answer is returned,
 * whatever it was; a response that waits is given up by any command but GET RESPONSE; a command that comes in
 * parts is acted on when its last part is there, and not before.
 */
#include <string.h>
#include "acd_card_internal.h"

#define INS_VERIFY 0x20u
#define INS_SECURITY_ENVIRONMENT 0x22u
#define INS_CHANGE_PIN 0x24u
#define INS_SIGN 0x2au
#define INS_UNBLOCK 0x2cu
#define INS_ERASE_RECORD 0x0cu
#define INS_GENERATE 0x47u
#define INS_AUTHENTICATE 0x88u
#define INS_SELECT 0xa4u
#define INS_READ_RECORD 0xb2u
#define INS_GET_RESPONSE 0xc0u
#define INS_GET_DATA 0xcau
#define INS_APPEND_RECORD 0xe2u
#define INS_TERMINATE 0xe6u

#define CLASS_CHAINED 0x10u
#define SHORT_LE_MAX 256u
#define EXTENDED_LE_MAX 65536u
#define VERSION 1u
#define P2_WITH_DATA 0x00u /* SELECT: answer with file control information */
#define P2_WITHOUT_DATA 0x0cu

_Static_assert(sizeof(acd_card) <= 256, "acd_card: at most 256 bytes");

const uint8_t acd_card_aid[ACD_CARD_AID_SIZE] = {0xf0, 0x41, 0x43, 0x44, 0x01, 0x00, 0x01};

typedef struct instruction {
    uint8_t ins;
    uint8_t in_parts; /* may come in parts */
    uint16_t (*run)(acd_card *card, const card_command *command);
} instruction;

static const instruction instructions[] = {
    {INS_VERIFY, 0, acd_card_verify},
    {INS_SECURITY_ENVIRONMENT, 0, acd_card_select_key},
    {INS_CHANGE_PIN, 0, acd_card_change_pin},
    {INS_UNBLOCK, 0, acd_card_unblock},
    {INS_GENERATE, 0, acd_card_generate},
    {INS_SIGN, 1, acd_card_sign},
    {INS_AUTHENTICATE, 1, acd_card_answer_challenge},
    {INS_APPEND_RECORD, 1, acd_card_append_receipt},
    {INS_READ_RECORD, 0, acd_card_read_receipt},
    {INS_ERASE_RECORD, 0, acd_card_erase_receipt},
    {INS_GET_DATA, 0, acd_card_get_data},
    {INS_TERMINATE, 0, acd_card_terminate},
};

/* MARK: Life */

static acd_status set_up(acd_card *card, const acd_card_ports *ports)
{
    if (card == NULL || ports == NULL || ports->random == NULL || ports->storage.read == NULL ||
        ports->storage.write == NULL || ports->storage.erase == NULL || ports->storage.commit == NULL ||
        ports->storage.page_size < ACD_CARD_PAGE_SIZE_MIN || ports->storage.page_count < ACD_CARD_PAGES_MIN ||
        (uint64_t)ports->storage.page_size * ports->storage.page_count > INT32_MAX) {
        return ACD_ERR_MISUSE;
    }
    memset(card, 0, sizeof *card);
    card->ports = *ports;
    return ACD_OK;
}

acd_status acd_card_format(const acd_card_ports *ports)
{
    acd_card card;
    ACD_TRY(set_up(&card, ports));
    /* The log first: tries only come back once there is nothing left to guess for. */
    ACD_TRY(acd_card_log_format(&card));
    return acd_card_tries_format(&card);
}

acd_status acd_card_init(acd_card *card, const acd_card_ports *ports, void *workspace, size_t workspace_cap)
{
    ACD_TRY(set_up(card, ports));
    if (workspace == NULL || workspace_cap < ACD_CARD_WORKSPACE_MIN) {
        return ACD_ERR_MISUSE;
    }
    card->workspace = workspace;
    card->workspace_cap = workspace_cap;
    ACD_TRY(acd_card_tries_open(card));
    return acd_card_log_open(card);
}

void acd_card_reset(acd_card *card)
{
    acd_wipe(card->workspace, card->used);
    card->used = 0;
    card->selected = 0;
    card->verified = 0;
    card->key = (acd_card_key){0, 0};
    card->chaining = 0;
    card->chain_len = 0;
    card->response_len = 0;
}

void acd_card_wipe(acd_card *card)
{
    acd_wipe(card->workspace, card->workspace_cap);
    acd_wipe(card, sizeof *card);
}

/* MARK: Responses */

static void used_up_to(acd_card *card, size_t end)
{
    card->used = end > card->used ? (uint32_t)end : card->used;
}

void acd_card_respond(acd_card *card, const void *bytes, size_t len)
{
    memmove(card->workspace, bytes, len);
    used_up_to(card, len);
    card->response_stored = 0;
    card->response_at = 0;
    card->response_len = (uint32_t)len;
}

uint16_t acd_card_status_word(acd_status status)
{
    switch (status) {
    case ACD_OK: return SW_OK;
    case ACD_ERR_NO_SPACE: return SW_FULL;
    case ACD_ERR_MISUSE: return SW_STORAGE;
    default: return SW_INTERNAL;
    }
}

/* Writes as much of the response as the caller asked for and has room for, and the status word. */
static uint16_t give(acd_card *card, uint8_t *out, size_t room, size_t le, size_t *given)
{
    size_t take = card->response_len < le ? card->response_len : le;
    take = take < room ? take : room;
    *given = 0;
    if (card->response_stored) {
        CARD_TRY(acd_card_read(card, card->response_at, out, take));
    } else if (take > 0) {
        memcpy(out, card->workspace + card->response_at, take);
    }
    card->response_at += (uint32_t)take;
    card->response_len -= (uint32_t)take;
    *given = take;
    if (card->response_len == 0) {
        return SW_OK;
    }
    return (uint16_t)(SW_MORE | (card->response_len < SHORT_LE_MAX ? card->response_len : 0));
}

/* MARK: Commands in one part and in several */

/* Reads Lc, data and Le in all forms of ISO/IEC 7816-3 s. 12.1.3. */
static int read_body(card_command *command, const uint8_t **data, const uint8_t *body, size_t len)
{
    *data = NULL;
    command->len = 0;
    command->has_le = 0;
    command->le = 0;
    if (len == 0) {
        return 1;
    }
    const int extended = body[0] == 0 && len > 1;
    if (extended && len < 3) {
        return 0;
    }
    const size_t head = extended ? 3u : 1u;
    const size_t number = extended ? (size_t)body[1] << 8 | body[2] : body[0];
    const size_t le_max = extended ? EXTENDED_LE_MAX : SHORT_LE_MAX;
    if (len == head) {
        command->has_le = 1;
        command->le = number == 0 ? le_max : number;
        return 1;
    }
    const size_t le_size = extended ? 2u : 1u;
    if (number == 0 || (len != head + number && len != head + number + le_size)) {
        return 0;
    }
    *data = body + head;
    command->len = number;
    if (len > head + number) {
        const uint8_t *le = body + head + number;
        const size_t asked = extended ? (size_t)le[0] << 8 | le[1] : le[0];
        command->has_le = 1;
        command->le = asked == 0 ? le_max : asked;
    }
    return 1;
}

static const instruction *instruction_of(uint8_t ins)
{
    for (size_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
        if (instructions[i].ins == ins) {
            return &instructions[i];
        }
    }
    return NULL;
}

static uint16_t select_application(acd_card *card, const card_command *command)
{
    if (command->p1 != 0x04 || (command->p2 != P2_WITH_DATA && command->p2 != P2_WITHOUT_DATA)) {
        return SW_P1P2;
    }
    if (command->len != sizeof acd_card_aid ||
        memcmp(command->data, acd_card_aid, sizeof acd_card_aid) != 0) {
        return SW_NOT_FOUND; /* another application: what was selected stays so */
    }
    acd_card_reset(card);
    card->selected = 1;
    if (command->p2 == P2_WITHOUT_DATA) {
        return SW_OK;
    }
    uint8_t response[2 + 2 + ACD_CARD_AID_SIZE + 3] = {0x6f, 2 + ACD_CARD_AID_SIZE + 3, 0x84,
                                                       ACD_CARD_AID_SIZE};
    memcpy(response + 4, acd_card_aid, ACD_CARD_AID_SIZE);
    response[4 + ACD_CARD_AID_SIZE] = 0x53; /* discretionary data: the version of this interface */
    response[5 + ACD_CARD_AID_SIZE] = 1;
    response[6 + ACD_CARD_AID_SIZE] = VERSION;
    acd_card_respond(card, response, sizeof response);
    return SW_OK;
}

/* Collects the data behind what came before; SW_OK when the command is whole. */
static uint16_t collect(acd_card *card, const instruction *found, card_command *command, const uint8_t *data,
                        int is_part, int *whole)
{
    *whole = !is_part;
    if (card->chaining &&
        (found->ins != card->chain_ins || command->p1 != card->chain_p1 || command->p2 != card->chain_p2)) {
        card->chaining = 0;
        return SW_CHAIN_EXPECTED;
    }
    const size_t before = card->chaining ? card->chain_len : 0;
    card->chaining = 0;
    if (is_part && !found->in_parts) {
        return SW_NO_CHAINING;
    }
    if (command->len > card->workspace_cap - CARD_DATA - before) {
        return SW_LENGTH;
    }
    command->data = card->workspace + CARD_DATA;
    if (command->len > 0) {
        memcpy(command->data + before, data, command->len);
        used_up_to(card, CARD_DATA + before + command->len);
    }
    command->len += before;
    if (is_part) {
        card->chaining = 1;
        card->chain_ins = found->ins;
        card->chain_p1 = command->p1;
        card->chain_p2 = command->p2;
        card->chain_len = (uint32_t)command->len;
    }
    return SW_OK;
}

/* Acts on a command that is none of GET RESPONSE's. */
static uint16_t act(acd_card *card, card_command *command, const uint8_t *data, int is_part)
{
    static const instruction selection = {INS_SELECT, 0, select_application};
    const instruction *found = command->ins == INS_SELECT ? &selection
                               : card->selected           ? instruction_of(command->ins)
                                                          : NULL;
    int whole = 0;
    card->response_len = 0;
    if (found == NULL) {
        card->chaining = 0;
        return SW_INSTRUCTION;
    }
    CARD_REQUIRE(collect(card, found, command, data, is_part, &whole));
    return whole ? found->run(card, command) : SW_OK;
}

static uint16_t check_class(uint8_t class_byte)
{
    if ((class_byte & 0xe0u) != 0) {
        return SW_CLASS;
    }
    if ((class_byte & 0x0cu) != 0) {
        return SW_SECURE_MESSAGING;
    }
    return (class_byte & 0x03u) != 0 ? SW_CHANNEL : SW_OK;
}

static uint16_t process(acd_card *card, uint8_t *out, size_t room, size_t *given, const uint8_t *in,
                        size_t in_len)
{
    card_command command;
    const uint8_t *data = NULL;
    *given = 0;
    if (in_len < 4 || !read_body(&command, &data, in + 4, in_len - 4)) {
        return SW_LENGTH;
    }
    CARD_REQUIRE(check_class(in[0]));
    command.ins = in[1];
    command.p1 = in[2];
    command.p2 = in[3];
    const int is_part = (in[0] & CLASS_CHAINED) != 0;
    if (card->failed) {
        return SW_STORAGE;
    }
    if (command.ins == INS_GET_RESPONSE && card->selected) {
        if (command.p1 != 0 || command.p2 != 0) {
            return SW_P1P2;
        }
        if (is_part || command.len != 0 || !command.has_le) {
            return SW_LENGTH;
        }
        return card->response_len == 0 ? SW_CONDITIONS : give(card, out, room, command.le, given);
    }
    const uint16_t status = act(card, &command, data, is_part);
    if (status != SW_OK) {
        card->response_len = 0;
        return status;
    }
    return give(card, out, room, command.le, given);
}

acd_status acd_card_apdu(acd_card *card, void *out, size_t out_cap, size_t *out_len, const void *in,
                         size_t in_len)
{
    if (card == NULL || card->workspace == NULL || out == NULL || out_cap < ACD_CARD_RESPONSE_MIN ||
        out_len == NULL || acd_is_lacking(in, in_len)) {
        return ACD_ERR_MISUSE;
    }
    size_t given = 0;
    const uint16_t status = process(card, out, out_cap - 2u, &given, in, in_len);
    uint8_t *tail = (uint8_t *)out + given;
    tail[0] = (uint8_t)(status >> 8);
    tail[1] = (uint8_t)status;
    *out_len = given + 2u;
    if (!card->chaining) { /* what is left of the command goes, what waits to be given stays */
        const int waits = card->response_len > 0 && !card->response_stored;
        const size_t kept = waits ? (size_t)card->response_at + card->response_len : 0;
        if (kept < card->used) {
            acd_wipe(card->workspace + kept, card->used - kept);
            card->used = (uint32_t)kept;
        }
    }
    return ACD_OK;
}

/* MARK: The card as a whole */

/* GET DATA 00 CA 01 01: version(1) || defaults(1) || tries left(3), and after the payment PIN token keys(4)
 * || pseudonyms(4) || room for receipts and signatures(4). */
static uint16_t card_state(acd_card *card)
{
    uint8_t state[17] = {VERSION};
    for (int pin = 0; pin < CARD_PINS; pin++) {
        int is_default = 0;
        unsigned left = 0;
        CARD_TRY(acd_card_pin_is_default(card, &is_default, (card_pin)pin));
        CARD_TRY(acd_card_tries_left(card, &left, (card_pin)pin));
        state[1] |= (uint8_t)(is_default << pin);
        state[2 + pin] = (uint8_t)left;
    }
    if (!acd_card_is_verified(card, CARD_PIN_PAYMENT)) {
        acd_card_respond(card, state, 5);
        return SW_OK;
    }
    card_counts counts;
    uint32_t room = 0;
    CARD_TRY(acd_card_counts_read(card, &counts));
    CARD_TRY(acd_card_log_room(card, &room));
    acd_card_put32(state + 5, counts.tokens);
    acd_card_put32(state + 9, counts.pseudonyms);
    acd_card_put32(state + 13, room);
    acd_card_respond(card, state, sizeof state);
    return SW_OK;
}

uint16_t acd_card_get_data(acd_card *card, const card_command *command)
{
    if (command->len != 0) {
        return SW_LENGTH;
    }
    if (command->p1 != 0x01) {
        return SW_NO_REFERENCE;
    }
    switch (command->p2) {
    case 0x00: return acd_card_list_receipts(card);
    case 0x01: return card_state(card);
    default: return SW_NO_REFERENCE;
    }
}

/* TERMINATE: 00 E6 00 00: keys, receipts, PINs are erased; after the payment PIN, or when the PUK is blocked.
 */
uint16_t acd_card_terminate(acd_card *card, const card_command *command)
{
    unsigned left = 0;
    if (command->p1 != 0 || command->p2 != 0) {
        return SW_P1P2;
    }
    if (command->len != 0) {
        return SW_LENGTH;
    }
    CARD_TRY(acd_card_tries_left(card, &left, CARD_PUK));
    if (left > 0 && !acd_card_is_verified(card, CARD_PIN_PAYMENT)) {
        return SW_SECURITY;
    }
    card->verified = 0;
    card->key = (acd_card_key){0, 0};
    /* In this order: tries only come back once there is nothing left to guess for. */
    CARD_TRY(acd_card_log_clear(card));
    CARD_TRY(acd_card_tries_reset(card));
    return SW_OK;
}
