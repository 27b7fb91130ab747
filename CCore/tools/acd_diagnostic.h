/* acd_diagnostic.h: CBOR in diagnostic notation, for people. */
#ifndef ACD_DIAGNOSTIC_H
#define ACD_DIAGNOSTIC_H

#include <stdio.h>
#include "acd.h"

/* Prints one item of the dialect; prints "invalid" in place of what is none. */
void diagnostic_print(FILE *file, const void *bytes, size_t len);

#endif
