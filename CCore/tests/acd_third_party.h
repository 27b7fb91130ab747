/* acd_third_party.h: finds and reads third-party vectors. They are not part of the project: $ACD_VECTORS
 * names their folder, by default ../shared/vectors beside the project. A folder that was named must be there;
 * when nobody named one and the default is absent, tests skip with a clear line. */
#ifndef ACD_THIRD_PARTY_H
#define ACD_THIRD_PARTY_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "acd_sample.h"
#include "acd_test.h"

#ifndef ACD_VECTORS_DEFAULT
#define ACD_VECTORS_DEFAULT "../shared/vectors"
#endif

static inline void third_party_path(char out[1024], const char *file)
{
    const char *root = getenv("ACD_VECTORS");
    snprintf(out, 1024, "%s/%s", root == NULL ? ACD_VECTORS_DEFAULT : root, file);
}

/* How to end when vectors are absent: skipped, or failed when somebody named their folder. */
static inline int third_party_absent(void)
{
    return getenv("ACD_VECTORS") == NULL ? EXIT_SKIP : EXIT_FAILURE;
}

/* NULL, with a line on stdout, when the file is absent. */
static inline json_t *third_party_json(const char *file)
{
    char path[1024];
    json_error_t error;
    third_party_path(path, file);
    json_t *json = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error); /* some exceed 64 bits */
    if (json == NULL) {
        printf("no third-party vectors at %s (%s); set ACD_VECTORS\n", path, error.text);
    }
    return json;
}

static inline const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static inline sample json_bytes(const json_t *object, const char *key)
{
    const char *text = json_text(object, key);
    return sample_hex(text[0] == '0' && text[1] == 'x' ? text + 2 : text);
}

#endif
