/* acd_size_card.c: a program that is nothing but the card: what a device has to carry besides its start-up
 * code, its storage and its line to the reader. It is linked and measured, and not run. */
#include "acd.h"

/* The workspace for the longest payment, and one response. */
static uint8_t room[ACD_CARD_WORKSPACE_SIZE + ACD_CARD_RESPONSE_MIN];
static acd_card card;

static int port(void *state, uint32_t at)
{
    return state == NULL || at > 0;
}

static int read(void *state, uint32_t at, void *out, uint32_t len)
{
    (void)out;
    return port(state, at + len);
}

static int write(void *state, uint32_t at, const void *bytes, uint32_t len)
{
    (void)bytes;
    return port(state, at + len);
}

static int commit(void *state)
{
    return port(state, 0);
}

static int draw(void *state, void *out, size_t len)
{
    (void)out;
    return port(state, (uint32_t)len);
}

int main(void)
{
    volatile const uint8_t *const in = room; /* the compiler must not know what stands there */
    const acd_card_storage storage = {room, ACD_CARD_PAGE_SIZE_MIN, ACD_CARD_PAGES_MIN, read, write, port,
                                      commit};
    const acd_card_ports ports = {storage, NULL, draw, NULL, NULL};
    uint8_t *const out = room + ACD_CARD_WORKSPACE_SIZE;
    size_t out_len = 0;
    if (acd_crypto_init() != ACD_OK || acd_card_format(&ports) != ACD_OK) {
        return 2;
    }
    acd_status status = acd_card_init(&card, &ports, room, ACD_CARD_WORKSPACE_SIZE);
    while (status == ACD_OK && in[1] == 0) {
        status = acd_card_apdu(&card, out, ACD_CARD_RESPONSE_MIN, &out_len, out, in[0]);
    }
    acd_card_wipe(&card);
    return status != ACD_OK;
}
