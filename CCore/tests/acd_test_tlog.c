/* acd_test_tlog.c: inclusion and consistency proofs of transparency-dev/merkle, and C2SP's signed note. */
#include <dirent.h>
#include <sodium.h>
#include <sys/stat.h>
#include "acd_test.h"
#include "acd_third_party.h"

static int files;

static sample decode_base64(const char *text)
{
    sample out = {sample_alloc(strlen(text) + 1), 0};
    CHECK(sodium_base642bin(out.bytes, strlen(text) + 1, text, strlen(text), NULL, &out.len, NULL,
                            sodium_base64_VARIANT_ORIGINAL) == 0);
    return out;
}

static uint64_t number(const json_t *test, const char *key)
{
    double value = json_number_value(json_object_get(test, key)); /* small, or 2^64 - 1 for -1 */
    return value < 9e15 ? (uint64_t)value : UINT64_MAX;
}

/* The proof as hashes in a row; hashes of another size make it no proof. */
static int join(const json_t *test, sample *proof)
{
    size_t i = 0;
    json_t *element = NULL;
    const json_t *list = json_object_get(test, "proof");
    *proof = (sample){sample_alloc(json_array_size(list) * ACD_HASH_SIZE + 1), 0};
    json_array_foreach(list, i, element)
    {
        sample hash = decode_base64(json_string_value(element));
        if (hash.len != ACD_HASH_SIZE) {
            return 0;
        }
        memcpy(proof->bytes + proof->len, hash.bytes, hash.len);
        proof->len += hash.len;
    }
    return 1;
}

static void run_file(const char *path, int consistency)
{
    json_error_t error;
    sample proof;
    json_t *test = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
    CHECK(test != NULL);
    sample_reset();
    int holds = join(test, &proof);
    size_t count = proof.len / ACD_HASH_SIZE;
    if (consistency) {
        sample root1 = decode_base64(json_text(test, "root1"));
        sample root2 = decode_base64(json_text(test, "root2"));
        /* Roots that nobody should care about are short texts; with zeros behind they are hashes like others.
         */
        uint8_t padded[2][ACD_HASH_SIZE] = {{0}, {0}};
        CHECK(root1.len <= ACD_HASH_SIZE && root2.len <= ACD_HASH_SIZE);
        memcpy(padded[0], root1.bytes, root1.len);
        memcpy(padded[1], root2.bytes, root2.len);
        holds = holds && acd_merkle_verify_consistency(number(test, "size1"), number(test, "size2"),
                                                       padded[0], padded[1], proof.bytes, count) == ACD_OK;
    } else {
        sample root = decode_base64(json_text(test, "root"));
        sample leaf = decode_base64(json_text(test, "leafHash"));
        holds = holds && root.len == ACD_HASH_SIZE && leaf.len == ACD_HASH_SIZE &&
                acd_merkle_verify_inclusion(leaf.bytes, number(test, "leafIdx"), number(test, "treeSize"),
                                            proof.bytes, count, root.bytes) == ACD_OK;
    }
    int wanted = !json_is_true(json_object_get(test, "wantErr"));
    if (holds != wanted) {
        fprintf(stderr, "%s: %s\n", path, json_text(test, "desc"));
    }
    CHECK(holds == wanted);
    files++;
    json_decref(test);
}

/* Walks a folder two levels deep at most. */
static void run_folder(const char *path, int consistency, int levels)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char inner[2048];
        struct stat info;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(inner, &info) != 0) {
            continue;
        }
        if (S_ISDIR(info.st_mode) && levels > 0) {
            run_folder(inner, consistency, levels - 1);
        } else if (S_ISREG(info.st_mode)) {
            run_file(inner, consistency);
        }
    }
    closedir(dir);
}

static sample read_file(const char *file)
{
    char path[1024];
    third_party_path(path, file);
    sample out = {sample_alloc(4096), 0};
    FILE *in = fopen(path, "rb");
    CHECK(in != NULL);
    if (in != NULL) {
        out.len = fread(out.bytes, 1, 4096, in);
        fclose(in);
    }
    return out;
}

static void run_note(void)
{
    acd_note_key key;
    size_t text_len = 0;
    sample_reset();
    sample vkey = read_file("c2sp/signed-note-example.vkey");
    sample note = read_file("c2sp/signed-note-example.note");
    while (vkey.len > 0 && vkey.bytes[vkey.len - 1] == '\n') {
        vkey.len--;
    }
    CHECK_STATUS(ACD_OK, acd_note_key_parse(&key, (const char *)vkey.bytes, vkey.len));
    CHECK_STATUS(ACD_OK, acd_note_verify(&text_len, (const char *)note.bytes, note.len, &key));
    CHECK(text_len == strlen("This is an example message.\n"));
    note.bytes[0] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                 acd_note_verify(&text_len, (const char *)note.bytes, note.len, &key));
}

int main(void)
{
    char path[1024];
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    third_party_path(path, "tlog/inclusion");
    run_folder(path, 0, 2);
    int inclusion = files;
    third_party_path(path, "tlog/consistency");
    run_folder(path, 1, 2);
    if (files == 0) {
        printf("no third-party vectors at %s; set ACD_VECTORS\n", path);
        return third_party_absent();
    }
    printf("inclusion: %d, consistency: %d\n", inclusion, files - inclusion);
    CHECK(inclusion >= 98 && files - inclusion >= 98);
    run_note();
    return TEST_RESULT();
}
