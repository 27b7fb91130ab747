/* board.h: what the files of this board share. It is qemu's mps2-an386 with semihosting: host files,
 * arguments, an exit status. For tests and measurements; a device brings its own start, and none of this is
 * part of the core. */
#ifndef ACD_BOARD_H
#define ACD_BOARD_H

#include <stdint.h>

/* One semihosting call ("Semihosting for AArch32 and AArch64", Arm, 2022). */
int board_call(int operation, const void *argument);

/* Says why on the console and ends the program with this status. */
_Noreturn void board_stop(const char *why, int status);
_Noreturn void board_exit(int status);

/* Splits the command line into `argv`, which ends with NULL; NAME=VALUE words at its head become the
 * environment. */
int board_arguments(char **argv, int cap);

/* Gives libsodium the numbers that sodium_init asks for. They are not random: the core draws none. */
void board_random_init(void);

#endif
