/* acd_painted_thread.c: painted stacks where there are threads. What a thread itself puts there counts, too:
 * subtract the stack of a function that does nothing. */
#include "acd_painted.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAINT 0xa5
#define SIZE (4u * ACD_PAINTED_STACK_SIZE) /* the system's own share may be large */

static void *start(void *run)
{
    (*(void (**)(void))run)();
    return NULL;
}

size_t acd_painted_stack_of(void (*run)(void))
{
    pthread_t thread;
    pthread_attr_t attributes;
    uint8_t *stack = aligned_alloc(4096, SIZE);
    size_t unused = 0;
    if (stack == NULL || pthread_attr_init(&attributes) != 0) {
        free(stack);
        return 0;
    }
    memset(stack, PAINT, SIZE);
    const int ran = pthread_attr_setstack(&attributes, stack, SIZE) == 0 &&
                    pthread_create(&thread, &attributes, start, &run) == 0 && pthread_join(thread, NULL) == 0;
    while (unused < SIZE && stack[unused] == PAINT) {
        unused++;
    }
    pthread_attr_destroy(&attributes);
    free(stack);
    return ran ? SIZE - unused : 0;
}
