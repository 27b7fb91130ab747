/* acd_card_log.c: what the card keeps, but for the counters of tries: a log of records in one of two areas.
 * Source: docs/SPEC.md, "Card", Storage.
 *
 * Invariants: a record counts only whole (its check holds), and what follows the last whole record is erased
 * before anything is written there. The log moves to the other area when it is full or its tail is torn: the
 * new area's header is written last, so at every moment exactly one log is the newest valid one. What has no
 * header any more is erased before the card answers again: superseded secrets do not linger.
 */
#include <string.h>
#include "acd_card_internal.h"

#define HEADER_SIZE 20u /* "ACDL" || 01 00 00 00 || generation(4) || check(8) */
#define HEADER_CHECKED 12u
#define RECORD_HEAD 3u /* type(1) || length of the body(2) */
#define CHECK_SIZE 8u
#define RECORD_OVERHEAD (RECORD_HEAD + CHECK_SIZE)
#define CHUNK_SIZE 128u
#define BODY_MAX 16384u
#define ERASED 0xffu
/* Kept free of receipts and signatures, so that PINs can always be changed and receipts erased. */
#define RESERVE 256u

#define TRIES_PAGES 2u

static const uint8_t magic[8] = {'A', 'C', 'D', 'L', 1, 0, 0, 0};

/* MARK: Storage */

static acd_status port(acd_card *card, int failed)
{
    if (failed != 0) {
        card->failed = 1;
        return ACD_ERR_MISUSE;
    }
    return ACD_OK;
}

static acd_status within(acd_card *card, uint32_t at, size_t len)
{
    const acd_card_storage *storage = &card->ports.storage;
    const uint64_t size = (uint64_t)storage->page_size * storage->page_count;
    return port(card, card->failed || at > size || len > size - at);
}

acd_status acd_card_read(acd_card *card, uint32_t at, void *out, size_t len)
{
    ACD_TRY(within(card, at, len));
    return port(card, card->ports.storage.read(card->ports.storage.state, at, out, (uint32_t)len));
}

acd_status acd_card_write(acd_card *card, uint32_t at, const void *bytes, size_t len)
{
    ACD_TRY(within(card, at, len));
    return port(card, card->ports.storage.write(card->ports.storage.state, at, bytes, (uint32_t)len));
}

acd_status acd_card_erase(acd_card *card, uint32_t page)
{
    ACD_TRY(port(card, card->failed));
    return port(card, card->ports.storage.erase(card->ports.storage.state, page));
}

acd_status acd_card_commit(acd_card *card)
{
    ACD_TRY(port(card, card->failed));
    return port(card, card->ports.storage.commit(card->ports.storage.state));
}

/* MARK: Areas */

static uint32_t area_pages(const acd_card *card)
{
    return (card->ports.storage.page_count - TRIES_PAGES) / 2u;
}

static uint32_t area_size(const acd_card *card)
{
    return area_pages(card) * card->ports.storage.page_size;
}

/* Where area 0 or 1 begins. */
static uint32_t area_at(const acd_card *card, uint32_t area)
{
    return TRIES_PAGES * card->ports.storage.page_size + area * area_size(card);
}

static uint32_t other_area(const acd_card *card)
{
    return card->log_at == area_at(card, 0) ? 1u : 0u;
}

static acd_status erase_area(acd_card *card, uint32_t area)
{
    const uint32_t first = TRIES_PAGES + area * area_pages(card);
    for (uint32_t page = first; page < first + area_pages(card); page++) {
        ACD_TRY(acd_card_erase(card, page));
    }
    return acd_card_commit(card);
}

/* Whether all bytes are erased; in constant time, since they may be parts of old secrets. */
static acd_status is_blank(acd_card *card, uint32_t at, uint32_t end, int *blank)
{
    static const uint8_t zero = 0;
    uint8_t chunk[CHUNK_SIZE]; /* secret */
    uint8_t differs = 0;
    acd_status status = ACD_OK;
    while (at < end && status == ACD_OK) {
        const uint32_t len = end - at < CHUNK_SIZE ? end - at : CHUNK_SIZE;
        status = acd_card_read(card, at, chunk, len);
        for (uint32_t i = 0; i < len && status == ACD_OK; i++) {
            differs |= (uint8_t)(chunk[i] ^ ERASED);
        }
        at += len;
    }
    acd_wipe(chunk, sizeof chunk);
    ACD_TRY(status);
    *blank = acd_equal(&differs, &zero, 1);
    return ACD_OK;
}

static void header_form(uint8_t header[HEADER_SIZE], uint32_t generation)
{
    uint8_t hash[ACD_HASH_SIZE];
    memcpy(header, magic, sizeof magic);
    acd_card_put32(header + sizeof magic, generation);
    const acd_hash_part parts[] = {{"acd-card-log", 12}, {header, HEADER_CHECKED}};
    acd_sha256_parts(hash, parts, 2);
    memcpy(header + HEADER_CHECKED, hash, CHECK_SIZE);
}

static acd_status header_read(acd_card *card, uint32_t area, int *valid, uint32_t *generation)
{
    uint8_t header[HEADER_SIZE];
    uint8_t expected[HEADER_SIZE];
    ACD_TRY(acd_card_read(card, area_at(card, area), header, sizeof header));
    *generation = acd_card_get32(header + sizeof magic);
    header_form(expected, *generation);
    *valid = memcmp(header, expected, sizeof header) == 0; /* Not secret. */
    return ACD_OK;
}

/* MARK: Checks of records
 *
 * check = the first 8 bytes of the last h: h_0 = H("acd-card-record" || generation || at || type || len),
 * h_i+1 = H(h_i || the next 128 bytes of the body, at the end fewer). So it is made with little memory, and
 * what an older log left at the same place is not taken for a record of this one. */

static void check_begin(uint8_t h[ACD_HASH_SIZE], uint32_t generation, uint32_t at,
                        const uint8_t head[RECORD_HEAD])
{
    uint8_t where[8];
    acd_card_put32(where, generation);
    acd_card_put32(where + 4, at);
    const acd_hash_part parts[] = {{"acd-card-record", 15}, {where, sizeof where}, {head, RECORD_HEAD}};
    acd_sha256_parts(h, parts, 3);
}

static void check_add(uint8_t h[ACD_HASH_SIZE], const uint8_t *chunk, size_t len)
{
    const acd_hash_part parts[] = {{h, ACD_HASH_SIZE}, {chunk, len}};
    acd_sha256_parts(h, parts, 2);
}

/* Over a body that is in storage; `copy_to` > 0: writes it there, too. */
static acd_status check_stored(acd_card *card, uint8_t h[ACD_HASH_SIZE], uint32_t at, uint32_t len,
                               uint32_t copy_to)
{
    uint8_t chunk[CHUNK_SIZE]; /* secret */
    acd_status status = ACD_OK;
    for (uint32_t done = 0; done < len && status == ACD_OK;) {
        const uint32_t take = len - done < CHUNK_SIZE ? len - done : CHUNK_SIZE;
        status = acd_card_read(card, at + done, chunk, take);
        if (status == ACD_OK && copy_to > 0) {
            status = acd_card_write(card, copy_to + done, chunk, take);
        }
        if (status == ACD_OK) {
            check_add(h, chunk, take);
        }
        done += take;
    }
    acd_wipe(chunk, sizeof chunk);
    return status;
}

/* MARK: Walking */

/* Reads the head at `at`; *whole is 1 if a record with a valid check stands there before `end`. */
static acd_status read_record(acd_card *card, uint32_t at, uint32_t end, card_record *record, int *whole)
{
    uint8_t head[RECORD_HEAD];
    uint8_t h[ACD_HASH_SIZE];
    uint8_t check[CHECK_SIZE];
    *whole = 0;
    if (end - at < RECORD_OVERHEAD) {
        return ACD_OK;
    }
    ACD_TRY(acd_card_read(card, at, head, sizeof head));
    *record = (card_record){head[0], at + RECORD_HEAD, (uint32_t)head[1] << 8 | head[2]};
    if (head[0] < CARD_RECORD_ROOT || head[0] > CARD_RECORD_ERASED || record->len == 0 ||
        record->len > BODY_MAX || record->len > end - at - RECORD_OVERHEAD) {
        return ACD_OK;
    }
    check_begin(h, card->log_generation, at - card->log_at, head);
    ACD_TRY(check_stored(card, h, record->at, record->len, 0));
    ACD_TRY(acd_card_read(card, record->at + record->len, check, sizeof check));
    *whole = acd_equal(h, check, sizeof check);
    return ACD_OK;
}

acd_status acd_card_log_next(acd_card *card, card_record *record, int *found)
{
    uint8_t head[RECORD_HEAD];
    const uint32_t at =
        record->type == 0 ? card->log_at + HEADER_SIZE : record->at + record->len + CHECK_SIZE;
    *found = at < card->log_end;
    if (*found) { /* checked when the log was opened, or written since */
        ACD_TRY(acd_card_read(card, at, head, sizeof head));
        *record = (card_record){head[0], at + RECORD_HEAD, (uint32_t)head[1] << 8 | head[2]};
    }
    return ACD_OK;
}

static acd_status tag_of(acd_card *card, const card_record *record, int *tag)
{
    uint8_t first = 0;
    ACD_TRY(acd_card_read(card, record->at, &first, 1));
    *tag = first;
    return ACD_OK;
}

acd_status acd_card_log_last(acd_card *card, card_record *record, int *found, card_record_type type, int tag)
{
    card_record each = {0, 0, 0};
    int more = 0;
    *found = 0;
    for (;;) {
        ACD_TRY(acd_card_log_next(card, &each, &more));
        if (!more) {
            return ACD_OK;
        }
        int its_tag = tag;
        if (each.type == type && tag >= 0) {
            ACD_TRY(tag_of(card, &each, &its_tag));
        }
        if (each.type == type && its_tag == tag) {
            *record = each;
            *found = 1;
        }
    }
}

acd_status acd_card_log_is_stale(acd_card *card, const card_record *record, int *stale)
{
    card_record later = *record;
    int more = 0;
    int tag = 0;
    *stale = record->type == CARD_RECORD_ERASED;
    if (*stale || record->type == CARD_RECORD_ROOT || record->type == CARD_RECORD_SIGNED) {
        return ACD_OK;
    }
    if (record->type != CARD_RECORD_COUNTS) {
        ACD_TRY(tag_of(card, record, &tag));
    }
    const uint8_t successor = record->type == CARD_RECORD_RECEIPT ? CARD_RECORD_ERASED : record->type;
    for (;;) {
        ACD_TRY(acd_card_log_next(card, &later, &more));
        if (!more) {
            return ACD_OK;
        }
        if (later.type == successor) {
            int its_tag = 0;
            if (record->type != CARD_RECORD_COUNTS) {
                ACD_TRY(tag_of(card, &later, &its_tag));
            }
            if (its_tag == tag) {
                *stale = 1;
                return ACD_OK;
            }
        }
    }
}

/* MARK: Moving to the other area */

static acd_status copy_record(acd_card *card, const card_record *record, uint32_t to_area, uint32_t *to)
{
    const uint8_t head[RECORD_HEAD] = {record->type, (uint8_t)(record->len >> 8), (uint8_t)record->len};
    uint8_t h[ACD_HASH_SIZE];
    check_begin(h, card->log_generation + 1u, *to - to_area, head);
    ACD_TRY(acd_card_write(card, *to, head, sizeof head));
    ACD_TRY(check_stored(card, h, record->at, record->len, *to + RECORD_HEAD));
    ACD_TRY(acd_card_write(card, *to + RECORD_HEAD + record->len, h, CHECK_SIZE));
    *to += RECORD_OVERHEAD + record->len;
    return ACD_OK;
}

/* The other area, already filled up to `end`, becomes the log; the old one is erased. */
static acd_status switch_area(acd_card *card, uint32_t area, uint32_t end)
{
    uint8_t header[HEADER_SIZE];
    header_form(header, card->log_generation + 1u);
    ACD_TRY(acd_card_commit(card)); /* the records before the header that makes them count */
    ACD_TRY(acd_card_write(card, area_at(card, area), header, sizeof header));
    ACD_TRY(acd_card_commit(card));
    card->log_at = area_at(card, area);
    card->log_end = end;
    card->log_generation++;
    return erase_area(card, 1u - area);
}

static acd_status compact(acd_card *card)
{
    const uint32_t area = other_area(card);
    uint32_t to = area_at(card, area) + HEADER_SIZE;
    card_record record = {0, 0, 0};
    int more = 0;
    int stale = 0;
    ACD_TRY(erase_area(card, area));
    for (;;) {
        ACD_TRY(acd_card_log_next(card, &record, &more));
        if (!more) {
            return switch_area(card, area, to);
        }
        ACD_TRY(acd_card_log_is_stale(card, &record, &stale));
        if (!stale) {
            ACD_TRY(copy_record(card, &record, area_at(card, area), &to));
        }
    }
}

acd_status acd_card_log_clear(acd_card *card)
{
    const uint32_t area = other_area(card);
    ACD_TRY(erase_area(card, area));
    return switch_area(card, area, area_at(card, area) + HEADER_SIZE);
}

/* MARK: Opening */

acd_status acd_card_log_format(acd_card *card)
{
    if (acd_card_log_open(card) == ACD_OK) {
        return acd_card_log_clear(card); /* never an old log of which only a part is erased */
    }
    ACD_TRY(erase_area(card, 0));
    card->log_at = area_at(card, 1);
    card->log_generation = 0;
    return acd_card_log_clear(card);
}

acd_status acd_card_log_open(acd_card *card)
{
    int valid[2];
    uint32_t generation[2];
    int blank = 0;
    ACD_TRY(header_read(card, 0, &valid[0], &generation[0]));
    ACD_TRY(header_read(card, 1, &valid[1], &generation[1]));
    if (!valid[0] && !valid[1]) {
        return ACD_ERR_MALFORMED;
    }
    const uint32_t area = valid[0] && (!valid[1] || generation[0] > generation[1]) ? 0 : 1;
    const uint32_t end = area_at(card, area) + area_size(card);
    card_record record;
    int whole = 1;
    card->log_at = area_at(card, area);
    card->log_generation = generation[area];
    card->log_end = card->log_at + HEADER_SIZE;
    while (whole) {
        ACD_TRY(read_record(card, card->log_end, end, &record, &whole));
        if (whole) {
            card->log_end = record.at + record.len + CHECK_SIZE;
        }
    }
    ACD_TRY(is_blank(card, area_at(card, 1u - area), area_at(card, 1u - area) + area_size(card), &blank));
    if (!blank) {
        ACD_TRY(erase_area(card, 1u - area));
    }
    ACD_TRY(is_blank(card, card->log_end, end, &blank));
    return blank ? ACD_OK : compact(card);
}

/* MARK: Appending */

acd_status acd_card_log_room(acd_card *card, uint32_t *room)
{
    card_record record = {0, 0, 0};
    uint32_t live = HEADER_SIZE + RESERVE;
    int more = 0;
    int stale = 0;
    for (;;) {
        ACD_TRY(acd_card_log_next(card, &record, &more));
        if (!more) {
            *room = area_size(card) > live ? area_size(card) - live : 0;
            return ACD_OK;
        }
        ACD_TRY(acd_card_log_is_stale(card, &record, &stale));
        live += stale ? 0 : RECORD_OVERHEAD + record.len;
    }
}

acd_status acd_card_log_append(acd_card *card, card_record_type type, const acd_hash_part *parts,
                               size_t part_count)
{
    size_t len = 0;
    for (size_t i = 0; i < part_count; i++) {
        len += parts[i].len; /* two parts of a workspace's size at most */
    }
    if (len > BODY_MAX) {
        return ACD_ERR_NO_SPACE;
    }
    if (type == CARD_RECORD_SIGNED || type == CARD_RECORD_RECEIPT) {
        uint32_t room = 0;
        ACD_TRY(acd_card_log_room(card, &room));
        if (len + RECORD_OVERHEAD > room) {
            return ACD_ERR_NO_SPACE;
        }
    }
    if (len + RECORD_OVERHEAD > card->log_at + area_size(card) - card->log_end) {
        ACD_TRY(compact(card));
        if (len + RECORD_OVERHEAD > card->log_at + area_size(card) - card->log_end) {
            return ACD_ERR_NO_SPACE;
        }
    }
    const uint8_t head[RECORD_HEAD] = {(uint8_t)type, (uint8_t)(len >> 8), (uint8_t)len};
    uint8_t h[ACD_HASH_SIZE];
    uint8_t chunk[CHUNK_SIZE]; /* secret: the check goes over chunks of the body, wherever its parts end */
    uint32_t at = card->log_end;
    size_t filled = 0;
    check_begin(h, card->log_generation, at - card->log_at, head);
    acd_status status = acd_card_write(card, at, head, sizeof head);
    at += RECORD_HEAD;
    for (size_t i = 0; i < part_count; i++) {
        const uint8_t *bytes = parts[i].bytes;
        for (size_t k = 0; k < parts[i].len && status == ACD_OK; k++) {
            chunk[filled++] = bytes[k];
            if (filled == sizeof chunk || (i + 1u == part_count && k + 1u == parts[i].len)) {
                check_add(h, chunk, filled);
                status = acd_card_write(card, at, chunk, filled);
                at += (uint32_t)filled;
                filled = 0;
            }
        }
    }
    acd_wipe(chunk, sizeof chunk);
    ACD_TRY(status);
    ACD_TRY(acd_card_write(card, at, h, CHECK_SIZE));
    ACD_TRY(acd_card_commit(card));
    card->log_end = at + CHECK_SIZE;
    return ACD_OK;
}
