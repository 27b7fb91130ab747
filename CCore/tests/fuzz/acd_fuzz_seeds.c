/* acd_fuzz_seeds.c: writes the seed corpora. Usage: acd_fuzz_seeds <Tests/Vectors> <folder>
 * Each fuzz target <t> finds its seeds in <folder>/<t>; they come from the vectors, and from code for the
 * rest. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "acd_card_rig.h"
#include "acd_sample_log.h"
#include "acd_vector.h"

static const char *out_root;

static void put_seed(const char *target, const char *name, sample bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", out_root, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", out_root, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes.bytes, 1, bytes.len, file) != bytes.len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* A first part, then a second. */
static sample join(sample first, sample second)
{
    sample out = {sample_alloc(first.len + second.len), first.len + second.len};
    memcpy(out.bytes, first.bytes, first.len);
    memcpy(out.bytes + first.len, second.bytes, second.len);
    return out;
}

static void put_vector(const vector *read)
{
    if (strcmp(read->what, "receipt") == 0) {
        const uint8_t length[2] = {(uint8_t)(read->trust.len >> 8), (uint8_t)read->trust.len};
        put_seed("receipt", read->name, join(join(sample_copy(length, 2), read->trust), read->bytes));
    } else if (strcmp(read->what, "sign1") == 0) {
        put_seed("sign1", read->name, read->bytes);
    } else if (strncmp(read->what, "map ", 4) == 0) {
        const uint8_t type = (uint8_t)(acd_message_type_named(read->what + 4, strlen(read->what + 4)) - 1);
        put_seed("map", read->name, join(sample_copy(&type, 1), read->bytes));
    }
    if (strcmp(read->what, "receipt") != 0) {
        put_seed("cbor", read->name, read->bytes);
        char *text = (char *)sample_alloc(ACD_BASE45_ENCODED_SIZE(read->bytes.len) + 1u);
        size_t len = 0;
        if (acd_base45_encode(text, ACD_BASE45_ENCODED_SIZE(read->bytes.len), &len, read->bytes.bytes,
                              read->bytes.len) == ACD_OK) {
            put_seed("base45", read->name, (sample){(uint8_t *)text, len});
        }
    }
}

static void put_vectors(const char *root, const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL; entry = readdir(dir)) {
        vector read;
        snprintf(path, sizeof path, "%s/%s/%s", root, folder, entry->d_name);
        sample_reset();
        if (entry->d_name[0] != '.' && vector_read(&read, path)) {
            put_vector(&read);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static void put_goods(void)
{
    static const size_t lengths[] = {0, 1, 1000, 16383, 16384, 20000};
    static acd_goods_stream stream;
    static const uint8_t zero[32];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char name[32];
        uint8_t root[ACD_HASH_SIZE];
        uint64_t total = acd_goods_sealed_length(lengths[i]);
        size_t len = 0;
        size_t rest = 0;
        sample_reset();
        sample out = {sample_alloc((size_t)total + 1), (size_t)total + 1};
        out.bytes[0] = (uint8_t)(40u * i);
        if (acd_goods_seal_init(&stream, acd_engine_sodium, zero, zero, zero) != ACD_OK ||
            acd_goods_seal_update(&stream, out.bytes + 1, (size_t)total, &len, sample_alloc(lengths[i]),
                                  lengths[i]) != ACD_OK ||
            acd_goods_seal_finish(&stream, out.bytes + 1 + len, (size_t)total - len, &rest, root, &total) !=
                ACD_OK) {
            exit(1);
        }
        snprintf(name, sizeof name, "goods-%zu", lengths[i]);
        put_seed("goods", name, out);
    }
}

/* MARK: The card */

static rig card;
static uint8_t tape[65536];

static void end_tape(const char *name)
{
    put_seed("card", name, (sample){tape, card.tape_len});
    card.tape_len = 0;
}

/* Lives of a card like acd_fuzz_card's, which draws the same keys. */
static void put_card(void)
{
    static const uint8_t kind = ACD_CARD_TOKEN_KEY;
    uint8_t keys[1][32];
    uint8_t pseudonym[32];
    rig_sale sale = rig_sale_good();
    sample receipt;
    sample d1;
    sample_reset();
    rig_new_of(&card, 128, 64);
    rig_personalise(&card, keys[0], pseudonym);
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    card.tape = tape;
    card.tape_cap = sizeof tape;
    (void)rig_select(&card);
    (void)rig_verify(&card, 0x81, rig_wrong_pin);
    (void)rig_verify(&card, 0x81, rig_counter_pin);
    (void)rig_change(&card, 0x82, rig_payment_pin, rig_counter_pin);
    (void)rig_unblock(&card, 0x82, rig_puk, rig_payment_pin);
    end_tape("pins");
    (void)rig_verify(&card, 0x82, rig_payment_pin);
    (void)rig_command(&card, 0x47, 0x80, 0, &kind, 1, 256);
    (void)rig_use_key(&card, ACD_CARD_TOKEN_KEY, 0);
    sample payment = rig_payment(ACD_P2, 1, 2, 300, (const uint8_t (*)[32])keys, 1);
    (void)rig_sign(&card, rig_structure(ACD_P2, payment, keys[0]));
    (void)rig_chained(&card, 0x2a, 0x9e, 0x9a, payment.bytes, payment.len, 100);
    end_tape("payment");
    (void)rig_use_key(&card, ACD_CARD_PSEUDONYM, 0);
    (void)rig_sign(&card, rig_structure(ACD_SP1, rig_acknowledgement(ACD_SP1, 1, 2), pseudonym));
    end_tape("acknowledgement");
    (void)rig_store(&card, 1, 0, receipt);
    (void)rig_command(&card, 0xca, 1, 0, NULL, 0, 256);
    (void)rig_chained(&card, 0xb2, 1, 4, NULL, 0, 255);
    (void)rig_command(&card, 0x0c, 1, 4, NULL, 0, -1);
    sale.n = sale.p4_n = 0x44;
    rig_sale_build(&sale, pseudonym, &receipt, &d1);
    (void)rig_store(&card, 1, 0, receipt);
    end_tape("receipts");
    (void)rig_verify(&card, 0x81, rig_counter_pin);
    (void)rig_command(&card, 0x88, 0, 0, d1.bytes, d1.len, 256);
    end_tape("counter");
    (void)rig_command(&card, 0xca, 1, 1, NULL, 0, -1);
    (void)rig_command(&card, 0xe6, 0, 0, NULL, 0, -1);
    end_tape("wipe");
}

/* MARK: The log */

static void put_tlog(void)
{
    static char text[32768];
    static uint8_t packed[ACD_PROOF_SIZE_MAX];
    static const uint8_t leaf_hash[ACD_HASH_SIZE];
    static const uint64_t times[] = {5, 6};
    static const sample_proof proof = {.index = 3,
                                       .size = 7,
                                       .times = times,
                                       .cosignatures = 2,
                                       .log_seed = SAMPLE_LOG_SEED,
                                       .origin = SAMPLE_ORIGIN};
    size_t len = 0;
    acd_leaf leaf = {.kind = ACD_LEAF_COMMIT, .at = 1};
    sample_reset();
    sample_policy_text(text, 3, 2);
    put_seed("tlog", "policy", sample_copy(text, strlen(text)));
    sample_proof_text(text, &proof, leaf_hash);
    put_seed("tlog", "proof", sample_copy(text, strlen(text)));
    if (acd_proof_pack(packed, sizeof packed, &len, text, strlen(text)) != ACD_OK) {
        exit(1);
    }
    put_seed("tlog", "packed", sample_copy(packed, len));
    acd_leaf_write(packed, &leaf);
    put_seed("tlog", "leaf", sample_copy(packed, ACD_LEAF_SIZE));
    const char *checkpoint = "example.com/foo\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    put_seed("tlog", "checkpoint", sample_copy(checkpoint, strlen(checkpoint)));
}

int main(int argc, char **argv)
{
    static const char note[] =
        "This is an example message.\n\n\xe2\x80\x94 example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    if (argc != 3 || acd_crypto_init() != ACD_OK) {
        fprintf(stderr, "usage: acd_fuzz_seeds <Tests/Vectors> <folder>\n");
        return 2;
    }
    out_root = argv[2];
    mkdir(out_root, 0777);
    put_vectors(argv[1], "accept");
    put_vectors(argv[1], "reject");
    put_goods();
    put_card();
    put_tlog();
    put_seed("note", "note", sample_copy(note, sizeof note - 1));
    put_seed("note", "vkey", sample_copy(vkey, sizeof vkey - 1));
    return 0;
}
