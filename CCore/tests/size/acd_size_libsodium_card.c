/* acd_size_libsodium_card.c: what a card takes of libsodium, and nothing of the core. What acd_size_card.c
 * needs beyond this program is what the card and its share of the core need. */
#include <sodium.h>

static unsigned char room[20480 + 258]; /* as in acd_size_card.c */

int main(void)
{
    volatile unsigned char *const in = room; /* the compiler must not know what stands there */
    crypto_hash_sha256_state state;
    crypto_auth_hmacsha256_state mac;
    if (sodium_init() < 0) {
        return 2;
    }
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, room, in[0]);
    crypto_hash_sha256_final(&state, room);
    crypto_hash_sha256(room, room, in[1]);
    crypto_auth_hmacsha256_init(&mac, room, in[2]);
    crypto_auth_hmacsha256_update(&mac, room, in[3]);
    crypto_auth_hmacsha256_final(&mac, room);
    crypto_sign_seed_keypair(room, room + 32, room + 96);
    crypto_sign_detached(room, NULL, room + 64, in[4], room + 128);
    sodium_memzero(room + 64, in[5]);
    return crypto_sign_verify_detached(room, room + 64, in[6], room + 128) == 0 &&
           crypto_core_ed25519_is_valid_point(room) == 1 && sodium_memcmp(room, room + 32, 32) == 0;
}
