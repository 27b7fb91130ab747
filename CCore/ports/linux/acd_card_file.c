/* acd_card_file.c: a card's storage in a file: pages of 4,096 bytes, written in place and made durable by
 * fdatasync on commit. The applet takes care of torn writes.
 *
 * Invariants: a new card's file gets its name only when it is formatted and durable; one process holds a file
 * at a time; what is read is what was written, from a copy in memory that is wiped at the end.
 */
#include "acd_card_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* MARK: Ports */

static int file_read(void *state, uint32_t at, void *out, uint32_t len)
{
    const card_file *file = state;
    memcpy(out, file->bytes + at, len);
    return 0;
}

static int write_all(int fd, off_t at, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t written = pwrite(fd, bytes, len, at);
        if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            bytes += written;
            at += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

static int file_write(void *state, uint32_t at, const void *bytes, uint32_t len)
{
    card_file *file = state;
    memcpy(file->bytes + at, bytes, len);
    return write_all(file->fd, at, bytes, len);
}

static int file_erase(void *state, uint32_t page)
{
    card_file *file = state;
    uint8_t *bytes = file->bytes + (size_t)page * CARD_FILE_PAGE_SIZE;
    memset(bytes, 0xff, CARD_FILE_PAGE_SIZE);
    return write_all(file->fd, (off_t)page * CARD_FILE_PAGE_SIZE, bytes, CARD_FILE_PAGE_SIZE);
}

static int file_commit(void *state)
{
    const card_file *file = state;
    return fdatasync(file->fd);
}

static int system_random(void *state, void *out, size_t len)
{
    (void)state;
    uint8_t *bytes = out;
    while (len > 0) {
        const ssize_t got = getrandom(bytes, len, 0);
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got > 0) {
            bytes += got;
            len -= (size_t)got;
        }
    }
    return 0;
}

void card_file_ports(card_file *file, acd_card_ports *ports)
{
    ports->storage = (acd_card_storage){file,       CARD_FILE_PAGE_SIZE, file->size / CARD_FILE_PAGE_SIZE,
                                        file_read,  file_write,          file_erase,
                                        file_commit};
    ports->random_state = NULL;
    ports->random = system_random;
}

/* MARK: Opening */

static int fail(card_file *file, int error)
{
    card_file_close(file);
    errno = error;
    return -1;
}

/* Locks the file and reads it whole. */
static int load(card_file *file)
{
    struct stat info;
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0 || fstat(file->fd, &info) != 0) {
        return -1;
    }
    if (!S_ISREG(info.st_mode) || info.st_size % CARD_FILE_PAGE_SIZE != 0 || info.st_size > INT32_MAX ||
        info.st_size < (off_t)(ACD_CARD_PAGES_MIN * CARD_FILE_PAGE_SIZE)) {
        errno = EILSEQ;
        return -1;
    }
    file->size = (uint32_t)info.st_size;
    file->bytes = malloc(file->size);
    if (file->bytes == NULL) {
        return -1;
    }
    for (uint32_t at = 0; at < file->size;) {
        const ssize_t got = pread(file->fd, file->bytes + at, file->size - at, at);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            errno = got == 0 ? EIO : errno;
            return -1;
        }
        at += got > 0 ? (uint32_t)got : 0;
    }
    return 0;
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t len = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, slash == NULL ? "." : path, len);
    folder[len] = '\0';
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    const int failed = fsync(fd);
    close(fd);
    return failed;
}

/* Makes a formatted card under another name, and then gives it this one. */
static int make(card_file *file, const char *path, acd_card_ports *ports)
{
    static const uint8_t page[CARD_FILE_PAGE_SIZE] = {0};
    char temporary[PATH_MAX];
    const int len = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    file->fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < CARD_FILE_PAGES; i++) {
        if (write_all(file->fd, (off_t)i * CARD_FILE_PAGE_SIZE, page, sizeof page) != 0) {
            return -1;
        }
    }
    if (load(file) != 0) {
        return -1;
    }
    card_file_ports(file, ports);
    if (acd_card_format(ports) != ACD_OK) {
        errno = EIO;
        return -1;
    }
    return rename(temporary, path) != 0 || sync_folder_of(path) != 0 ? -1 : 0;
}

int card_file_open(card_file *out, const char *path, acd_card_ports *ports)
{
    *out = (card_file){-1, 0, NULL};
    if (strlen(path) >= PATH_MAX) {
        return fail(out, ENAMETOOLONG);
    }
    out->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (out->fd < 0) {
        return errno == ENOENT && make(out, path, ports) == 0 ? 0 : fail(out, errno);
    }
    if (load(out) != 0) {
        return fail(out, errno);
    }
    card_file_ports(out, ports);
    return 0;
}

void card_file_close(card_file *file)
{
    if (file->bytes != NULL) {
        acd_wipe(file->bytes, file->size);
        free(file->bytes);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    *file = (card_file){-1, 0, NULL};
}
