/* acd_test_board.c: that this board notices what a device must not do: otherwise the tests of the core could
 * pass over a bad pointer. One fault a run; CTest wants to see the board's line. */
#include <stdio.h>
#include <string.h>

static int deeper(volatile char *above)
{
    volatile char here[512];
    here[0] = *above;
    return here[0] + deeper(here);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    volatile char start = 1;
    if (strcmp(what, "null") == 0) {
        printf("not reached: %d\n", *(volatile int *)(volatile void *)strchr(what, 'x'));
    } else if (strcmp(what, "stack") == 0) {
        printf("not reached: %d\n", deeper(&start));
    }
    return 1;
}
