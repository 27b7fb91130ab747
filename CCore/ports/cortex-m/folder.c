/* folder.c: folders and stat from a listing, since semihosting has neither. $ACD_LISTING names a file of
 * lines "<f or d> <path>", which run.sh wrote; without it no folder exists. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_SIZE 1024

struct board_folder {
    FILE *listing;
    size_t prefix_len;
    char prefix[LINE_MAX_SIZE];
    struct dirent entry;
};

/* The next line's path, its kind in *kind; NULL at the end. */
static char *next_line(FILE *listing, char line[LINE_MAX_SIZE], char *kind)
{
    if (fgets(line, LINE_MAX_SIZE, listing) == NULL || strlen(line) < 3) {
        return NULL;
    }
    line[strcspn(line, "\n")] = '\0';
    *kind = line[0];
    return line + 2;
}

/* 'f', 'd', or 0 for what the listing does not have. */
static char kind_of(const char *path)
{
    char line[LINE_MAX_SIZE];
    char kind = 0;
    const char *name = getenv("ACD_LISTING");
    FILE *listing = name == NULL ? NULL : fopen(name, "r");
    if (listing == NULL) {
        return 0;
    }
    const char *found = next_line(listing, line, &kind);
    while (found != NULL && strcmp(found, path) != 0) {
        found = next_line(listing, line, &kind);
    }
    fclose(listing);
    return found == NULL ? 0 : kind;
}

DIR *opendir(const char *path)
{
    const char *name = getenv("ACD_LISTING");
    DIR *folder = kind_of(path) == 'd' ? calloc(1, sizeof *folder) : NULL;
    if (folder == NULL) {
        errno = ENOENT;
        return NULL;
    }
    snprintf(folder->prefix, sizeof folder->prefix, "%s/", path);
    folder->prefix_len = strlen(folder->prefix);
    folder->listing = fopen(name, "r");
    return folder;
}

struct dirent *readdir(DIR *folder)
{
    char line[LINE_MAX_SIZE];
    char kind = 0;
    for (const char *path = next_line(folder->listing, line, &kind); path != NULL;
         path = next_line(folder->listing, line, &kind)) {
        const char *name = path + folder->prefix_len;
        if (strncmp(path, folder->prefix, folder->prefix_len) == 0 && strchr(name, '/') == NULL &&
            strlen(name) < sizeof folder->entry.d_name) {
            strcpy(folder->entry.d_name, name);
            return &folder->entry;
        }
    }
    return NULL;
}

int closedir(DIR *folder)
{
    fclose(folder->listing);
    free(folder);
    return 0;
}

int _stat(const char *path, struct stat *out)
{
    const char kind = kind_of(path);
    memset(out, 0, sizeof *out);
    out->st_mode = kind == 'd' ? S_IFDIR : S_IFREG;
    errno = ENOENT;
    return kind == 0 ? -1 : 0;
}
