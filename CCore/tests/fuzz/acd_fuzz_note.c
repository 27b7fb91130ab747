/* acd_fuzz_note.c: the input as a verifier key, and as a note under the key of C2SP's example. */
#include <stdlib.h>
#include <string.h>
#include "acd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    acd_note_key key;
    size_t text_len = 0;
    if (acd_crypto_init() != ACD_OK) {
        return 0;
    }
    (void)!acd_note_key_parse(&key, (const char *)data, size);
    if (acd_note_key_parse(&key, vkey, sizeof vkey - 1) != ACD_OK) {
        abort();
    }
    if (acd_note_verify(&text_len, (const char *)data, size, &key) == ACD_OK &&
        (text_len >= size || data[text_len - 1] != '\n' || data[text_len] != '\n')) {
        abort();
    }
    return 0;
}
