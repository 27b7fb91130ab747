/* random.c: what libsodium wants of a device without an operating system, built with
 * RANDOMBYTES_CUSTOM_IMPLEMENTATION: a source of random numbers, set before sodium_init.
 *
 * THESE ARE NOT RANDOM. The core draws no random number; only sodium_init may ask here. A device that uses
 * libsodium beyond the core, to make keys, gives it the numbers of its hardware. */
#include <sodium.h>
#include <string.h>
#include "board.h"

static const char *name(void)
{
    return "zeros";
}

static uint32_t zero(void)
{
    return 0;
}

static void zeros(void *const out, const size_t len)
{
    memset(out, 0, len);
}

static struct randombytes_implementation source = {name, zero, NULL, NULL, zeros, NULL};

void board_random_init(void)
{
    randombytes_set_implementation(&source);
}
