/* verify_receipt.c: verifies a paid receipt, offline. Build against the installed library only:
 *   cc verify_receipt.c $(pkg-config --cflags --libs --static acd) -o verify_receipt
 *   ./verify_receipt receipt.cbor trust-list.cose 1760000000 */
#include <acd.h>
#include <stdio.h>
#include <stdlib.h>

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t len = fread(out, 1, cap, file);
    fclose(file);
    return len;
}

int main(int argc, char **argv)
{
    static uint8_t receipt[ACD_RECEIPT_SIZE_MAX + 1], trust[ACD_TRUST_SIZE_MAX + 1],
        scratch[ACD_TRUST_SIZE_MAX + 16];
    acd_receipt_facts facts;
    acd_receipt_check failed;
    if (argc != 4 || acd_crypto_init() != ACD_OK) {
        fprintf(stderr, "usage: verify_receipt <receipt> <trust list> <seconds since 1970>\n");
        return 2;
    }
    size_t receipt_len = read_file(argv[1], receipt, sizeof receipt),
           trust_len = read_file(argv[2], trust, sizeof trust);
    if (acd_receipt_verify(&facts, &failed, receipt, receipt_len, trust, trust_len, NULL,
                           strtoull(argv[3], NULL, 10), scratch, sizeof scratch) != ACD_OK) {
        printf("NOT PAID (%s): %s\n", acd_receipt_check_name(failed), acd_receipt_check_text(failed));
        return 1;
    }
    printf("PAID: %llu minor units of %s\n", (unsigned long long)facts.amount, facts.currency);
    return 0;
}
