/* painted.c: painted stacks on this board: the processor's stack pointer is moved there and back. */
#include <stdint.h>
#include <string.h>
#include "acd_painted.h"

#define PAINT 0xa5

static uint8_t stack[ACD_PAINTED_STACK_SIZE] __attribute__((aligned(8)));

/* Calls `run` with the stack pointer at `top`. r4 keeps the old one: a callee saves it. */
__attribute__((naked)) static void call_on(void (*run)(void), void *top)
{
    (void)run;
    (void)top;
    __asm__ volatile("push {r4, lr}\n\t"
                     "mov r4, sp\n\t"
                     "mov sp, r1\n\t"
                     "blx r0\n\t"
                     "mov sp, r4\n\t"
                     "pop {r4, pc}");
}

size_t acd_painted_stack_of(void (*run)(void))
{
    size_t unused = 0;
    memset(stack, PAINT, sizeof stack);
    call_on(run, stack + sizeof stack);
    while (unused < sizeof stack && stack[unused] == PAINT) {
        unused++;
    }
    return sizeof stack - unused;
}
