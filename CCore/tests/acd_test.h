/* acd_test.h: the smallest harness that does. A test is a function whose name is a sentence; RUN prints the
 * sentence when it fails; the program's exit status says whether all held. Not for several threads. */
#ifndef ACD_TEST_H
#define ACD_TEST_H

#include <stdio.h>
#include <string.h>
#include "acd.h"

#define EXIT_SKIP 77 /* CTest's SKIP_RETURN_CODE */

static int acd_test_checks;
static int acd_test_failures;
static int acd_test_failed_here;

#define CHECK(condition) acd_test_check((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_STATUS(expected, call) acd_test_status((expected), (call), #call, __FILE__, __LINE__)
#define CHECK_BYTES(a, b, len) CHECK((len) == 0 || memcmp((a), (b), (len)) == 0)
#define RUN(test) acd_test_run((test), #test)
#define TEST_RESULT() acd_test_result(__FILE__)

static inline void acd_test_check(int holds, const char *what, const char *file, int line)
{
    acd_test_checks++;
    if (!holds) {
        acd_test_failures++;
        acd_test_failed_here = 1;
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    }
}

static inline void acd_test_status(acd_status expected, acd_status got, const char *call, const char *file,
                                   int line)
{
    acd_test_checks++;
    if (expected != got) {
        acd_test_failures++;
        acd_test_failed_here = 1;
        fprintf(stderr, "%s:%d: expected %s, got %s: %s\n", file, line, acd_status_name(expected),
                acd_status_name(got), call);
    }
}

static inline void acd_test_run(void (*test)(void), const char *name)
{
    acd_test_failed_here = 0;
    test();
    if (acd_test_failed_here) {
        fputs("FAILED: ", stderr);
        for (; *name != '\0'; name++) {
            fputc(*name == '_' ? ' ' : *name, stderr);
        }
        fputc('\n', stderr);
    }
}

static inline int acd_test_result(const char *file)
{
    printf("%s: %d checks, %d failed\n", file, acd_test_checks, acd_test_failures);
    return acd_test_failures != 0 || acd_test_checks == 0;
}

#endif
