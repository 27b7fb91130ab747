/* dirent.h: folders, for newlib has none: as far as the tests and OpenSSL use them. See folder.c. */
#ifndef ACD_BOARD_DIRENT_H
#define ACD_BOARD_DIRENT_H

struct dirent {
    char d_name[256];
};

typedef struct board_folder DIR;

DIR *opendir(const char *path);
struct dirent *readdir(DIR *folder);
int closedir(DIR *folder);

#endif
