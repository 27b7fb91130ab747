/* acd_size_libsodium.c: what a receipt verifier takes of libsodium, and nothing of the core. What
 * acd_size_verifier.c needs beyond this program is what the core's verifier needs. */
#include <sodium.h>

static unsigned char room[73728 + 65546]; /* as in acd_size_verifier.c */

int main(void)
{
    volatile unsigned char *const in = room; /* the compiler must not know what stands there */
    crypto_hash_sha256_state state;
    if (sodium_init() < 0) {
        return 2;
    }
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, room, in[0]);
    crypto_hash_sha256_final(&state, room);
    crypto_hash_sha256(room, room, in[1]);
    return crypto_sign_verify_detached(room, room + 64, in[2], room + 128) == 0 &&
           crypto_core_ed25519_is_valid_point(room) == 1 && sodium_memcmp(room, room + 32, 32) == 0;
}
