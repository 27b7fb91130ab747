/* start.c: from reset to main, and from main to the exit status.
 * Invariants: a fault ends the program with status 70; address 0 and what lies below the stack cannot be
 * touched; .bss is zero. */
#include <stdlib.h>
#include <string.h>
#include "board.h"

#define ARGUMENTS_MAX 16
#define STATUS_FAULT 70

extern uint8_t board_stack_top[];
extern uint8_t board_bss_start[];
extern uint8_t board_bss_end[];

int main(int argc, char **argv);
void __libc_init_array(void);
void _init(void);
void _fini(void);
void board_reset(void);

/* newlib calls these beside the tables of constructors. */
void _init(void)
{
}

void _fini(void)
{
}

/* Nothing may touch 2^bits bytes from `base` on any more: the Memory Protection Unit (ARMv7-M, B3.5). */
static void forbid(uint32_t region, uint32_t base, uint32_t bits)
{
    volatile uint32_t *const base_register = (volatile uint32_t *)0xe000ed9cu;
    volatile uint32_t *const attributes = (volatile uint32_t *)0xe000eda0u;
    *base_register = base | 0x10u | region; /* the region's number is valid */
    *attributes = (bits - 1u) << 1u | 0x1u; /* no access, enabled */
}

/* Closes the first KiB, where NULL points to: nothing but the processor itself reads the vectors. And what
 * lies below the stack: qemu has a kind of memory there. All else stays as the default map has it. */
static void forbid_bad_pointers(void)
{
    volatile uint32_t *const control = (volatile uint32_t *)0xe000ed94u;
    forbid(0, 0, 10);
    forbid(1, 0x1f000000u, 24);
    *control = 0x5u; /* on, with the default map behind it */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void board_reset(void)
{
    static char *arguments[ARGUMENTS_MAX];
    memset(board_bss_start, 0, (size_t)(board_bss_end - board_bss_start));
    forbid_bad_pointers();
    __libc_init_array();
    board_random_init();
    const int count = board_arguments(arguments, ARGUMENTS_MAX);
    exit(main(count, arguments));
}

static void fault(void)
{
    board_stop("board: a fault: a bad address, or the stack is used up\n", STATUS_FAULT);
}

/* With the stack used up a handler has no place for its frame: it takes a fresh one, and nothing returns from
 * here. */
__attribute__((naked)) static void on_fault(void)
{
    __asm__ volatile("msr msp, %0\n\tbx %1" ::"r"(board_stack_top), "r"(fault));
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))(uintptr_t)board_stack_top,
    board_reset,
    on_fault,
    on_fault,
    on_fault,
    on_fault,
    on_fault,
};
