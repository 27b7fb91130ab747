/* acd_test_vectors.c: runs every file of Tests/Vectors/{accept,reject}. The Swift tests run the same files.
 */
#include <dirent.h>
#include "acd_test.h"
#include "acd_vector.h"

static void run_folder(const char *root, const char *folder, int accepts)
{
    char path[1024];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 4, ".txt") != 0) {
            continue;
        }
        vector read;
        const char *check = NULL;
        snprintf(path, sizeof path, "%s/%s/%s", root, folder, entry->d_name);
        sample_reset();
        int holds = vector_read(&read, path);
        acd_status status = holds ? vector_run(&read, &check) : ACD_ERR_MISUSE;
        holds = holds && strcmp(acd_status_name(status), read.expect) == 0 && (status == ACD_OK) == accepts &&
                strlen(read.name) == len - 4 && strncmp(read.name, entry->d_name, len - 4) == 0 &&
                (check == NULL || strcmp(read.check, check) == 0);
        if (!holds) {
            fprintf(stderr, "%s: %s, check %s\n", path, acd_status_name(status), check == NULL ? "-" : check);
        }
        CHECK(holds);
        count++;
    }
    closedir(dir);
    printf("%s: %d vectors\n", folder, count);
    CHECK(count > 20);
}

int main(int argc, char **argv)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    const char *root = argc > 1 ? argv[1] : "Tests/Vectors";
    run_folder(root, "accept", 1);
    run_folder(root, "reject", 0);
    return TEST_RESULT();
}
