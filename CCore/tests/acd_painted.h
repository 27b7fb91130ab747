/* acd_painted.h: how much stack a function takes, its callees included. It runs on memory that was painted
 * before; what is no longer painted was used. One implementation for threads, one for each board. */
#ifndef ACD_PAINTED_H
#define ACD_PAINTED_H

#include <stddef.h>

#define ACD_PAINTED_STACK_SIZE (64u * 1024u)

/* Bytes from the top of the stack to the deepest that was written; 0 if it could not be measured. */
size_t acd_painted_stack_of(void (*run)(void));

#endif
