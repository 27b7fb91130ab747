/* acd_fuzz_card.c: a stream of commands, each behind its length in two bytes (FFFF: power off and on), to a
 * card that holds keys and a receipt and has been given its PINs. No command is answered with a byte of the
 * root, none breaks the storage, and the card powers up after all of them. */
#include <stdlib.h>
#include <string.h>
#include "../acd_card_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STORAGE_SIZE (128u * 64u)

static rig card;
static acd_card fresh;
static uint8_t fresh_storage[STORAGE_SIZE];
static uint8_t root[ACD_SEED_SIZE];

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

static void prepare(void)
{
    uint8_t token_key[32];
    uint8_t pseudonym[32];
    sample receipt;
    sample d1;
    const rig_sale sale = rig_sale_good();
    require(acd_crypto_init() == ACD_OK);
    rig_new_of(&card, 128, 64);
    rig_personalise(&card, token_key, pseudonym);
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    require(rig_verify(&card, 0x81, rig_counter_pin) == 0x9000);
    require(rig_verify(&card, 0x82, rig_payment_pin) == 0x9000);
    require(rig_store(&card, 0, 0, receipt) == 0x9000);
    require(rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0) == 0x9000);
    fresh = card.card;
    memcpy(fresh_storage, card.storage.bytes, STORAGE_SIZE);
    for (size_t i = 0; i + 35 < STORAGE_SIZE; i++) { /* the root's record */
        if (fresh_storage[i] == 1 && fresh_storage[i + 1] == 0 && fresh_storage[i + 2] == 32) {
            memcpy(root, fresh_storage + i + 3, sizeof root);
            return;
        }
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ready;
    if (!ready) {
        prepare();
        ready = 1;
    }
    card.card = fresh;
    memcpy(card.storage.bytes, fresh_storage, STORAGE_SIZE);
    while (size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (len == UINT16_MAX) {
            require(rig_power(&card) == ACD_OK);
            continue;
        }
        len = len < size ? len : size;
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, data, len);
        const uint16_t status = rig_send(&card, exact, len);
        free(exact);
        require(status >= 0x6100 && status <= 0x9000 && status != 0x6f00 && status != 0x6581);
        require(status == 0x9000 || status >> 8 == 0x61 || card.out_len == 0);
        for (size_t i = 0; i + 8 <= card.out_len; i++) {
            require(memcmp(card.out + i, root, 8) != 0);
        }
        data += len;
        size -= len;
    }
    require(rig_power(&card) == ACD_OK && !card.storage.written_twice);
    return 0;
}
