/* semihosting.c: newlib's system calls as semihosting calls: the host's files, the console, the exit status.
 * Invariants: standard input, output and error are 0, 1 and 2; other descriptors are the host's handles,
 * shifted past them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>
#include "board.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0a,
    SYS_FLEN = 0x0c,
    SYS_REMOVE = 0x0e,
    SYS_TIME = 0x11,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

#define STOPPED_APPLICATION_EXIT 0x20026
#define HANDLES_MAX 64
#define ENVIRONMENT_MAX 8

/* Where each host handle stands, for SEEK_CUR: semihosting only knows absolute places. */
static struct {
    int handle;
    off_t at;
    int used;
} files[HANDLES_MAX];

extern char **environ;
extern char board_heap_start[];
extern char board_heap_end[];

int board_call(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_exit(int status)
{
    const int block[2] = {STOPPED_APPLICATION_EXIT, status};
    board_call(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

void board_stop(const char *why, int status)
{
    board_call(SYS_WRITE0, why);
    board_exit(status);
}

int board_arguments(char **argv, int cap)
{
    static char line[2048];
    static char *named[ENVIRONMENT_MAX + 1];
    size_t named_count = 0;
    const struct {
        char *line;
        int size;
    } block = {line, sizeof line};
    int count = 0;
    if (board_call(SYS_GET_CMDLINE, &block) != 0) {
        board_stop("board: no command line\n", EXIT_FAILURE);
    }
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        if (count == 0 && named_count < ENVIRONMENT_MAX && strchr(word, '=') != NULL) {
            named[named_count++] = word;
        } else if (count + 1 < cap) {
            argv[count++] = word;
        } else {
            board_stop("board: too many arguments\n", EXIT_FAILURE);
        }
    }
    argv[count] = NULL;
    environ = named;
    return count;
}

/* MARK: Files */

static int open_host(const char *path, int mode)
{
    const struct {
        const char *path;
        int mode;
        size_t len;
    } block = {path, mode, strlen(path)};
    return board_call(SYS_OPEN, &block);
}

int _open(const char *path, int flags, ...)
{
    /* fopen's modes as semihosting numbers them: 1 rb, 3 r+b, 5 wb, 7 w+b, 9 ab, 11 a+b. */
    int mode = (flags & O_ACCMODE) == O_RDONLY ? 1 : (flags & O_ACCMODE) == O_RDWR ? 3 : 5;
    if ((flags & O_APPEND) != 0) {
        mode = (flags & O_ACCMODE) == O_RDWR ? 11 : 9;
    } else if ((flags & O_TRUNC) != 0) {
        mode = (flags & O_ACCMODE) == O_RDWR ? 7 : 5;
    }
    for (int i = 3; i < HANDLES_MAX; i++) {
        if (files[i].used) {
            continue;
        }
        files[i].handle = open_host(path, mode);
        files[i].at = 0;
        files[i].used = files[i].handle != -1;
        errno = ENOENT;
        return files[i].used ? i : -1;
    }
    errno = EMFILE;
    return -1;
}

/* The host's handle; the console is opened when it is first used. */
static int handle_of(int file)
{
    if (file < 0 || file >= HANDLES_MAX) {
        return -1;
    }
    if (file < 3 && !files[file].used) {
        files[file].handle = open_host(":tt", file == 0 ? 0 : file == 1 ? 4 : 8);
        files[file].used = 1;
    }
    return files[file].used ? files[file].handle : -1;
}

/* What read and write have in common: the host says how many bytes it did not move. */
static int move(int operation, int file, const void *bytes, int len)
{
    const int handle = handle_of(file);
    const struct {
        int handle;
        const void *bytes;
        int len;
    } block = {handle, bytes, len};
    if (handle == -1) {
        errno = EBADF;
        return -1;
    }
    const int left = board_call(operation, &block);
    if (left < 0 || left > len) {
        errno = EIO;
        return -1;
    }
    files[file].at += len - left;
    return len - left;
}

int _read(int file, char *bytes, int len)
{
    return move(SYS_READ, file, bytes, len);
}

int _write(int file, const char *bytes, int len)
{
    return move(SYS_WRITE, file, bytes, len);
}

int _close(int file)
{
    const int handle = handle_of(file);
    if (handle == -1) {
        errno = EBADF;
        return -1;
    }
    files[file].used = 0;
    return board_call(SYS_CLOSE, &handle);
}

off_t _lseek(int file, off_t offset, int whence)
{
    const int handle = handle_of(file);
    const off_t base = whence == SEEK_CUR   ? files[file].at
                       : whence == SEEK_END ? (off_t)board_call(SYS_FLEN, &handle)
                                            : 0;
    const int block[2] = {handle, (int)(base + offset)};
    if (handle == -1 || board_call(SYS_SEEK, block) != 0) {
        errno = ESPIPE;
        return -1;
    }
    files[file].at = base + offset;
    return base + offset;
}

int _isatty(int file)
{
    return file < 3;
}

int _fstat(int file, struct stat *out)
{
    const int handle = handle_of(file);
    memset(out, 0, sizeof *out);
    out->st_mode = file < 3 ? S_IFCHR : S_IFREG;
    out->st_size = file < 3 ? 0 : board_call(SYS_FLEN, &handle);
    out->st_blksize = 4096;
    return handle == -1 ? -1 : 0;
}

int _unlink(const char *path)
{
    const struct {
        const char *path;
        size_t len;
    } block = {path, strlen(path)};
    return board_call(SYS_REMOVE, &block) == 0 ? 0 : -1;
}

/* MARK: The rest */

void *_sbrk(ptrdiff_t grow)
{
    static char *heap = board_heap_start;
    char *const before = heap;
    if (grow > board_heap_end - heap) {
        errno = ENOMEM;
        return (void *)-1;
    }
    heap += grow;
    return before;
}

int _gettimeofday(struct timeval *now, void *zone)
{
    (void)zone;
    now->tv_sec = board_call(SYS_TIME, NULL);
    now->tv_usec = 0;
    return 0;
}

clock_t _times(struct tms *out)
{
    memset(out, 0, sizeof *out);
    return 0;
}

int _getpid(void)
{
    return 1;
}

/* There is one user. OpenSSL asks whether another's rights were lent to it. */
uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

int _kill(int process, int signal)
{
    (void)process;
    board_exit(128 + signal);
}

void _exit(int status)
{
    board_exit(status);
}
