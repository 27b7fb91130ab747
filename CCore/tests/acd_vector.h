/* acd_vector.h: reads one file of Tests/Vectors; the format is in Tests/Vectors/README.md. */
#ifndef ACD_VECTOR_H
#define ACD_VECTOR_H

#include "acd_sample.h"

typedef struct vector {
    char name[128];
    char rule[256];
    char expect[32];  /* "ok" or a status name */
    char what[64];    /* "cbor", "sign1", "map <type>", "receipt" */
    char check[32];   /* receipts that fail: the check's name */
    uint64_t now;     /* receipts */
    sample bytes;     /* hex: */
    sample trust;     /* receipts */
    sample authority; /* receipts; empty when the list is trusted as it is */
} vector;

/* Fills *out from a file; memory comes from the sample arena. 0 when the file cannot be read or is malformed.
 */
int vector_read(vector *out, const char *path);

/* Runs the vector through the core. *check is the failed check of a receipt, else NULL. */
acd_status vector_run(const vector *in, const char **check);

#endif
