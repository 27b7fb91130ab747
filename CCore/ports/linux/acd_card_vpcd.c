/* acd_card_vpcd.c: acd-card, the card as a process: a card of the virtual reader vpcd (vsmartcard), and so of
 * pcscd, for every PC/SC program. Usage: acd-card [--host HOST] [--port PORT] [--wait SECONDS] [--show] FILE
 *
 * vpcd listens and the card connects. Each message is its length in two bytes, big endian, and its bytes. One
 * byte from vpcd is a control: 00 power off, 01 power on, 02 reset, 04 asks for the ATR. Anything longer is a
 * command.
 *
 * Invariants: a reset ends the session, a power-up reads the storage anew, as on a real card; a failing disk
 * does not end the process but the power-up; secrets are in no core dump and are wiped at the end.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "acd_card_file.h"

#define MESSAGE_MAX 65535u
#define EXIT_USAGE 64
#define EXIT_NO_CARD 66
#define EXIT_NO_READER 69
#define EXIT_DISK 70

enum control { POWER_OFF = 0, POWER_ON = 1, RESET = 2, GET_ATR = 4 };

/* TS, T0, TD1, TD2 (T = 0 and T = 1), and the capabilities: selection by name, commands in parts, extended
 * lengths. Nothing in it tells one card from another. The last byte is the check byte. */
static uint8_t atr[] = {0x3b, 0x85, 0x80, 0x01, 0x80, 0x73, 0x80, 0x01, 0xc0, 0x00};

static card_file storage;
static acd_card card;
static uint8_t workspace[ACD_CARD_WORKSPACE_SIZE];
static volatile sig_atomic_t asked_to_end;

/* MARK: The reader */

static void end(int signal_number)
{
    (void)signal_number;
    asked_to_end = 1;
}

static int connect_once(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    for (const struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    const int yes = 1;
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    return fd;
}

/* Tries for some seconds: pcscd may have been started just now. */
static int connect_reader(const char *host, const char *port, long wait_seconds)
{
    const struct timespec pause = {0, 50000000};
    int fd = -1;
    for (long tries = wait_seconds * 20; tries >= 0 && !asked_to_end; tries--) {
        fd = connect_once(host, port);
        if (fd >= 0) {
            break;
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

/* vpcd sends length and body apart. Without a quick acknowledgement of the first, its kernel holds back the
 * second for 40 ms. The option does not last, so it is set before each read. */
static int receive(int fd, uint8_t *out, size_t len)
{
    const int yes = 1;
    while (len > 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
        const ssize_t got = recv(fd, out, len, 0);
        if (got == 0 || (got < 0 && (errno != EINTR || asked_to_end))) {
            return 0;
        }
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
    return 1;
}

/* `message` has two bytes of room before it, for the length. */
static int respond(int fd, uint8_t *message, size_t len)
{
    uint8_t *at = message - 2;
    at[0] = (uint8_t)(len >> 8);
    at[1] = (uint8_t)len;
    len += 2;
    while (len > 0) {
        const ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return 0;
        }
        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        }
    }
    return 1;
}

/* MARK: The card */

static int power_up(const acd_card_ports *ports)
{
    const acd_status status = acd_card_init(&card, ports, workspace, sizeof workspace);
    if (status == ACD_ERR_MALFORMED) {
        fprintf(stderr, "acd-card: the card's file is damaged: no valid state is in it. "
                        "Keep it, and issue another card\n");
    } else if (status != ACD_OK) {
        fprintf(stderr,
                "acd-card: the card's file cannot be read or written: %s. "
                "Nothing is lost: make room or mend the disk, and start it again\n",
                strerror(errno));
    }
    return status == ACD_OK;
}

static void print_hex(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        fprintf(stderr, "%02x", bytes[i]);
    }
}

/* --show: the display of a card that has none. It shows and does not ask. */
static int show(void *state, const acd_card_shown *shown)
{
    static const char *const purposes[] = {"",        "pay",   "exchange", "acknowledge",
                                           "request", "query", "collect"};
    (void)state;
    fprintf(stderr, "acd-card: signs %s (%s)", purposes[shown->purpose],
            acd_message_info_of(shown->type)->label);
    if (shown->currency[0] != '\0') {
        fprintf(stderr, ", %s %llu minor units", shown->currency, (unsigned long long)shown->amount);
    }
    fputs(", merchant ", stderr);
    print_hex(shown->merchant, 8);
    fputs(", transaction ", stderr);
    print_hex(shown->n, sizeof shown->n);
    if (shown->purpose == ACD_CARD_COLLECT) {
        fputs(", kiosk ", stderr);
        print_hex(shown->kiosk, 8);
        fprintf(stderr, ", intent %llu", (unsigned long long)shown->intent);
    }
    fputc('\n', stderr);
    return 0;
}

static size_t answer_to_reset(uint8_t *out)
{
    uint8_t check = 0;
    for (size_t i = 1; i + 1 < sizeof atr; i++) {
        check ^= atr[i];
    }
    atr[sizeof atr - 1] = check;
    memcpy(out, atr, sizeof atr);
    return sizeof atr;
}

/* Serves the reader until it is gone. */
static int serve(int fd, const acd_card_ports *ports)
{
    static uint8_t in[MESSAGE_MAX];
    static uint8_t out[2 + MESSAGE_MAX];
    uint8_t head[2];
    while (receive(fd, head, sizeof head)) {
        const size_t len = (size_t)head[0] << 8 | head[1];
        size_t out_len = 0;
        if (!receive(fd, in, len)) {
            break;
        }
        if (len == 1) {
            if (in[0] == POWER_ON && !power_up(ports)) {
                return EXIT_DISK;
            }
            if (in[0] == POWER_OFF || in[0] == RESET) {
                acd_card_reset(&card);
            }
            if (in[0] != GET_ATR) {
                continue;
            }
            out_len = answer_to_reset(out + 2);
        } else if (acd_card_apdu(&card, out + 2, MESSAGE_MAX, &out_len, in, len) != ACD_OK) {
            return EXIT_DISK;
        }
        acd_wipe(in, len);
        if (!respond(fd, out + 2, out_len)) {
            break;
        }
    }
    return 0;
}

/* MARK: Main */

typedef struct options {
    const char *host, *port, *file;
    long wait_seconds;
    int show;
} options;

static int read_options(options *out, int argc, char **argv)
{
    *out = (options){"127.0.0.1", "35963", NULL, 10, 0};
    for (int i = 1; i < argc; i++) {
        const int has_value = i + 1 < argc;
        if (strcmp(argv[i], "--show") == 0) {
            out->show = 1;
        } else if (strcmp(argv[i], "--host") == 0 && has_value) {
            out->host = argv[++i];
        } else if (strcmp(argv[i], "--port") == 0 && has_value) {
            out->port = argv[++i];
        } else if (strcmp(argv[i], "--wait") == 0 && has_value) {
            out->wait_seconds = strtol(argv[++i], NULL, 10);
        } else if (argv[i][0] != '-' && out->file == NULL) {
            out->file = argv[i];
        } else {
            return 0;
        }
    }
    return out->file != NULL && out->wait_seconds >= 0 && out->wait_seconds <= 3600;
}

static int run(const options *chosen)
{
    acd_card_ports ports;
    memset(&ports, 0, sizeof ports);
    ports.show = chosen->show ? show : NULL;
    if (card_file_open(&storage, chosen->file, &ports) != 0) {
        fprintf(stderr, "acd-card: %s: %s\n", chosen->file,
                errno == EILSEQ        ? "this is not a card's file"
                : errno == EWOULDBLOCK ? "this card is in another reader: end the other acd-card first"
                                       : strerror(errno));
        return EXIT_NO_CARD;
    }
    if (!power_up(&ports)) {
        return EXIT_DISK;
    }
    const int fd = connect_reader(chosen->host, chosen->port, chosen->wait_seconds);
    if (fd < 0) {
        fprintf(stderr,
                "acd-card: no reader at %s, port %s: start pcscd with vpcd (package vsmartcard-vpcd)\n",
                chosen->host, chosen->port);
        return asked_to_end ? 0 : EXIT_NO_READER;
    }
    fprintf(stderr, "acd-card: in the reader\n");
    const int status = serve(fd, &ports);
    close(fd);
    return status;
}

int main(int argc, char **argv)
{
    options chosen;
    if (!read_options(&chosen, argc, argv)) {
        fprintf(stderr,
                "usage: acd-card [--host HOST] [--port PORT] [--wait SECONDS] [--show] FILE\n"
                "FILE is the card; a new one is made where there is none. PIN 123456, PUK 12345678.\n");
        return EXIT_USAGE;
    }
    const struct sigaction action = {.sa_handler = end}; /* without SA_RESTART: a read that waits ends */
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)mlock(&card, sizeof card);
    (void)mlock(workspace, sizeof workspace);
    if (acd_crypto_init() != ACD_OK) {
        fprintf(stderr, "acd-card: libsodium does not start\n");
        return EXIT_DISK;
    }
    const int status = run(&chosen);
    if (card.workspace != NULL) {
        acd_card_wipe(&card);
    }
    card_file_close(&storage);
    return status;
}
