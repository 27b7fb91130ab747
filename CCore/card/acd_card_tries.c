/* acd_card_tries.c: how many tries each PIN has left, on two pages of their own. Source: docs/SPEC.md,
 * "Card", Tries.
 *
 * A page in use is a header and one region for each PIN. A region is a row of entries of two bytes: the first
 * is written before a PIN is compared, the second when it was right. Every byte that is not FF counts as
 * written. Tries left = the maximum - the entries since the last right one.
 *
 * Invariants: no write torn at any byte, in any order of its bits, gives a try back: a first byte torn is a
 * try gone, a second byte is only written after the PIN was right. The page that takes over is complete
 * before its header is, and the newest header counts, so an interrupted erasure of the old page gives none
 * back either.
 */
#include <string.h>
#include "acd_card_internal.h"

#define HEADER_SIZE 16u /* "ACDT" || generation(4) || check(8) */
#define CHECK_SIZE 8u
#define ERASED 0xffu
#define WRITTEN 0x00u
#define ENTRY_SIZE 2u

static const unsigned tries_max[CARD_PINS] = {3, 3, 10};
_Static_assert((ACD_CARD_PAGE_SIZE_MIN - HEADER_SIZE) / CARD_PINS / ENTRY_SIZE > 10 + 1,
               "a page takes over all failures and has room for another try");

static uint32_t page_at(const acd_card *card, uint32_t page)
{
    return page * card->ports.storage.page_size;
}

static uint32_t entries_per_pin(const acd_card *card)
{
    return (card->ports.storage.page_size - HEADER_SIZE) / CARD_PINS / ENTRY_SIZE;
}

static uint32_t entry_at(const acd_card *card, uint32_t page, card_pin pin, uint32_t entry)
{
    return page_at(card, page) + HEADER_SIZE + ((uint32_t)pin * entries_per_pin(card) + entry) * ENTRY_SIZE;
}

/* MARK: Headers */

static void header_form(uint8_t header[HEADER_SIZE], uint32_t generation)
{
    uint8_t hash[ACD_HASH_SIZE];
    memcpy(header, "ACDT", 4);
    acd_card_put32(header + 4, generation);
    const acd_hash_part parts[] = {{"acd-card-tries", 14}, {header, 8}};
    acd_sha256_parts(hash, parts, 2);
    memcpy(header + 8, hash, CHECK_SIZE);
}

static acd_status header_read(acd_card *card, uint32_t page, int *valid, uint32_t *generation)
{
    uint8_t header[HEADER_SIZE];
    uint8_t expected[HEADER_SIZE];
    ACD_TRY(acd_card_read(card, page_at(card, page), header, sizeof header));
    *generation = acd_card_get32(header + 4);
    header_form(expected, *generation);
    *valid = memcmp(header, expected, sizeof header) == 0; /* Not secret. */
    return ACD_OK;
}

/* MARK: Reading */

/* How many tries are gone, and the first entry that is free. */
static acd_status count(acd_card *card, card_pin pin, unsigned *used, uint32_t *free_entry)
{
    uint8_t entry[ENTRY_SIZE];
    *used = 0;
    for (*free_entry = 0; *free_entry < entries_per_pin(card); ++*free_entry) {
        ACD_TRY(acd_card_read(card, entry_at(card, card->tries_page, pin, *free_entry), entry, sizeof entry));
        if (entry[0] == ERASED && entry[1] == ERASED) {
            return ACD_OK;
        }
        *used = entry[1] == ERASED ? *used + 1u : 0;
    }
    return ACD_OK;
}

acd_status acd_card_tries_left(acd_card *card, unsigned *left, card_pin pin)
{
    unsigned used = 0;
    uint32_t free_entry = 0;
    ACD_TRY(count(card, pin, &used, &free_entry));
    *left = used < tries_max[pin] ? tries_max[pin] - used : 0;
    return ACD_OK;
}

/* MARK: Writing */

/* Writes one byte and sees that it stays written: a comparison may follow. */
static acd_status mark(acd_card *card, uint32_t at)
{
    uint8_t byte = WRITTEN;
    ACD_TRY(acd_card_write(card, at, &byte, 1));
    ACD_TRY(acd_card_commit(card));
    ACD_TRY(acd_card_read(card, at, &byte, 1));
    if (byte == ERASED) {
        card->failed = 1;
        return ACD_ERR_MISUSE;
    }
    return ACD_OK;
}

/* The other page takes over, with so many tries gone. */
static acd_status take_over(acd_card *card, const unsigned used[CARD_PINS])
{
    const uint32_t page = 1u - card->tries_page;
    uint8_t header[HEADER_SIZE];
    const uint8_t gone = WRITTEN;
    ACD_TRY(acd_card_erase(card, page));
    for (int pin = 0; pin < CARD_PINS; pin++) {
        for (uint32_t i = 0; i < used[pin]; i++) {
            ACD_TRY(acd_card_write(card, entry_at(card, page, (card_pin)pin, i), &gone, 1));
        }
    }
    ACD_TRY(acd_card_commit(card)); /* before the header that makes them count */
    header_form(header, card->tries_generation + 1u);
    ACD_TRY(acd_card_write(card, page_at(card, page), header, sizeof header));
    ACD_TRY(acd_card_commit(card));
    card->tries_page = page;
    card->tries_generation++;
    ACD_TRY(acd_card_erase(card, 1u - page));
    return acd_card_commit(card);
}

acd_status acd_card_tries_burn(acd_card *card, card_pin pin)
{
    unsigned used[CARD_PINS];
    uint32_t free_entry[CARD_PINS];
    for (int i = 0; i < CARD_PINS; i++) {
        ACD_TRY(count(card, (card_pin)i, &used[i], &free_entry[i]));
    }
    if (free_entry[pin] == entries_per_pin(card)) {
        ACD_TRY(take_over(card, used));
        free_entry[pin] = used[pin];
    }
    return mark(card, entry_at(card, card->tries_page, pin, free_entry[pin]));
}

acd_status acd_card_tries_settle(acd_card *card, card_pin pin)
{
    unsigned used = 0;
    uint32_t free_entry = 0;
    ACD_TRY(count(card, pin, &used, &free_entry));
    return used == 0 ? ACD_OK : mark(card, entry_at(card, card->tries_page, pin, free_entry - 1u) + 1u);
}

acd_status acd_card_tries_reset(acd_card *card)
{
    static const unsigned none[CARD_PINS] = {0, 0, 0};
    return take_over(card, none);
}

/* MARK: Opening */

acd_status acd_card_tries_format(acd_card *card)
{
    card->tries_page = 1;
    card->tries_generation = 0;
    ACD_TRY(acd_card_erase(card, 1));
    return acd_card_tries_reset(card);
}

acd_status acd_card_tries_open(acd_card *card)
{
    int valid[2];
    uint32_t generation[2];
    ACD_TRY(header_read(card, 0, &valid[0], &generation[0]));
    ACD_TRY(header_read(card, 1, &valid[1], &generation[1]));
    if (!valid[0] && !valid[1]) {
        return ACD_ERR_MALFORMED;
    }
    card->tries_page = valid[0] && (!valid[1] || generation[0] > generation[1]) ? 0 : 1;
    card->tries_generation = generation[card->tries_page];
    return ACD_OK;
}
