/* acd_card_rig.c: the storage, the APDUs and the PINs of acd_card_rig.h. The messages are in
 * acd_card_messages.c. */
#include "acd_card_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PADDED(...) {__VA_ARGS__}
#define F 0xff
#define PIN_RECORD_SIZE 49u /* pin(1) || salt(16) || verifier(32): nothing else is read in this size */

const uint8_t rig_counter_pin[] = PADDED('2', '4', '6', '8', '1', '0', F, F, F, F, F, F);
const uint8_t rig_payment_pin[] = PADDED('1', '3', '5', '7', '9', '0', '2', F, F, F, F, F);
const uint8_t rig_puk[] = PADDED('9', '8', '7', '6', '5', '4', '3', '2', '1', '0', '1', '2');
const uint8_t rig_wrong_pin[] = PADDED('0', '0', '0', '0', '0', '0', '0', '0', F, F, F, F);
const uint8_t rig_default_pin[] = PADDED('1', '2', '3', '4', '5', '6', F, F, F, F, F, F);
const uint8_t rig_default_puk[] = PADDED('1', '2', '3', '4', '5', '6', '7', '8', F, F, F, F);

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "acd_card_rig: %s\n", what);
        abort();
    }
}

/* MARK: Storage */

static uint32_t mix(uint32_t value)
{
    value = (value ^ value >> 16) * 0x45d9f3bu;
    return (value ^ value >> 16) * 0x45d9f3bu >> 8;
}

static uint32_t size_of(const rig_storage *storage)
{
    return storage->page_size * storage->page_count;
}

static int power_fails(rig_storage *storage)
{
    if (storage->points++ != storage->cut_at) {
        return 0;
    }
    storage->dead = 1;
    for (uint32_t i = 0; i < size_of(storage) && storage->loss != RIG_KEEPS_ALL; i++) {
        const int is_last = i >= storage->last_at && i - storage->last_at < storage->last_len;
        if (storage->loss == RIG_LOSES_BYTES ? (mix(storage->seed + i) & 1u) != 0 : !is_last) {
            storage->bytes[i] = storage->durable[i];
        }
    }
    return 1;
}

static int storage_read(void *state, uint32_t at, void *out, uint32_t len)
{
    rig_storage *storage = state;
    require(at <= size_of(storage) && len <= size_of(storage) - at, "read outside of storage");
    memcpy(out, storage->bytes + at, len);
    if (len == PIN_RECORD_SIZE) {
        storage->commits_at_pin = storage->commits;
    }
    return storage->dead;
}

static int storage_write(void *state, uint32_t at, const void *bytes, uint32_t len)
{
    rig_storage *storage = state;
    require(at <= size_of(storage) && len <= size_of(storage) - at, "write outside of storage");
    storage->last_at = at;
    storage->last_len = len;
    for (uint32_t i = 0; i < len && !storage->dead; i++) {
        const uint8_t byte = ((const uint8_t *)bytes)[i];
        uint8_t *cell = &storage->bytes[at + i];
        storage->written_twice |= *cell != 0xff && byte != 0xff;
        if (power_fails(storage)) { /* some bits are there */
            *cell &= (uint8_t)(byte | mix(storage->seed + at + i));
        } else {
            *cell &= byte;
        }
    }
    return storage->dead;
}

static int storage_erase(void *state, uint32_t page)
{
    rig_storage *storage = state;
    require(page < storage->page_count, "erases outside of storage");
    storage->last_at = page * storage->page_size;
    storage->last_len = storage->page_size;
    for (uint32_t i = 0; i < storage->page_size && !storage->dead; i++) {
        /* From the page's end in one kind of loss: a header then outlives what it heads. */
        const uint32_t which = storage->loss == RIG_KEEPS_THE_LAST ? storage->page_size - 1u - i : i;
        uint8_t *cell = &storage->bytes[page * storage->page_size + which];
        *cell = (uint8_t)(power_fails(storage) ? *cell | mix(storage->seed + i) : 0xffu);
    }
    return storage->dead;
}

static int storage_commit(void *state)
{
    rig_storage *storage = state;
    if (!storage->dead && !power_fails(storage)) {
        memcpy(storage->durable, storage->bytes, size_of(storage));
        storage->commits++;
    }
    return storage->dead;
}

/* MARK: The other ports */

static int draw(void *state, void *out, size_t len)
{
    rig *in = state;
    uint8_t block[ACD_HASH_SIZE];
    uint32_t count = in->drawn++;
    acd_sha256(block, &count, sizeof count);
    require(len <= sizeof block, "draws more than a block");
    memcpy(out, block, len);
    return in->random_fails;
}

static int show(void *state, const acd_card_shown *shown)
{
    rig *in = state;
    in->shown = *shown;
    in->shown.parcel = NULL;
    in->shown_count++;
    return in->show_says;
}

acd_card_ports rig_ports(rig *in)
{
    const acd_card_storage storage = {&in->storage,  in->storage.page_size, in->storage.page_count,
                                      storage_read,  storage_write,         storage_erase,
                                      storage_commit};
    return (acd_card_ports){storage, in, draw, in, show};
}

/* MARK: Life */

void rig_new_of(rig *out, uint32_t page_size, uint32_t page_count)
{
    memset(out, 0, sizeof *out);
    out->storage.page_size = page_size;
    out->storage.page_count = page_count;
    out->storage.cut_at = RIG_NEVER;
    require(size_of(&out->storage) <= RIG_STORAGE_MAX, "storage too large");
    memset(out->storage.bytes, 0xff, sizeof out->storage.bytes);
    memset(out->storage.durable, 0xff, sizeof out->storage.durable);
    const acd_card_ports ports = rig_ports(out);
    require(acd_card_format(&ports) == ACD_OK && rig_power(out) == ACD_OK, "format");
}

void rig_new(rig *out)
{
    rig_new_of(out, 256, 128);
}

acd_status rig_power(rig *in)
{
    in->storage.dead = 0;
    in->storage.cut_at = RIG_NEVER;
    memcpy(in->storage.durable, in->storage.bytes, size_of(&in->storage));
    const acd_card_ports ports = rig_ports(in);
    return acd_card_init(&in->card, &ports, in->workspace, sizeof in->workspace);
}

void rig_personalise(rig *in, uint8_t token_key[32], uint8_t pseudonym[32])
{
    static const uint8_t kinds[] = {ACD_CARD_TOKEN_KEY, ACD_CARD_PSEUDONYM};
    require(rig_select(in) == 0x9000 && rig_change(in, 0x81, rig_default_pin, rig_counter_pin) == 0x9000 &&
                rig_change(in, 0x82, rig_default_pin, rig_payment_pin) == 0x9000 &&
                rig_change(in, 0x83, rig_default_puk, rig_puk) == 0x9000 &&
                rig_verify(in, 0x82, rig_payment_pin) == 0x9000,
            "own PINs");
    require(rig_command(in, 0x47, 0x80, 0, &kinds[0], 1, 256) == 0x9000 && in->out_len == 36, "token key");
    memcpy(token_key, in->out + 4, 32);
    require(rig_command(in, 0x47, 0x80, 0, &kinds[1], 1, 256) == 0x9000 && in->out_len == 36, "pseudonym");
    memcpy(pseudonym, in->out + 4, 32);
    require(rig_select(in) == 0x9000, "select");
}

/* MARK: APDUs */

uint16_t rig_send(rig *in, const void *apdu, size_t len)
{
    size_t out_len = 0;
    if (in->tape != NULL) {
        require(len <= UINT16_MAX && in->tape_cap - in->tape_len >= len + 2, "tape too short");
        in->tape[in->tape_len++] = (uint8_t)(len >> 8);
        in->tape[in->tape_len++] = (uint8_t)len;
        memcpy(in->tape + in->tape_len, apdu, len);
        in->tape_len += len;
    }
    require(acd_card_apdu(&in->card, in->out, sizeof in->out, &out_len, apdu, len) == ACD_OK, "apdu");
    require(out_len >= 2 && out_len <= sizeof in->out, "no status word");
    in->out_len = out_len - 2;
    return (uint16_t)(in->out[in->out_len] << 8 | in->out[in->out_len + 1]);
}

static uint16_t send_class(rig *in, uint8_t class_byte, const uint8_t head[3], const void *data, size_t len,
                           long le)
{
    uint8_t apdu[7 + ACD_CARD_WORKSPACE_SIZE + 2];
    const int extended = len > 255 || le > 256;
    size_t at = 4;
    require(len <= ACD_CARD_WORKSPACE_SIZE, "command too long");
    apdu[0] = class_byte;
    memcpy(apdu + 1, head, 3);
    if (extended) {
        apdu[at++] = 0;
    }
    if (len > 0) {
        if (extended) {
            apdu[at++] = (uint8_t)(len >> 8);
        }
        apdu[at++] = (uint8_t)len;
        memcpy(apdu + at, data, len);
        at += len;
    }
    if (le >= 0) {
        if (extended) {
            apdu[at++] = (uint8_t)(le >> 8);
        }
        apdu[at++] = (uint8_t)le;
    }
    return rig_send(in, apdu, at);
}

uint16_t rig_command(rig *in, uint8_t ins, uint8_t p1, uint8_t p2, const void *data, size_t len, long le)
{
    const uint8_t head[3] = {ins, p1, p2};
    return send_class(in, 0x00, head, data, len, le);
}

uint16_t rig_chained(rig *in, uint8_t ins, uint8_t p1, uint8_t p2, const void *data, size_t len, size_t part)
{
    static uint8_t all[ACD_CARD_WORKSPACE_SIZE];
    const uint8_t head[3] = {ins, p1, p2};
    const uint8_t *at = data;
    uint16_t status = 0x9000;
    size_t total = 0;
    while (len > part && status == 0x9000) {
        status = send_class(in, 0x10, head, at, part, -1);
        at += part;
        len -= part;
    }
    if (status != 0x9000) {
        return status;
    }
    status = send_class(in, 0x00, head, at, len, -1);
    for (;;) {
        require(in->out_len <= sizeof all - total, "response too long");
        memcpy(all + total, in->out, in->out_len);
        total += in->out_len;
        if ((status & 0xff00) != 0x6100) {
            break;
        }
        status = rig_command(in, 0xc0, 0, 0, NULL, 0, 256);
    }
    memcpy(in->out, all, total);
    in->out_len = total;
    return status;
}

uint16_t rig_select(rig *in)
{
    return rig_command(in, 0xa4, 4, 0, acd_card_aid, sizeof acd_card_aid, 256);
}

uint16_t rig_verify(rig *in, uint8_t reference, const uint8_t pin[ACD_CARD_PIN_SIZE])
{
    return rig_command(in, 0x20, 0, reference, pin, ACD_CARD_PIN_SIZE, -1);
}

static uint16_t two_secrets(rig *in, uint8_t ins, uint8_t reference, const uint8_t *first,
                            const uint8_t *second)
{
    uint8_t both[2 * ACD_CARD_PIN_SIZE];
    memcpy(both, first, ACD_CARD_PIN_SIZE);
    memcpy(both + ACD_CARD_PIN_SIZE, second, ACD_CARD_PIN_SIZE);
    return rig_command(in, ins, 0, reference, both, sizeof both, -1);
}

uint16_t rig_change(rig *in, uint8_t reference, const uint8_t *old_pin, const uint8_t *new_pin)
{
    return two_secrets(in, 0x24, reference, old_pin, new_pin);
}

uint16_t rig_unblock(rig *in, uint8_t reference, const uint8_t *puk, const uint8_t *new_pin)
{
    return two_secrets(in, 0x2c, reference, puk, new_pin);
}

uint16_t rig_use_key(rig *in, uint8_t kind, uint32_t index)
{
    const uint8_t data[] = {
        0x84, 5, kind, (uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index};
    return rig_command(in, 0x22, 0x41, 0xb6, data, sizeof data, -1);
}

uint16_t rig_sign(rig *in, sample structure)
{
    return rig_command(in, 0x2a, 0x9e, 0x9a, structure.bytes, structure.len, 256);
}

unsigned rig_tries(rig *in, uint8_t reference)
{
    require(rig_command(in, 0xca, 1, 1, NULL, 0, 256) == 0x9000 && in->out_len >= 5, "state");
    return in->out[2 + reference - 0x81];
}
