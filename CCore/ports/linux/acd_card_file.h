/* acd_card_file.h: a card's storage in a file. */
#ifndef ACD_CARD_FILE_H
#define ACD_CARD_FILE_H

#include "acd/card.h"

#define CARD_FILE_PAGE_SIZE 4096u
#define CARD_FILE_PAGES 64u /* of a new card: 256 KiB */

typedef struct card_file {
    int fd;
    uint32_t size;
    uint8_t *bytes; /* what is in the file, for reading */
} card_file;

/* Opens a card's file, or makes one of a new card, formatted, if there is none. The file is locked: a card is
 * in one reader at a time. 0, or -1 with errno; EILSEQ: that is no card's file. */
int card_file_open(card_file *out, const char *path, acd_card_ports *ports);
/* Fills the ports that storage in this file and the system's randomness are. */
void card_file_ports(card_file *file, acd_card_ports *ports);
void card_file_close(card_file *file);

#endif
