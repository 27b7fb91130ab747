/* acd_make_vectors.h: what the two files of the vector maker share. */
#ifndef ACD_MAKE_VECTORS_H
#define ACD_MAKE_VECTORS_H

#include <stdio.h>
#include "acd_sample.h"

/* Opens accept/<name>.txt or reject/<name>.txt and writes its first lines. Ends the program when it cannot.
 */
FILE *vector_begin(const char *name, const char *rule, acd_status expect, const char *what);
/* Writes "key:" and the bytes in hexadecimal, 48 a line. */
void vector_hex(FILE *file, const char *key, sample bytes);
/* A whole vector; short accepted ones get a diagnostic line. */
void vector_put(const char *name, const char *rule, acd_status expect, const char *what, sample bytes);

/* COSE messages and receipts; in acd_make_signed_vectors.c. */
void make_signed_vectors(void);

#endif
